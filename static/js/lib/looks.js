/**
 * What stands beside a name: the level as a gifter, and a badge that was bought.
 */

import { element, setText } from "./element.js";

/** @typedef {import("./room_state.js").User} User */

const LEVELS_PER_RANK = 10;
/** Badges that have a picture of their own. */
const BADGES = new Set(["note", "paw", "crown"]);

/** @returns {HTMLElement} an empty badge; `paintLook` makes it somebody's */
export function lookBadge() {
  const node = element("span", { class: "look" },
    element("span", { class: "icon look-badge", attrs: { "aria-hidden": "true" } }),
    element("span", { class: "look-level number" }, element("span", { class: "visually-hidden", text: "Level " }), element("span", {})));
  node.hidden = true;
  return node;
}

/**
 * Shows somebody's level and badge, or nothing where there is none.
 * @param {HTMLElement} node
 * @param {User|null} user
 */
export function paintLook(node, user) {
  const level = user?.level ?? 0;
  const badge = user?.badge !== undefined && BADGES.has(user.badge) ? user.badge : "";
  node.hidden = level === 0 && badge === "";
  if (node.hidden) return;
  const [picture, words] = /** @type {HTMLElement[]} */ ([...node.children]);
  picture.hidden = badge === "";
  picture.className = `icon look-badge icon-badge-${badge}`;
  words.hidden = level === 0;
  words.dataset.rank = String(Math.min(4, Math.floor(level / LEVELS_PER_RANK)));
  setText(/** @type {Node} */ (words.lastChild), String(level));
}
