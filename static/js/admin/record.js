/**
 * The tab "Record": what admins did, newest first; of one user, item or package where the address names it.
 */

import { element } from "../lib/element.js";
import { card, caseRow, inWords, moment } from "./case_row.js";
import { PagedList } from "./paged_list.js";

export const id = "record";
export const title = "Record";

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api, path }) {
  const list = new PagedList({ api, path: "/admin/record", field: "deeds", row: deedRow, query: { subject: path || null }, empty: "Nothing was done yet." });
  const input = element("input", { class: "input", attrs: { id: "subject", type: "search", maxlength: 255, autocomplete: "off", value: path } });
  const form = element("form", { class: "look-up" },
    element("label", { text: "Only about this user, item or package", attrs: { for: "subject" } }),
    element("div", { class: "look-up-row" }, input, element("button", { class: "button button-primary", text: "Show", attrs: { type: "submit" } })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = input.value.trim() ? `record/${encodeURIComponent(input.value.trim())}` : "record";
  });
  root.append(card("What admins did", "deeds", form, list.root));
  list.load();
}

/** @param {{admin: string, action: string, subject: string, detail: Record<string, unknown>, at: string}} deed */
function deedRow({ admin, action, subject, detail, at }) {
  return caseRow({
    title: element("span", {}, `${action.replaceAll("_", " ")}: `, element("bdi", { text: subject })), testid: "deed",
    about: [element("bdi", { text: inWords(detail) }), `by ${admin}`, moment(at)],
  });
}
