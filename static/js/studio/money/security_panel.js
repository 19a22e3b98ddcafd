/**
 * The authenticator app that cash-outs are confirmed with: set up here, taken away, and its recovery codes made anew.
 */

import { element, icon, setText } from "../../lib/element.js";
import { showToast } from "../../lib/toasts.js";

export class SecurityPanel {
  /** @param {import("../../lib/step_up.js").StepUpSheet} stepUp */
  constructor(stepUp) {
    this.state = element("p", { class: "muted", testid: "step-up-state" });
    this.button = element("button", { class: "button", testid: "step-up-change", attrs: { type: "button" }, on: { click: () => this.#ask(this.button, async () => this.render(await stepUp.change())) } });
    this.renew = element("button", { class: "button", text: "New recovery codes", testid: "step-up-renew", attrs: { type: "button" }, on: { click: () => this.#ask(this.renew, () => stepUp.renew()) } });
    this.node = element("section", { class: "card security", attrs: { "aria-labelledby": "security-title" } },
      element("header", { class: "card-head" }, element("h2", { text: "Confirmation", attrs: { id: "security-title" } })),
      element("div", { class: "security-row" }, icon("check"), this.state, this.renew, this.button));
    this.render(false);
  }

  /** @param {boolean} enrolled */
  render(enrolled) {
    this.node.dataset.enrolled = String(enrolled);
    setText(this.state, enrolled ? "Cash-outs are confirmed with your authenticator app." : "Set up an authenticator app: each cash-out is confirmed with a code of it.");
    this.renew.hidden = !enrolled;
    setText(this.button, enrolled ? "Take it away" : "Set it up");
  }

  /** @param {HTMLButtonElement} button @param {() => Promise<void>} work */
  async #ask(button, work) {
    button.disabled = true;
    try {
      await work();
    } catch (problem) {
      showToast(/** @type {Error} */ (problem).message, { kind: "problem" });
    } finally {
      button.disabled = false;
    }
  }
}
