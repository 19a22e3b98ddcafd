/**
 * A custom amount: so many coins, and while one types the price that comes to and what promotions make of it.
 */

import { ApiError } from "../../lib/api.js";

import { element, icon, setText } from "../../lib/element.js";
import { formatMoney, formatNumber } from "../../lib/format.js";
import { Timers } from "../../lib/timers.js";
import { dealWords, quoteOf } from "./quote.js";

/** @typedef {import("./package_card.js").Offer} Offer */
/** @typedef {import("./package_card.js").Choice} Choice */

const DIGITS_MAX = 9;
/** How long nobody types before promotions are asked about. */
const REST_MS = 250;

export class CustomAmount {
  #timers = new Timers();
  /** What the server says of the amount that is written now. @type {Choice|null} */
  #quoted = null;

  /**
   * @param {object} parts
   * @param {import("../../lib/api.js").Api} parts.api
   * @param {Offer} parts.offer
   * @param {string|null} parts.region of an account that is not bound to one
   * @param {(choice: Choice) => void} parts.choose
   */
  constructor({ api, offer, region, choose }) {
    this.api = api;
    this.region = region;
    this.offer = offer;
    this.choose = choose;
    this.least = offer.coins_min ?? 1;
    this.most = offer.coins_max ?? this.least;
    this.input = element("input", {
      class: "input number", testid: "custom-coins",
      attrs: { id: "custom-coins", inputmode: "numeric", autocomplete: "off", maxlength: DIGITS_MAX, placeholder: formatNumber(this.least), "aria-describedby": "custom-hint" },
      on: { input: () => this.#written() },
    });
    this.hint = element("p", { class: "custom-hint", attrs: { id: "custom-hint", "aria-live": "polite" } });
    this.deal = element("p", { class: "custom-deal", testid: "custom-deal", attrs: { role: "status" } });
    this.button = element("button", { class: "button button-primary", testid: "custom-buy", attrs: { type: "submit" } });
    this.node = element("form", { class: "custom panel-card", testid: "custom", attrs: { novalidate: true }, on: { submit: (event) => this.#submit(event) } },
      element("label", { class: "custom-label", attrs: { for: "custom-coins" } }, icon("coin"), "Another amount"),
      element("div", { class: "custom-row" }, this.input, this.button), this.deal, this.hint);
    this.#render();
  }

  /** @returns {number} coins, 0 for anything that is no number */
  get #coins() {
    const digits = this.input.value.replace(/[\s.,'’_]/gu, "");
    return /^\d{1,9}$/.test(digits) ? Number(digits) : 0;
  }

  /** Without promotions. @returns {Choice} */
  get #plain() {
    const { offer, offer: { price, coins, version } } = this;
    const full = { currency: price.currency, amount: Math.ceil((this.#coins * price.amount) / coins) };
    return { offer, version, coins: this.#coins, bonus: 0, price: full, full, promotions: [] };
  }

  get #fits() {
    return this.#coins >= this.least && this.#coins <= this.most;
  }

  #written() {
    this.#quoted = null;
    this.#timers.clearAll();
    if (this.#fits) this.#timers.after("quote", REST_MS, () => this.#ask());
    this.#render();
  }

  async #ask() {
    const coins = this.#coins;
    try {
      const quoted = await quoteOf(this.api, this.offer, coins, this.region);
      if (coins === this.#coins) this.#quoted = quoted;
    } catch (problem) {
      // The confirmation asks again, and says what is wrong then.
      if (!(problem instanceof ApiError)) throw problem;
    }
    this.#render();
  }

  #render() {
    const choice = this.#quoted ?? this.#plain;
    setText(this.button, this.#fits ? `Continue · ${formatMoney(choice.price)}` : "Continue");
    setText(this.deal, dealWords(choice));
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
      this.choose(this.#quoted ?? this.#plain);
      return;
    }
    this.#complain(true);
    this.input.focus();
  }
}
