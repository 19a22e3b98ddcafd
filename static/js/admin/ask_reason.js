/**
 * Asks why, for the record, before something is done that somebody may ask about later.
 */

import { element, setText } from "../lib/element.js";
import { Sheet } from "../lib/sheet.js";

/**
 * @param {{title: string, label?: string, action: string, charsMax?: number}} question action: what the button says
 * @returns {Promise<string|null>} null when it was left
 */
export function askReason({ title, label = "Reason, for the record", action, charsMax = 300 }) {
  const input = element("input", { class: "input", testid: "reason", attrs: { id: "reason", maxlength: charsMax, autocomplete: "off", required: true, "aria-describedby": "reason-error" } });
  const error = element("p", { class: "field-error", attrs: { id: "reason-error", role: "alert" } });
  const form = element("form", { class: "admin-form", attrs: { novalidate: true } },
    element("div", { class: "field" }, element("label", { text: label, attrs: { for: "reason" } }), input, error),
    element("button", { class: "button button-primary", text: action, testid: "reason-submit", attrs: { type: "submit" } }));
  const sheet = new Sheet({ title, testid: "reason-sheet" }, form);
  return new Promise((resolve) => {
    /** @type {string|null} */
    let reason = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      reason = input.value.trim() || null;
      if (reason === null) setText(error, "Please give a reason.");
      else sheet.close();
    });
    sheet.addEventListener("close", () => {
      sheet.dialog.remove();
      resolve(reason);
    });
    sheet.open(input);
  });
}
