/**
 * The authenticator app that cash-outs are confirmed with: set up here, and taken away.
 */

import { element, icon, setText } from "../../lib/element.js";
import { showToast } from "../../lib/toasts.js";

export class SecurityPanel {
  /** @param {import("../../lib/step_up.js").StepUpSheet} stepUp */
  constructor(stepUp) {
    this.stepUp = stepUp;
    this.state = element("p", { class: "muted", testid: "step-up-state" });
    this.button = element("button", { class: "button", testid: "step-up-change", attrs: { type: "button" }, on: { click: () => this.#change() } });
    this.node = element("section", { class: "card security", attrs: { "aria-labelledby": "security-title" } },
      element("header", { class: "card-head" }, element("h2", { text: "Confirmation", attrs: { id: "security-title" } })),
      element("div", { class: "security-row" }, icon("check"), this.state, this.button));
    this.render(false);
  }

  /** @param {boolean} enrolled */
  render(enrolled) {
    this.node.dataset.enrolled = String(enrolled);
    setText(this.state, enrolled ? "Cash-outs are confirmed with your authenticator app." : "Set up an authenticator app: each cash-out is confirmed with a code of it.");
    setText(this.button, enrolled ? "Take it away" : "Set it up");
  }

  async #change() {
    this.button.disabled = true;
    try {
      this.render(await this.stepUp.change());
    } catch (problem) {
      showToast(/** @type {Error} */ (problem).message, { kind: "problem" });
    } finally {
      this.button.disabled = false;
    }
  }
}
