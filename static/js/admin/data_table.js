/**
 * A table that scrolls sideways in its own box where the window is narrow.
 */

import { element } from "../lib/element.js";

/** @param {string} caption @param {string[]} heads @param {string[][]} rows @returns {HTMLElement} */
export function dataTable(caption, heads, rows) {
  return element("div", { class: "table-box", attrs: { tabindex: 0, role: "region", "aria-label": caption } },
    element("table", { class: "data-table number" },
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { text, attrs: { scope: "col" } })))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((text) => element("td", { text })))))));
}
