/**
 * Budgets by the day, week and month, with what is spent of them; and pauses.
 */

import { ApiError } from "../../lib/api.js";
import { element, setText } from "../../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";

const NAMES = /** @type {const} */ ({ day: "Each day", week: "Each week", month: "Each month" });
const PAUSES = /** @type {const} */ ([[1, "A day"], [7, "A week"], [30, "A month"], [180, "Half a year"]]);

/**
 * @typedef {{period: "day"|"week"|"month", coins: number|null, spent: number, ends_at: string|null,
 *   raised: {coins: number|null, effective_at: string}|null}} Budget
 */

export class Budgets {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.rows = element("div", { class: "budgets", testid: "budgets" });
    this.paused = element("p", { class: "muted", testid: "paused", attrs: { role: "status" } });
    this.said = element("p", { class: "field-error", attrs: { role: "alert" } });
    const days = element("select", { class: "input", testid: "pause-days", attrs: { id: "pause-days" } },
      ...PAUSES.map(([value, text]) => element("option", { text, attrs: { value } })));
    const form = element("form", { class: "limits-form", on: { submit: (event) => {
      event.preventDefault();
      this.#ask(this.api.post("/account/pause", { days: Number(days.value) }));
    } } },
    element("div", { class: "field" }, element("label", { text: "Take a break for", attrs: { for: "pause-days" } }), days),
    element("button", { class: "button button-danger", text: "Pause all spending", testid: "pause", attrs: { type: "submit" } }));
    this.node = element("section", { class: "panel-card", attrs: { "aria-labelledby": "budgets-title" } },
      element("h2", { text: "Budgets", attrs: { id: "budgets-title" } }),
      element("p", { class: "muted", text: "A lower budget counts at once, a higher one after 24 hours. Days begin at midnight UTC. A break cannot be shortened." }),
      this.rows, this.said, this.paused, form);
    this.#ask(api.get("/account/limits"));
  }

  /** @param {Promise<{budgets: Budget[], paused_until: string|null}>} asked */
  async #ask(asked) {
    setText(this.said, "");
    try {
      const { budgets, paused_until } = await asked;
      this.rows.replaceChildren(...budgets.map((budget) => this.#row(budget)));
      setText(this.paused, paused_until ? `You have paused spending until ${formatMoment(toMicroseconds(paused_until))}.` : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.said, explain(error.code, error.message));
    }
  }

  /** @param {Budget} budget */
  #row(budget) {
    const id = `budget-${budget.period}`;
    const input = element("input", { class: "input number", testid: id, attrs: { id, type: "number", min: 0, step: 1, inputmode: "numeric", placeholder: "No budget", value: budget.coins } });
    const waiting = budget.raised && element("p", { class: "muted", text:
      `${budget.raised.coins === null ? "No budget" : formatNumber(budget.raised.coins)} from ${formatMoment(toMicroseconds(budget.raised.effective_at))} on.` });
    return element("form", { class: "budget", attrs: { novalidate: true }, on: { submit: (event) => {
      event.preventDefault();
      this.#ask(this.api.put(`/account/limits/${budget.period}`, { coins: input.value === "" ? null : Number(input.value) }));
    } } },
    element("label", { text: NAMES[budget.period], attrs: { for: id } }),
    element("div", { class: "look-up-row" }, input, element("button", { class: "button", text: "Set", testid: `${id}-set`, attrs: { type: "submit" } })),
    budget.coins !== null && element("p", { class: "budget-spent number" }, `${formatNumber(budget.spent)} of ${formatNumber(budget.coins)} coins spent`,
      element("meter", { attrs: { min: 0, max: Math.max(1, budget.coins), high: budget.coins * 0.8, value: Math.min(budget.spent, budget.coins), "aria-hidden": "true" } })),
    waiting);
  }
}
