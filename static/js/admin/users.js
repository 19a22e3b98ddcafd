/**
 * The tab "Users": find one, and open one; the address names who is open.
 */

import { element, setText } from "../lib/element.js";
import { card, caseRow, moment, userLink } from "./case_row.js";
import { attempt, deed } from "./doing.js";
import { lookUpCard } from "./look_up.js";
import { userCard } from "./user_card.js";

export const id = "users";
export const title = "Users";

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api, path }) {
  root.append(searchCard(api));
  if (path) root.append(userCard(api, path));
  root.append(lookUpCard(api, path));
}

/** @param {import("../lib/api.js").Api} api */
function searchCard(api) {
  const input = element("input", { class: "input", testid: "user-search", attrs: { id: "user-search", type: "search", maxlength: 64, autocomplete: "off", dir: "auto" } });
  const submit = element("button", { class: "button button-primary", text: "Find", attrs: { type: "submit" } });
  const list = element("ul", { class: "cases", testid: "found-users" });
  const status = element("p", { class: "muted", attrs: { role: "status" } });
  const form = element("form", { class: "look-up" },
    element("label", { text: "An id, or the beginning of a name", attrs: { for: "user-search" } }),
    element("div", { class: "look-up-row" }, input, submit));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const name = input.value.trim();
    if (!name) return;
    const answer = await attempt(submit, () => api.get("/admin/users", { name }));
    if (!answer) return;
    list.replaceChildren(...answer.users.map(foundRow));
    setText(status, answer.users.length === 0 ? "Nobody has this id or name." : "");
  });
  return card("Find a user", "find-user", form, list, status);
}

/** @param {{user: {id: string, name: string}, frozen: boolean, banned: boolean, created_at: string}} found */
function foundRow({ user, frozen, banned, created_at }) {
  return caseRow({
    title: userLink(user.id, user.name || user.id), testid: "found-user",
    about: [user.id, element("span", {}, "since ", moment(created_at)), frozen && "frozen", banned && "banned"],
    deeds: [deed("Open", () => { location.hash = `users/${encodeURIComponent(user.id)}`; }, { label: `Open ${user.name || user.id}` })],
  });
}
