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
import { RegionField } from "./region_field.js";

/**
 * @typedef {import("./package_card.js").Choice} Choice
 * @typedef {{region_bound: boolean, methods: import("./method_choice.js").Method[], confirm_amount: number, pretend: boolean}} Terms
 */

export class ConfirmSheet {
  #key = newIdempotencyKey();

  /**
   * @param {object} parts
   * @param {import("../../lib/api.js").Api} parts.api
   * @param {Choice} parts.choice
   * @param {Terms} parts.terms
   * @param {(problem: ApiError) => void} parts.changed called when prices are not what they were
   */
  constructor({ api, choice, terms, changed }) {
    this.api = api;
    this.choice = choice;
    this.terms = terms;
    this.changed = changed;
    this.methods = new MethodChoice(terms.methods);
    this.region = terms.region_bound ? null : new RegionField();
    this.error = element("p", { class: "field-error", testid: "confirm-error", attrs: { role: "alert" } });
    const price = formatMoney(choice.price);
    this.pay = element("button", { class: "button button-primary", text: `Pay ${price}`, testid: "pay", attrs: { type: "submit" } });
    const form = element("form", { class: "confirm", attrs: { novalidate: true }, on: { submit: (event) => this.#submit(event) } },
      element("div", { class: "confirm-what" },
        element("span", { class: "confirm-coins number" }, icon("coin"),
          `${formatNumber(choice.coins)}${choice.bonus > 0 ? ` + ${formatNumber(choice.bonus)}` : ""} coins`),
        element("strong", { class: "number", text: price, testid: "confirm-price" })),
      (choice.bonus ?? 0) > 0 && element("p", { class: "confirm-bonus", testid: "confirm-bonus", text: `${formatNumber(choice.bonus ?? 0)} coins on top: ${choice.offer.deal?.promotions.join(", ")}` }),
      this.region?.node, this.methods.node,
      element("ul", { class: "confirm-terms fine muted" },
        terms.pretend && element("li", { text: "This server only pretends: no money is moved." }),
        element("li", { text: "Coins are for this account and cannot be moved to another one." }),
        element("li", { text: "Coins are not exchanged for money again." })),
      this.error, this.pay);
    this.sheet = new Sheet({ title: "Confirm your purchase", class: "confirm-sheet", testid: "confirm-sheet" }, form);
    this.sheet.addEventListener("close", () => this.sheet.dialog.remove());
  }

  open() {
    this.sheet.open(this.region?.value === "" ? this.region.select : undefined);
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
    const { offer, coins, price } = this.choice;
    /** @type {Record<string, unknown>} */
    const order = { package: offer.id, version: offer.version, method: this.methods.value };
    // A custom amount may come out cheaper than what is shown, never dearer.
    if (offer.coins_min === undefined) order.amount = price.amount;
    else order.coins = coins;
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
      this.changed(problem);
      return;
    }
    setText(this.error, problem.code === "rate_limited" ? problem.message : explain(problem.code, problem.message));
  }
}
