/**
 * The ways to pay, one of which is chosen.
 */

import { element } from "../../lib/element.js";

/** @typedef {{id: string, name: string}} Method */

export class MethodChoice {
  /** @param {Method[]} methods */
  constructor(methods) {
    this.node = element("fieldset", { class: "methods" }, element("legend", { text: "Pay with" }),
      ...methods.map((method, place) => this.#row(method, place === 0)));
  }

  /** @returns {string} */
  get value() {
    return /** @type {HTMLInputElement|null} */ (this.node.querySelector("input:checked"))?.value ?? "";
  }

  /** @param {Method} method @param {boolean} chosen */
  #row({ id, name }, chosen) {
    return element("label", { class: "method", testid: `method-${id}` },
      element("input", { attrs: { type: "radio", name: "method", value: id, checked: chosen } }), element("span", { text: name }));
  }
}
