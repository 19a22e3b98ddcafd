/**
 * Asks before a room is ended, since an ended room does not come back.
 */

import { element } from "../lib/element.js";
import { Sheet } from "../lib/sheet.js";

/** @typedef {import("../lib/api.js").ApiError} ApiError */

export class EndDialog {
  /** @param {() => Promise<void>} end ends the room; what it throws is shown */
  constructor(end) {
    this.end = end;
    this.error = element("p", { class: "field-error", testid: "studio-end-error", attrs: { role: "alert" } });
    this.keep = element("button", {
      class: "button", text: "Stay live", testid: "studio-end-cancel", attrs: { type: "button" }, on: { click: () => this.sheet.close() },
    });
    this.confirm = element("button", {
      class: "button button-danger", text: "End room", testid: "studio-end-confirm", attrs: { type: "button" }, on: { click: () => this.#confirmed() },
    });
    this.sheet = new Sheet({ title: "End this room?", class: "end-sheet", testid: "studio-end-dialog" },
      element("p", { class: "muted", text: "Everyone leaves, and the room does not come back. What it earned stays yours." }),
      this.error,
      element("div", { class: "end-buttons" }, this.keep, this.confirm));
  }

  open() {
    this.error.textContent = "";
    this.sheet.open(this.keep);
  }

  close() {
    this.sheet.close();
  }

  async #confirmed() {
    this.confirm.disabled = true;
    this.error.textContent = "";
    try {
      await this.end();
      this.sheet.close();
    } catch (problem) {
      this.error.textContent = /** @type {ApiError} */ (problem).message;
    } finally {
      this.confirm.disabled = false;
    }
  }
}
