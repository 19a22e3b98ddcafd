/**
 * One user: what they have, what was done about them, and what can be done.
 */

import { element, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { showToast } from "../lib/toasts.js";
import { askReason } from "./ask_reason.js";
import { card, factList, moment } from "./case_row.js";
import { correctionForm } from "./correction_form.js";
import { attempt, deed } from "./doing.js";

/**
 * @typedef {{user: {id: string, name: string}, frozen: boolean, banned: string|null, region: string|null, created_at: string,
 *   coins: number, pending: number, settled: number, purchased: number, promotional: number, spent: number,
 *   diamonds: {available: number, held: number, paid: number}, rooms: number, purchases: number}} Details
 */

/** @param {import("../lib/api.js").Api} api @param {string} userId @returns {HTMLElement} */
export function userCard(api, userId) {
  const body = element("div", { class: "user-body" });
  const at = `/admin/users/${encodeURIComponent(userId)}`;
  /** @param {Details} details */
  const render = (details) => body.replaceChildren(...parts(details, act));
  /** @param {string} path @param {string} action @param {HTMLButtonElement} button */
  const act = async (path, action, button) => {
    const reason = await askReason({ title: `${action}?`, action });
    if (reason === null) return;
    const details = await attempt(button, () => api.post(`${at}/${path}`, { reason }));
    if (!details) return;
    render(details);
    /** @type {HTMLElement|null} */ (body.querySelector(".case-deeds button"))?.focus();
    showToast("Done, and written into the record.");
  };
  attempt(null, () => api.get(at)).then((details) => {
    if (details) render(details);
    else body.replaceChildren(element("p", { class: "muted", text: "There is no such user." }));
  });
  return card("User", "user", body, correctionForm(api, userId));
}

/** @param {Details} details @param {(path: string, action: string, button: HTMLButtonElement) => void} act */
function parts({ user, frozen, banned, region, created_at, ...sums }, act) {
  return [
    element("p", { class: "user-name" }, userText(user.name || user.id), element("span", { class: "muted", text: user.id }),
      element("span", { class: frozen || banned ? "mark mark-stopped" : "mark", testid: "user-state", text: stateOf(frozen, banned) })),
    factList([
      ["Coins now", element("span", { testid: "user-coins", text: formatNumber(sums.coins) })],
      ["Not settled yet", formatNumber(sums.pending)],
      ["In the ledger", formatNumber(sums.settled)],
      ["Ever bought", formatNumber(sums.purchased)],
      ["Ever given free", formatNumber(sums.promotional)],
      ["Ever spent", formatNumber(sums.spent)],
      ["Diamonds", formatNumber(sums.diamonds.available)],
      ["Diamonds held", formatNumber(sums.diamonds.held)],
      ["Diamonds paid", formatNumber(sums.diamonds.paid)],
      ["Rooms", formatNumber(sums.rooms)],
      ["Purchases", formatNumber(sums.purchases)],
      ["Region", region ?? "–"],
      ["Since", moment(created_at)],
    ]),
    element("div", { class: "case-deeds" },
      frozen
        ? deed("Unfreeze wallet", (button) => act("unfreeze", "Unfreeze wallet", button), { testid: "unfreeze" })
        : deed("Freeze wallet", (button) => act("freeze", "Freeze wallet", button), { testid: "freeze" }),
      banned
        ? deed("Unban", (button) => act("unban", "Unban", button), { testid: "unban" })
        : deed("Ban", (button) => act("ban", "Ban", button), { testid: "ban", kind: "button-danger" }),
      element("a", { class: "button deed", text: "What was done", attrs: { href: `#record/${encodeURIComponent(user.id)}` } })),
  ];
}

/** @param {boolean} frozen @param {string|null} banned */
function stateOf(frozen, banned) {
  if (banned) return `Banned: ${banned}`;
  return frozen ? "Wallet frozen" : "In good standing";
}
