/**
 * The creator's cash-outs, newest first, each with its state and when the money is expected.
 */

import { element, setText } from "../../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { formatDay, formatFiat, stateName } from "./words.js";

/** @typedef {import("../../lib/api.js").ApiError} ApiError */
/**
 * @typedef {object} Payout
 * @property {string} id
 * @property {string} state
 * @property {number} diamonds
 * @property {import("./words.js").Fiat} money
 * @property {import("./method_picker.js").Method} method
 * @property {string} requested_at
 * @property {string} changed_at
 * @property {string} expected_from
 * @property {string} expected_to
 * @property {string|null} reason
 */

const PAGE = 10;
/** Rows kept on screen; older ones are in the statements. */
const ROWS_MAX = 100;
const UNDER_WAY = new Set(["requested", "held", "review", "sent"]);

export class PayoutList {
  #wanted = PAGE;

  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.list = element("ul", { class: "payouts", testid: "payouts" });
    this.status = element("p", { class: "empty", attrs: { role: "status" } });
    this.more = element("button", { class: "button button-quiet", text: "Show older ones", attrs: { type: "button", hidden: true }, on: { click: () => this.#older() } });
    this.node = element("section", { class: "card", attrs: { "aria-labelledby": "payouts-title" } },
      element("header", { class: "card-head" }, element("h2", { text: "Cash-outs", attrs: { id: "payouts-title" } })),
      this.list, this.status, this.more);
  }

  async load() {
    try {
      const { payouts, next } = await this.api.get("/creator/payouts", { limit: this.#wanted });
      this.#render(payouts);
      this.more.hidden = next === null || this.#wanted >= ROWS_MAX;
      setText(this.status, payouts.length === 0 ? "Nothing was cashed out yet." : "");
    } catch (problem) {
      const { code, message } = /** @type {ApiError} */ (problem);
      setText(this.status, explain(code, message));
    }
  }

  #older() {
    this.#wanted = Math.min(this.#wanted + PAGE, ROWS_MAX);
    this.load();
  }

  /** @param {Payout[]} payouts */
  #render(payouts) {
    const rows = payouts.map((payout) => {
      const key = `${payout.id} ${payout.state}`;
      const shown = [...this.list.children].find((row) => /** @type {HTMLElement} */ (row).dataset.key === key);
      return shown ?? row(payout, key);
    });
    if (rows.some((each, place) => this.list.children[place] !== each) || this.list.children.length !== rows.length) {
      this.list.replaceChildren(...rows);
    }
  }
}

/** @param {Payout} payout @param {string} key */
function row(payout, key) {
  return element("li", { class: "payout", testid: "payout", attrs: { "data-key": key, "data-state": payout.state, "data-payout": payout.id } },
    element("div", { class: "payout-main" },
      element("span", { class: "payout-sum number", text: formatFiat(payout.money) }),
      element("span", { class: "muted fine", text: `${formatNumber(payout.diamonds)} diamonds to ${payout.method.destination} · ${formatMoment(toMicroseconds(payout.requested_at))}` }),
      element("span", { class: "fine", text: tellWhen(payout) })),
    element("span", { class: `payout-state is-${payout.state}`, testid: "payout-state", text: stateName(payout.state) }));
}

/** @param {Payout} payout */
function tellWhen(payout) {
  if (UNDER_WAY.has(payout.state)) return `Expected ${formatDay(payout.expected_from)} – ${formatDay(payout.expected_to)}`;
  const when = formatMoment(toMicroseconds(payout.changed_at));
  if (payout.state === "paid") return `Paid ${when}`;
  return payout.reason ?? `Changed ${when}`;
}
