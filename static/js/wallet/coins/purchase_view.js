/**
 * One purchase: where it is, in plain words and while it changes, and its receipt.
 */

import { ApiError } from "../../lib/api.js";
import { element, icon } from "../../lib/element.js";
import { formatMoment, formatMoney, formatNumber, toMicroseconds } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { methodName, wordsOf } from "./purchase_words.js";

/** While a purchase is open; a changed balance makes it look at once. */
const LOOK_EVERY_MS = 2_000;
const LOOKS_MAX = 300;

/** @typedef {import("./purchase_words.js").Purchase} Purchase */

export class PurchaseView {
  #timer = 0;
  #looks = 0;
  #shown = "";

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.root
   * @param {import("../../lib/api.js").Api} parts.api
   * @param {import("../../lib/user_socket.js").UserSocket} parts.socket
   * @param {string} parts.purchase its id
   */
  constructor({ root, api, socket, purchase }) {
    this.root = root;
    this.api = api;
    this.socket = socket;
    this.purchase = purchase;
    this.onWallet = () => this.#look();
    this.card = element("section", { class: "outcome panel-card", testid: "purchase", attrs: { "aria-live": "polite" } });
    this.receipt = element("section", { class: "receipt panel-card", attrs: { "aria-labelledby": "receipt-title", hidden: true } });
    root.append(this.card, this.receipt);
  }

  start() {
    this.socket.addEventListener("wallet", this.onWallet);
    this.#look();
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = -1;
    this.socket.removeEventListener("wallet", this.onWallet);
  }

  async #look() {
    if (this.#timer === -1) return;
    clearTimeout(this.#timer);
    this.#looks += 1;
    try {
      const purchase = await this.api.get(`/purchases/${encodeURIComponent(this.purchase)}`);
      this.#render(purchase);
      if (!wordsOf(purchase).open) return;
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      if (problem.code !== "unavailable") {
        this.card.replaceChildren(element("p", { text: problem.code === "not_found" ? "There is no such purchase of yours." : explain(problem.code, problem.message) }), ...this.#ways(null));
        return;
      }
    }
    if (this.#timer !== -1 && this.#looks < LOOKS_MAX) this.#timer = setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  /** @param {Purchase} purchase */
  #render(purchase) {
    if (JSON.stringify(purchase) === this.#shown) return;
    this.#shown = JSON.stringify(purchase);
    const words = wordsOf(purchase);
    this.card.dataset.status = purchase.status;
    this.card.replaceChildren(
      element("span", { class: `outcome-sign tone-${words.tone}${words.open ? " is-waiting" : ""}` }, icon(words.icon)),
      element("h2", { text: words.title, testid: "purchase-title" }),
      element("p", { class: "muted", text: words.text }),
      element("div", { class: "outcome-ways" }, ...this.#ways(purchase)));
    this.receipt.hidden = false;
    this.receipt.replaceChildren(element("h2", { text: "Receipt", attrs: { id: "receipt-title" } }), receiptOf(purchase),
      ...(purchase.provider === "sandbox" ? [element("a", { class: "button button-quiet", text: "At the pretend provider", testid: "at-provider", attrs: { href: `/checkout/${encodeURIComponent(purchase.id)}` } })] : []));
  }

  /** @param {Purchase|null} purchase @returns {HTMLElement[]} where to go from here */
  #ways(purchase) {
    const again = purchase?.status === "created" || purchase?.status === "declined" || purchase?.status === "expired";
    const ways = [element("a", { class: `button ${again ? "button-primary" : ""}`, text: again ? "Choose again" : "Get more coins", attrs: { href: "#coins" } })];
    if (purchase?.status === "created") {
      ways.unshift(element("button", { class: "button button-primary", text: "Go on paying", testid: "pay-on", attrs: { type: "button" }, on: { click: () => this.#payOn() } }));
      ways[1].classList.remove("button-primary");
    }
    return ways;
  }

  async #payOn() {
    try {
      const { url } = await this.api.post(`/purchases/${encodeURIComponent(this.purchase)}/checkout`);
      location.assign(url);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      this.#look();
    }
  }
}

/** @param {Purchase} purchase */
function receiptOf(purchase) {
  /** @type {Array<[string, string|null]>} */
  const lines = [
    ["Coins", formatNumber(purchase.coins)],
    ["On top", purchase.bonus_coins > 0 ? formatNumber(purchase.bonus_coins) : null],
    ["Taken back", purchase.coins_back > 0 ? formatNumber(purchase.coins_back) : null],
    ["Price", formatMoney(purchase.price)],
    ["Paid with", methodName(purchase.method)],
    ["Status", wordsOf(purchase).label],
    ["Begun", formatMoment(toMicroseconds(purchase.created_at))],
    ["Paid", purchase.paid_at && formatMoment(toMicroseconds(purchase.paid_at))],
    ["Purchase", purchase.id],
    ["Payment", purchase.transaction],
  ];
  return element("dl", { class: "receipt-lines" }, ...lines.filter(([, value]) => value !== null).flatMap(([name, value]) => [
    element("dt", { text: name }), element("dd", { class: "number", text: value ?? "" }),
  ]));
}
