/**
 * The state of the room's connection in a word: what the creator needs to know before trusting the numbers.
 */

import { setText } from "../lib/element.js";

/** @typedef {import("../lib/socket.js").StateDetail} StateDetail */

/** @type {Readonly<Record<StateDetail["state"], string>>} */
const WORDS = {
  connecting: "Connecting…", live: "Connected", reconnecting: "Reconnecting…", offline: "Offline", closed: "Not connected",
};

/**
 * @param {HTMLElement} pill
 * @param {StateDetail["state"]|null} state null hides it
 */
export function showConnection(pill, state) {
  pill.hidden = state === null;
  if (state === null) return;
  pill.dataset.state = state;
  setText(pill, WORDS[state]);
}
