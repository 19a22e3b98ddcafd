/**
 * From which day to which, by the viewer's own calendar; either end may be left open.
 */

import { element } from "../lib/element.js";

export class DayRange {
  /** @param {() => void} changed called for each other range that can be asked for */
  constructor(changed) {
    this.changed = changed;
    this.from = this.#field("days-from", "First day");
    this.to = this.#field("days-to", "Last day");
    this.clear = element("button", { class: "button button-quiet", text: "All days", testid: "days-clear", attrs: { type: "button", hidden: true }, on: { click: () => this.#clear() } });
    this.root = element("div", { class: "days", attrs: { role: "group", "aria-label": "Days" } },
      ...[this.from, this.to].map((input) => element("div", { class: "field" },
        element("label", { text: input.dataset.label, attrs: { for: input.id } }), input)), this.clear);
  }

  get isSet() {
    return this.from.value !== "" || this.to.value !== "";
  }

  /** @returns {{from: string|null, to: string|null}} moments as the server wants them: `to` is the end of the last day */
  get query() {
    return { from: beginningOf(this.from.value, 0), to: beginningOf(this.to.value, 1) };
  }

  /** @param {string} id @param {string} label @returns {HTMLInputElement} */
  #field(id, label) {
    return /** @type {HTMLInputElement} */ (element("input", {
      class: "input", testid: id, attrs: { id, type: "date", min: "2000-01-01", max: "9998-12-31", "data-label": label }, on: { change: () => this.#choose() },
    }));
  }

  #choose() {
    this.clear.hidden = !this.isSet;
    // Neither end can pass the other.
    this.to.min = this.from.value || "2000-01-01";
    this.from.max = this.to.value || "9998-12-31";
    if (this.from.reportValidity() && this.to.reportValidity()) this.changed();
  }

  #clear() {
    this.from.value = this.to.value = "";
    this.#choose();
    this.from.focus();
  }
}

/** @param {string} day YYYY-MM-DD or "" @param {number} later days @returns {string|null} */
function beginningOf(day, later) {
  if (!day) return null;
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}
