/**
 * What was bought before: the newest purchases, each with its state, older ones on demand.
 */

import { ApiError } from "../../lib/api.js";
import { element, icon, setText } from "../../lib/element.js";
import { formatMoment, formatMoney, formatNumber, toMicroseconds } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { wordsOf } from "./purchase_words.js";

const PAGE = 10;
/** Rows kept on screen; older ones are a matter for an export. */
const ROWS_MAX = 200;

/** @typedef {import("./purchase_words.js").Purchase} Purchase */

export class PurchasesList {
  /** @type {string|null} */
  #cursor = null;

  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.list = element("ul", { class: "purchases", testid: "purchases" });
    this.status = element("p", { class: "muted", attrs: { role: "status" } });
    this.more = element("button", { class: "button", text: "Show older purchases", attrs: { type: "button", hidden: true }, on: { click: () => this.load() } });
    this.node = element("section", { class: "purchases-section", attrs: { "aria-labelledby": "purchases-title" } },
      element("h2", { text: "Your purchases", attrs: { id: "purchases-title" } }), this.list, this.status, this.more);
  }

  /** Shows the next page. */
  async load() {
    this.more.hidden = true;
    try {
      const { purchases, next } = await this.api.get("/purchases", { limit: PAGE, cursor: this.#cursor });
      this.#cursor = next;
      this.list.append(...purchases.map(row));
      this.more.hidden = next === null || this.list.children.length >= ROWS_MAX;
      setText(this.status, this.list.children.length === 0 ? "Nothing yet." : "");
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setText(this.status, explain(problem.code, problem.message));
      this.more.hidden = false;
    }
  }
}

/** @param {Purchase} purchase */
function row(purchase) {
  const { tone, icon: sign, label } = wordsOf(purchase);
  return element("li", { class: "purchase-row", attrs: { "data-status": purchase.status } },
    element("a", { class: "purchase-link", attrs: { href: `#coins/${purchase.id}` } },
      element("span", { class: "purchase-coins number" }, icon("coin"), formatNumber(purchase.coins + purchase.bonus_coins), element("span", { class: "visually-hidden", text: " coins" })),
      element("span", { class: "purchase-when", text: formatMoment(toMicroseconds(purchase.created_at)) }),
      element("span", { class: "purchase-price number", text: formatMoney(purchase.price) }),
      element("span", { class: `purchase-status tone-${tone}` }, icon(sign), label)));
}
