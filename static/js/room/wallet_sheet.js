/**
 * The wallet beside the room: the balance, the way to more coins, and the gifts sent so far.
 */

import { ApiError } from "../lib/api.js";
import { element, icon, setText } from "../lib/element.js";
import { formatNumber, formatRelativeTime, toMicroseconds } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";
import { explain } from "../lib/problems.js";
import { Sheet } from "../lib/sheet.js";

/** Rows kept on screen; older ones are a matter for an export. */
const ROWS_MAX = 400;

/** @typedef {{gift_id: string, room: string, gift: string, count: number, coins: number, at: number|string, status: "accepted"|"settled"}} SentGift */

export class WalletSheet {
  /** @type {string|null} */
  #cursor = null;

  /**
   * @param {object} parts
   * @param {import("../lib/api.js").Api} parts.api
   * @param {import("./balance.js").Balance} parts.balance
   * @param {import("../lib/gifts.js").Catalogue} parts.catalogue
   */
  constructor({ api, balance, catalogue }) {
    this.api = api;
    this.balance = balance;
    this.catalogue = catalogue;
    this.coins = element("strong", { class: "number", testid: "wallet-coins" });
    this.debt = element("p", { class: "wallet-debt", testid: "wallet-debt" });
    this.list = element("ul", { class: "history", testid: "gift-history" });
    this.status = element("p", { class: "history-status", attrs: { role: "status" } });
    this.more = element("button", { class: "button", text: "Show older gifts", attrs: { type: "button" }, on: { click: () => this.#load() } });
    this.sheet = new Sheet({ title: "Your wallet", class: "wallet-sheet", testid: "wallet-sheet" },
      element("div", { class: "wallet-card" }, element("span", { text: "Balance" }),
        element("span", { class: "wallet-coins" }, icon("coin"), this.coins)),
      this.debt,
      // Beside the room, not instead of it; `opener` takes the tab's session along.
      element("a", { class: "button button-primary", text: "Get coins", testid: "get-coins", attrs: { href: "/wallet#coins", target: "_blank", rel: "opener" } }),
      element("h3", { class: "section-title", text: "Gifts you sent" }), this.list, this.status, this.more);
    balance.addEventListener("change", () => this.#renderBalance());
    this.#renderBalance();
  }

  open() {
    this.sheet.open();
    this.#cursor = null;
    this.list.replaceChildren();
    this.#load();
    this.refreshBalance();
  }

  /** Asks the server for the balance, unless gifts on their way would make the answer old. */
  async refreshBalance() {
    if (this.balance.unanswered > 0) return;
    const wallet = await this.api.get("/wallet").catch(() => null);
    if (wallet && this.balance.unanswered === 0) this.balance.correct(wallet.coins);
  }

  async #load() {
    this.more.hidden = true;
    setText(this.status, "Loading…");
    try {
      const { gifts, next } = await this.api.get("/wallet/gifts", { cursor: this.#cursor });
      for (const gift of gifts) this.list.append(this.#row(gift));
      this.#cursor = next;
      this.more.hidden = next === null || next === undefined || this.list.children.length >= ROWS_MAX;
      setText(this.status, this.list.children.length === 0 ? "You have not sent a gift yet." : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, explain(error.code, error.message));
      this.more.hidden = false;
    }
  }

  /** @param {SentGift} sent */
  #row(sent) {
    const gift = this.catalogue.get(sent.gift);
    const settled = sent.status === "settled";
    return element("li", { class: "history-row", attrs: { "data-status": sent.status } },
      element("img", { attrs: { src: artUrl(gift.id), alt: "", width: 40, height: 40, loading: "lazy" } }),
      element("span", { class: "history-words" },
        element("span", { class: "truncate", text: `${gift.name} ×${formatNumber(sent.count)}` }),
        element("span", { class: "history-time", text: formatRelativeTime(toMicroseconds(sent.at)) })),
      element("span", { class: "history-price number" }, icon("coin"), formatNumber(sent.coins)),
      element("span", { class: `status status-${settled ? "settled" : "accepted"}` },
        icon(settled ? "check" : "clock"), settled ? "settled" : "accepted"));
  }

  #renderBalance() {
    const { known, coins, owed } = this.balance;
    setText(this.coins, known ? formatNumber(coins) : "–");
    this.debt.hidden = owed === 0;
    setText(this.debt, `You owe ${formatNumber(owed)} coins of a payment that was taken back: you can send gifts again when they are paid.`);
  }
}
