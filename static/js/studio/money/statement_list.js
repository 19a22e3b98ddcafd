/**
 * Statements by month, as files.
 */

import { element, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { saveBlob } from "../../lib/save_file.js";
import { showToast } from "../../lib/toasts.js";
import { formatMonth } from "./words.js";

/** @typedef {import("../../lib/api.js").ApiError} ApiError */
/** @typedef {{month: string, final: boolean, earned: number, paid: number, came_back: number, given_back: number, closing: number}} Overview */

export class StatementList {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.list = element("ul", { class: "statements", testid: "statements" });
    this.status = element("p", { class: "empty", attrs: { role: "status" } });
    this.node = element("section", { class: "card", attrs: { "aria-labelledby": "statements-title" } },
      element("header", { class: "card-head" }, element("h2", { text: "Statements", attrs: { id: "statements-title" } })),
      this.list, this.status);
  }

  async load() {
    try {
      /** @type {{statements: Overview[]}} */
      const { statements } = await this.api.get("/creator/statements");
      this.list.replaceChildren(...statements.map((each) => this.#row(each)));
      setText(this.status, statements.length === 0 ? "The first month with gifts has the first statement." : "");
    } catch (problem) {
      const { code, message } = /** @type {ApiError} */ (problem);
      setText(this.status, explain(code, message));
    }
  }

  /** @param {Overview} overview */
  #row({ month, final, earned, paid, closing }) {
    const name = formatMonth(month);
    return element("li", { class: "statement", testid: "statement", attrs: { "data-month": month } },
      element("div", { class: "payout-main" },
        element("span", { class: "statement-month" }, name, !final && element("span", { class: "muted fine", text: " · so far" })),
        element("span", { class: "muted fine number", text: `${formatNumber(earned)} earned · ${formatNumber(paid)} paid out · ${formatNumber(closing)} left` })),
      ...["pdf", "csv"].map((kind) => element("button", {
        class: "button statement-file", text: kind.toUpperCase(), testid: `statement-${kind}`,
        attrs: { type: "button", "aria-label": `Statement of ${name} as ${kind.toUpperCase()}` }, on: { click: (event) => this.#save(event, month, kind) },
      })));
  }

  /** @param {Event} event @param {string} month @param {string} kind */
  async #save(event, month, kind) {
    const button = /** @type {HTMLButtonElement} */ (event.currentTarget);
    button.disabled = true;
    try {
      saveBlob(`statement-${month}.${kind}`, await this.api.getFile(`/creator/statements/${month}.${kind}`));
    } catch (problem) {
      showToast(/** @type {Error} */ (problem).message, { kind: "problem" });
    } finally {
      button.disabled = false;
    }
  }
}
