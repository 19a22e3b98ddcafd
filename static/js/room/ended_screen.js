/**
 * What is left when a room has ended: its totals, who gave most, and the way back.
 */

import { avatar } from "../lib/avatar.js";
import { element, icon, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";

/** @typedef {import("../lib/room_state.js").RoomState} RoomState */

const SHOWN_GIFTERS = 3;

/**
 * @param {RoomState} state
 * @returns {HTMLElement}
 */
export function endedScreen(state) {
  const back = element("a", { class: "button button-primary", text: "Back to the lobby", testid: "back-to-lobby", attrs: { href: "/" } });
  return element("section", { class: "ended", testid: "room-ended", attrs: { "aria-labelledby": "ended-title" } },
    element("div", { class: "ended-card" },
      avatar(state.creator, "ended-face"),
      element("h2", { text: "The live has ended", attrs: { id: "ended-title" } }),
      element("p", { class: "ended-creator" }, "Thank you for watching ", userText(state.creator?.name ?? "")),
      element("dl", { class: "ended-totals" },
        total("diamond", "Diamonds", state.diamonds, "ended-diamonds"),
        total("gift", "Gifts", state.gifts_total, "ended-gifts")),
      state.top.length > 0 && element("ol", { class: "ended-top", attrs: { "aria-label": "Top gifters" } },
        ...state.top.slice(0, SHOWN_GIFTERS).map(({ user, coins }) => element("li", {},
          avatar(user), userText(user.name, "truncate"), element("span", { class: "number" }, formatNumber(coins))))),
      back));
}

/** @param {string} iconName @param {string} label @param {number} value @param {string} testid */
function total(iconName, label, value, testid) {
  return element("div", {}, element("dt", {}, icon(iconName), label),
    element("dd", { class: "number", text: formatNumber(value), testid }));
}

/**
 * A room that cannot be shown.
 * @param {string} text
 * @returns {HTMLElement}
 */
export function missingScreen(text) {
  return element("section", { class: "ended", testid: "room-missing" },
    element("div", { class: "ended-card" }, element("h2", { text }),
      element("a", { class: "button button-primary", text: "Back to the lobby", testid: "back-to-lobby", attrs: { href: "/" } })));
}
