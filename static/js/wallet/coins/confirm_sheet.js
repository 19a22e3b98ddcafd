/**
 * What is about to be bought, once more, before anything is paid: coins, price, method, and what holds for coins.
 */

import { ApiError, newIdempotencyKey } from "../../lib/api.js";
import { element, icon, setText } from "../../lib/element.js";
import { formatMoney, formatNumber } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { Sheet } from "../../lib/sheet.js";
import { StepUpSheet } from "../../lib/step_up.js";
import { MethodChoice } from "./method_choice.js";
import { dealWords, quoteOf } from "./quote.js";
import { RegionField } from "./region_field.js";

/**
 * @typedef {import("./package_card.js").Choice} Choice
 * @typedef {{region: string|null, region_bound: boolean, methods: import("./method_choice.js").Method[], confirm_amount: number, pretend: boolean}} Terms
 */

export class ConfirmSheet {
  #key = newIdempotencyKey();
  /** Answers about a region that was left come too late. */
  #turn = 0;

  /**
   * @param {object} parts
   * @param {import("../../lib/api.js").Api} parts.api
   * @param {Choice} parts.choice
   * @param {Terms} parts.terms
   * @param {(problem: ApiError, region: string|null) => void} parts.changed called when prices are not what they were
   *   shown to be; region: where the buyer lives, if that was asked
   */
  constructor({ api, choice, terms, changed }) {
    this.api = api;
    this.choice = choice;
    this.terms = terms;
    this.changed = changed;
    this.methods = new MethodChoice(terms.methods);
    this.region = terms.region_bound ? null : new RegionField(terms.region, () => this.#ask());
    this.error = element("p", { class: "field-error", testid: "confirm-error", attrs: { role: "alert" } });
    this.coins = element("span");
    this.price = element("strong", { class: "number", testid: "confirm-price" });
    this.bonus = element("p", { class: "confirm-bonus", testid: "confirm-bonus", attrs: { role: "status" } });
    this.pay = element("button", { class: "button button-primary", testid: "pay", attrs: { type: "submit" } });
    const form = element("form", { class: "confirm", attrs: { novalidate: true }, on: { submit: (event) => this.#submit(event) } },
      element("div", { class: "confirm-what" },
        element("span", { class: "confirm-coins number" }, icon("coin"), this.coins), this.price),
      this.bonus,
      this.region?.node, this.methods.node,
      element("ul", { class: "confirm-terms fine muted" },
        terms.pretend && element("li", { text: "This server only pretends: no money is moved." }),
        element("li", { text: "Coins are for this account and cannot be moved to another one." }),
        element("li", { text: "Coins are not exchanged for money again." })),
      this.error, this.pay);
    this.sheet = new Sheet({ title: "Confirm your purchase", class: "confirm-sheet", testid: "confirm-sheet" }, form);
    this.sheet.addEventListener("close", () => this.sheet.dialog.remove());
    this.#render();
  }

  open() {
    this.sheet.open(this.region?.value === "" ? this.region.select : undefined);
    const { coins_min: custom } = this.choice.offer;
    if (custom !== undefined || (this.region && this.region.value !== (this.terms.region ?? ""))) this.#ask();
  }

  /** Prices and promotions where the buyer lives, and for this amount; nothing can be paid before the answer. */
  async #ask() {
    const turn = ++this.#turn;
    this.pay.disabled = true;
    setText(this.error, "");
    try {
      const choice = await quoteOf(this.api, this.choice.offer, this.choice.coins, this.region?.value || null);
      if (turn !== this.#turn) return;
      this.choice = choice;
      this.#render();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      if (turn === this.#turn) this.#failed(problem);
    } finally {
      if (turn === this.#turn) this.pay.disabled = false;
    }
  }

  #render() {
    const { coins, bonus, price } = this.choice;
    setText(this.coins, `${formatNumber(coins)}${bonus > 0 ? ` + ${formatNumber(bonus)}` : ""} coins`);
    setText(this.price, formatMoney(price));
    setText(this.pay, `Pay ${formatMoney(price)}`);
    setText(this.bonus, dealWords(this.choice));
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    if (this.region?.value === "") {
      setText(this.error, "Please say where you live.");
      this.region.select.focus();
      return;
    }
    this.pay.disabled = true;
    setText(this.error, "");
    try {
      const url = await this.#begin();
      if (url !== null) location.assign(url);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      this.#failed(problem);
    } finally {
      this.pay.disabled = false;
    }
  }

  /** @returns {Promise<string|null>} where to pay; null when the buyer thought better of it */
  async #begin() {
    const { offer, version, coins, price, bonus } = this.choice;
    /** @type {Record<string, unknown>} */
    const order = { package: offer.id, version, amount: price.amount, bonus_coins: bonus, method: this.methods.value };
    if (offer.coins_min !== undefined) order.coins = coins;
    if (this.region) order.region = this.region.value;
    if (this.terms.confirm_amount > 0 && price.amount >= this.terms.confirm_amount) {
      const confirmation = await new StepUpSheet(this.api).confirmation(`You are about to buy ${formatNumber(coins)} coins for ${formatMoney(price)}.`);
      if (confirmation === null) return null;
      order.confirmation = confirmation;
      // Another confirmation is another request.
      this.#key = newIdempotencyKey();
    }
    const purchase = await this.api.post("/purchases", order, { idempotencyKey: this.#key });
    const { url } = await this.api.post(`/purchases/${purchase.id}/checkout`);
    return url;
  }

  /** @param {ApiError} problem */
  #failed(problem) {
    if (problem.code !== "unavailable") this.#key = newIdempotencyKey();
    if (problem.code === "conflict") {
      this.sheet.close();
      this.changed(problem, this.region?.value || null);
      return;
    }
    // What forbids a purchase the server says better: a parent's block, an age, too many of them.
    setText(this.error, problem.code === "unavailable" ? explain(problem.code) : problem.message);
  }
}
