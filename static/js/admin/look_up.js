/**
 * Looks up any reference and shows where the thing is, whoever it belongs to.
 */

import { element } from "../lib/element.js";
import { traceCard } from "../wallet/trace_card.js";
import { card, userLink } from "./case_row.js";
import { attempt } from "./doing.js";

/** @param {import("../lib/api.js").Api} api @param {string} user whose things are looked through too, or "" */
export function lookUpCard(api, user) {
  const input = element("input", { class: "input", testid: "reference", attrs: { id: "reference", type: "search", maxlength: 255, autocomplete: "off" } });
  const submit = element("button", { class: "button button-primary", text: "Look up", attrs: { type: "submit" } });
  const found = element("div", { class: "paged", attrs: { "aria-live": "polite" } });
  const form = element("form", { class: "look-up" },
    element("label", { text: user ? `Gift, purchase, payment, request or credit of ${user}` : "Gift, purchase or payment", attrs: { for: "reference" } }),
    element("div", { class: "look-up-row" }, input, submit));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reference = input.value.trim();
    if (!reference) return;
    const answer = await attempt(submit, () => api.get(`/admin/trace/${encodeURIComponent(reference)}`, { user: user || null }));
    if (answer) found.replaceChildren(element("p", {}, "Of ", userLink(answer.user)), traceCard(answer.trace));
    else found.replaceChildren();
  });
  return card("Look up a reference", "look-up", form, found);
}
