/**
 * Colours of a room, chosen by its creator's id: three that go together, for the backdrop and the lobby's card.
 */

import { hashId } from "../lib/avatar.js";

/** @type {ReadonlyArray<readonly [string, string, string]>} "#rrggbb" */
const PALETTES = [
  ["#ff4d8d", "#7b2ff7", "#22b8cf"],
  ["#ff7a45", "#e0246a", "#5f3dc4"],
  ["#3b82f6", "#8b5cf6", "#ec4899"],
  ["#06b6d4", "#3b5bdb", "#b5179e"],
  ["#f59f00", "#e8590c", "#c2255c"],
  ["#12b886", "#1098ad", "#5f3dc4"],
  ["#d6336c", "#9c36b5", "#f76707"],
  ["#4c6ef5", "#15aabf", "#f06595"],
  ["#ae3ec9", "#4263eb", "#20c997"],
  ["#e64980", "#fab005", "#7048e8"],
  ["#2f9e8f", "#2b6cb0", "#d53f8c"],
  ["#f03e3e", "#ae3ec9", "#1c7ed6"],
];

/** @param {string} creatorId @returns {readonly [string, string, string]} "#rrggbb" */
export function paletteOf(creatorId) {
  return PALETTES[hashId(creatorId) % PALETTES.length];
}
