/**
 * A field for a day of UTC, as the books are kept.
 */

import { element } from "../lib/element.js";

const DAY_MS = 86_400_000;

/**
 * @param {string} id @param {string} label @param {number} daysFromToday what stands in it first
 * @returns {{root: HTMLElement, value: () => string}} value: YYYY-MM-DD
 */
export function dayField(id, label, daysFromToday) {
  const value = new Date(Date.now() + daysFromToday * DAY_MS).toISOString().slice(0, 10);
  const input = element("input", { class: "input", attrs: { id, type: "date", required: true, value } });
  return { root: element("div", { class: "field" }, element("label", { text: label, attrs: { for: id } }), input), value: () => input.value };
}
