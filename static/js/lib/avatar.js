/**
 * A face for every user without a picture: an initial on a colour that follows from the id.
 */

import { element, setText } from "./element.js";

const SHOWABLE = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

/**
 * A number that follows from an id and looks random (FNV-1a).
 * @param {string} id
 * @returns {number} unsigned 32-bit
 */
export function hashId(id) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Hues that stay clear at one lightness; the muddy yellows and greens are left out. */
const HUES = [0, 14, 28, 44, 150, 165, 185, 205, 225, 245, 262, 280, 298, 316, 334, 348];

/** @param {string} id @returns {number} hue in degrees, of the OKLCH circle */
export function hueOf(id) {
  return HUES[hashId(id) % HUES.length];
}

/** @param {string} name @returns {string} its first letter, digit or pictograph, upper case; "?" when it has none */
export function initialOf(name) {
  for (const character of name) if (SHOWABLE.test(character)) return character.toLocaleUpperCase();
  return "?";
}

/**
 * @param {{id: string, name: string, frame?: string}|null} user
 * @param {string} [className]
 * @returns {HTMLElement} decorative: the name belongs next to it
 */
export function avatar(user, className = "") {
  const node = element("span", { class: `avatar ${className}`.trim(), attrs: { "aria-hidden": "true" } });
  paintAvatar(node, user);
  return node;
}

/**
 * Turns an existing avatar node into another user's.
 * @param {HTMLElement} node
 * @param {{id: string, name: string, frame?: string}|null} user null empties it
 */
export function paintAvatar(node, user) {
  if (user === null) {
    delete node.dataset.user;
    delete node.dataset.frame;
    node.textContent = "";
    return;
  }
  if (user.frame) node.dataset.frame = user.frame;
  else delete node.dataset.frame;
  const initial = initialOf(user.name);
  if (node.dataset.user === user.id && node.textContent === initial) return;
  node.dataset.user = user.id;
  setText(node, initial);
  node.style.setProperty("--avatar-hue", String(hueOf(user.id)));
}
