/**
 * The places of a board: a list that grows by pages.
 */

import { avatar } from "../lib/avatar.js";
import { element, icon, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { lookBadge, paintLook } from "../lib/looks.js";

/** @typedef {{rank: number, user: import("../lib/room_state.js").User, coins?: number, diamonds?: number}} Place */

const PODIUM = 3;

/** @param {Place} place @returns {HTMLElement} */
export function placeRow({ rank, user, coins, diamonds }) {
  const look = lookBadge();
  paintLook(look, user);
  return element("li", { class: "board-row", testid: "board-row", attrs: { "data-rank": rank } },
    element("span", { class: "board-rank number" }, rank <= PODIUM && icon("crown"), String(rank)),
    avatar(user), element("span", { class: "board-who" }, userText(user.name, "truncate"), look),
    amount({ coins, diamonds }));
}

/** @param {{coins?: number, diamonds?: number}} amounts @returns {HTMLElement} */
export function amount({ coins, diamonds }) {
  const [what, value] = diamonds === undefined ? ["coin", coins ?? 0] : ["diamond", diamonds];
  return element("span", { class: "board-amount number" }, icon(what), formatNumber(value), element("span", { class: "visually-hidden", text: ` ${what}s` }));
}
