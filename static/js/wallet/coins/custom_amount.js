/**
 * A custom amount: so many coins, and the price that comes to, while one types.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatMoney, formatNumber } from "../../lib/format.js";

/** @typedef {import("./package_card.js").Offer} Offer */
/** @typedef {import("./package_card.js").Choice} Choice */

const DIGITS_MAX = 9;

export class CustomAmount {
  /**
   * @param {Offer} offer
   * @param {(choice: Choice) => void} choose
   */
  constructor(offer, choose) {
    this.offer = offer;
    this.choose = choose;
    this.least = offer.coins_min ?? 1;
    this.most = offer.coins_max ?? this.least;
    this.input = element("input", {
      class: "input number", testid: "custom-coins",
      attrs: { id: "custom-coins", inputmode: "numeric", autocomplete: "off", maxlength: DIGITS_MAX, placeholder: formatNumber(this.least), "aria-describedby": "custom-hint" },
      on: { input: () => this.#render() },
    });
    this.hint = element("p", { class: "custom-hint", attrs: { id: "custom-hint", "aria-live": "polite" } });
    this.button = element("button", { class: "button button-primary", testid: "custom-buy", attrs: { type: "submit" } });
    this.node = element("form", { class: "custom panel-card", testid: "custom", attrs: { novalidate: true }, on: { submit: (event) => this.#submit(event) } },
      element("label", { class: "custom-label", attrs: { for: "custom-coins" } }, icon("coin"), "Another amount"),
      element("div", { class: "custom-row" }, this.input, this.button), this.hint);
    this.#render();
  }

  /** @returns {number} coins, 0 for anything that is no number */
  get #coins() {
    const digits = this.input.value.replace(/[\s.,'’_]/gu, "");
    return /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
  }

  get #price() {
    const { price, coins } = this.offer;
    return { currency: price.currency, amount: Math.ceil((this.#coins * price.amount) / coins) };
  }

  get #fits() {
    return this.#coins >= this.least && this.#coins <= this.most;
  }

  #render() {
    setText(this.button, this.#fits ? `Continue · ${formatMoney(this.#price)}` : "Continue");
    setText(this.hint, `From ${formatNumber(this.least)} to ${formatNumber(this.most)} coins, ${formatMoney(this.offer.per_1000_coins)} per 1,000.`);
    if (this.#fits || this.input.value === "") this.#complain(false);
  }

  /** @param {boolean} wrong */
  #complain(wrong) {
    this.hint.classList.toggle("is-wrong", wrong);
    if (wrong) this.input.setAttribute("aria-invalid", "true");
    else this.input.removeAttribute("aria-invalid");
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    if (this.#fits) {
      this.choose({ offer: this.offer, coins: this.#coins, bonus: 0, price: this.#price });
      return;
    }
    this.#complain(true);
    this.input.focus();
  }
}
