/**
 * A parent's block on purchases: put on with a PIN, and lifted by who knows it.
 */

import { ApiError } from "../../lib/api.js";
import { element, setText } from "../../lib/element.js";

export class PurchaseBlock {
  #blocked = false;

  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.state = element("p", { class: "muted", testid: "purchase-block", attrs: { role: "status" } });
    this.pin = element("input", { class: "input", testid: "pin", attrs: { id: "pin", type: "password", inputmode: "numeric", minlength: 4, maxlength: 12, pattern: "[0-9]{4,12}", autocomplete: "off" } });
    this.button = element("button", { class: "button", testid: "purchase-block-submit", attrs: { type: "submit" } });
    this.said = element("p", { class: "field-error", attrs: { role: "alert" } });
    this.node = element("section", { class: "panel-card", attrs: { "aria-labelledby": "purchase-block-title" } },
      element("h2", { text: "Purchases", attrs: { id: "purchase-block-title" } }), this.state,
      element("form", { class: "limits-form", attrs: { novalidate: true }, on: { submit: (event) => this.#submit(event) } },
        element("div", { class: "field" }, element("label", { text: "PIN (4 to 12 digits)", attrs: { for: "pin" } }), this.pin),
        this.button, this.said));
    this.show(false);
  }

  /** @param {boolean} blocked */
  show(blocked) {
    this.#blocked = blocked;
    setText(this.state, blocked
      ? "Nobody can buy coins with this account until the PIN is entered."
      : "Block purchases on a child's account with a PIN that only you know.");
    setText(this.button, blocked ? "Allow purchases" : "Block purchases");
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const pin = this.pin.value;
    this.pin.value = "";
    setText(this.said, "");
    try {
      const profile = await this.api.post(this.#blocked ? "/account/purchase-block/lift" : "/account/purchase-block", { pin });
      this.show(profile.purchases_blocked);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.said, error.code === "bad_request" ? "A PIN has 4 to 12 digits." : error.message);
      this.pin.focus();
    }
  }
}
