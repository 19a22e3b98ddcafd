/**
 * Cashing out: how many diamonds, to which account, confirmed with a code; and when the money will be there.
 */

import { newIdempotencyKey } from "../../lib/api.js";
import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { Sheet } from "../../lib/sheet.js";
import { MethodPicker } from "./method_picker.js";
import { formatDay, formatFiat, worth } from "./words.js";

/** @typedef {import("../../lib/api.js").ApiError} ApiError */
/** @typedef {import("./balance_panel.js").CashOutTerms} CashOutTerms */

/** Fires "requested" once a cash-out was taken. */
export class CashOutDialog extends EventTarget {
  /** @type {CashOutTerms|null} */
  #terms = null;
  /** The request that may have been taken without an answer; sent again as it was. @type {{key: string, body: object}|null} */
  #unanswered = null;

  /** @param {import("../../lib/api.js").Api} api @param {import("../../lib/step_up.js").StepUpSheet} stepUp */
  constructor(api, stepUp) {
    super();
    this.api = api;
    this.stepUp = stepUp;
    this.diamonds = element("input", {
      class: "input number", testid: "cash-out-diamonds",
      attrs: { id: "cash-out-diamonds", type: "number", inputmode: "numeric", min: 1, step: 1, required: true, "aria-describedby": "cash-out-worth" },
      on: { input: () => this.#changed() },
    });
    this.all = element("button", { class: "button", text: "All", testid: "cash-out-all", attrs: { type: "button" }, on: { click: () => this.#fill() } });
    this.worth = element("p", { class: "cash-out-worth", testid: "cash-out-worth", attrs: { id: "cash-out-worth", role: "status" } });
    this.picker = new MethodPicker(api);
    this.picker.addEventListener("change", () => this.#changed());
    this.error = element("p", { class: "field-error", testid: "cash-out-error", attrs: { role: "alert" } });
    this.submit = element("button", { class: "button button-primary", text: "Confirm with a code", testid: "cash-out-submit", attrs: { type: "submit" } });
    this.form = element("form", { class: "cash-out-form", attrs: { novalidate: true } },
      element("div", { class: "field" },
        element("label", { text: "Diamonds", attrs: { for: "cash-out-diamonds" } }),
        element("div", { class: "cash-out-row" }, this.diamonds, this.all), this.worth),
      this.picker.node, this.error, this.submit);
    this.form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.done = element("div", { class: "cash-out-done", testid: "cash-out-done", attrs: { hidden: true } });
    this.sheet = new Sheet({ title: "Cash out", class: "cash-out-sheet", testid: "cash-out-sheet" }, this.form, this.done);
  }

  /** @param {CashOutTerms} terms */
  open(terms) {
    this.#terms = terms;
    this.form.hidden = false;
    this.done.hidden = true;
    this.error.textContent = "";
    this.picker.render(terms.methods);
    this.#fill();
    this.sheet.open(this.diamonds);
  }

  /** The most that can go today. */
  #fill() {
    const { diamonds, rate, left_today: left } = /** @type {CashOutTerms} */ (this.#terms);
    const [numerator, denominator] = rate.split("/").map(Number);
    const most = Math.min(diamonds.payable, Math.floor((left.amount * denominator) / numerator));
    this.diamonds.value = String(worth(most, rate).taken);
    this.#changed();
  }

  #changed() {
    const terms = this.#terms;
    if (!terms) return;
    const wanted = Math.floor(Number(this.diamonds.value));
    const valid = Number.isSafeInteger(wanted) && wanted > 0;
    const { amount, taken } = worth(valid ? wanted : 0, terms.rate);
    const money = formatFiat({ amount, currency: terms.minimum.currency });
    setText(this.worth, `${money} for ${formatNumber(taken)} diamonds`);
    this.submit.disabled = !valid || amount === 0 || this.picker.chosen === undefined;
  }

  /** @param {SubmitEvent} event */
  async #onSubmit(event) {
    event.preventDefault();
    const terms = /** @type {CashOutTerms} */ (this.#terms);
    const method = this.picker.chosen;
    if (!method || this.submit.disabled) return;
    this.submit.disabled = true;
    this.error.textContent = "";
    try {
      const { amount, taken } = worth(Math.floor(Number(this.diamonds.value)), terms.rate);
      const money = formatFiat({ amount, currency: terms.minimum.currency });
      if (!this.#unanswered) {
        const confirmation = await this.stepUp.confirmation(`You confirm: ${money} to ${method.destination}, ${method.holder}.`);
        if (confirmation === null) return;
        this.#unanswered = { key: newIdempotencyKey(), body: { method: method.id, diamonds: taken, confirmation } };
      }
      const { key, body } = this.#unanswered;
      const { payout } = await this.api.post("/creator/payouts", body, { idempotencyKey: key });
      this.#unanswered = null;
      this.#succeeded(payout);
    } catch (problem) {
      this.#failed(/** @type {ApiError} */ (problem));
    } finally {
      this.#changed();
    }
  }

  /** @param {ApiError} problem */
  #failed({ status, code, message }) {
    const unknown = status === 0 || status >= 500;
    if (!unknown) this.#unanswered = null;
    this.error.textContent = unknown ? `${explain(code, message)} Press the button again: it is paid once at most.` : message;
  }

  /** @param {import("./payout_list.js").Payout} payout */
  #succeeded(payout) {
    const close = element("button", { class: "button button-primary", text: "Done", testid: "cash-out-close", attrs: { type: "button" }, on: { click: () => this.sheet.close() } });
    this.done.replaceChildren(
      element("p", { class: "cash-out-check" }, icon("check")),
      element("p", { class: "cash-out-sum number", text: formatFiat(payout.money) }),
      element("p", { text: `to ${payout.method.destination}` }),
      element("p", { class: "muted", text: `Expected between ${formatDay(payout.expected_from)} and ${formatDay(payout.expected_to)}.` }),
      close);
    this.form.hidden = true;
    this.done.hidden = false;
    close.focus();
    this.dispatchEvent(new Event("requested"));
  }
}
