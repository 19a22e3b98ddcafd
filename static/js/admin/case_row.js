/**
 * One line of a list: what it is, some facts about it, and what can be done.
 */

import { element } from "../lib/element.js";
import { formatMoment, toMicroseconds } from "../lib/format.js";

/**
 * @param {{title: Node|string, about?: Array<Node|string|null|false>, deeds?: Array<Node|null>, testid?: string}} row
 * @returns {HTMLLIElement}
 */
export function caseRow({ title, about = [], deeds = [], testid }) {
  return element("li", { class: "case", testid },
    element("div", { class: "case-words" },
      element("p", { class: "case-title" }, title),
      element("p", { class: "case-about muted" }, ...about.filter(Boolean).map((fact) => element("span", {}, fact)))),
    deeds.length > 0 && element("div", { class: "case-deeds" }, ...deeds));
}

/** @param {string} userId @param {string} [text] */
export function userLink(userId, text = userId) {
  return element("a", { class: "user-link", attrs: { href: `#users/${encodeURIComponent(userId)}` } }, element("bdi", { text }));
}

/** @param {string} at RFC 3339 */
export function moment(at) {
  return element("time", { text: formatMoment(toMicroseconds(at)), attrs: { datetime: at } });
}

/** @param {number} coins @returns {string} with its sign, as changes are written */
export function signed(coins) {
  return new Intl.NumberFormat(navigator.languages, { signDisplay: "exceptZero" }).format(coins);
}

/** @param {Record<string, unknown>} detail @returns {string} as `name: value`, one after the other */
export function inWords(detail) {
  return Object.entries(detail).map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");
}

/** @param {Array<[string, Node|string]>} facts */
export function factList(facts) {
  return element("dl", { class: "facts" }, ...facts.map(([name, value]) =>
    element("div", {}, element("dt", { class: "muted", text: name }), element("dd", { class: "number" }, value))));
}

/** @param {string} title @param {string} id @param {...(Node|false|null)} parts @returns {HTMLElement} a card with a heading */
export function card(title, id, ...parts) {
  return element("section", { class: "panel-card admin-card", testid: id, attrs: { "aria-labelledby": `${id}-title` } },
    element("h2", { text: title, attrs: { id: `${id}-title` } }), ...parts);
}
