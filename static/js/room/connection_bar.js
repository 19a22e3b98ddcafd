/**
 * Says how the connection is, in a bar while it is not live and in document.documentElement.dataset.connection always.
 */

import { element, icon, setText } from "../lib/element.js";

/** A loss shorter than this passes without a word on screen. */
const PATIENCE_MS = 700;

/** @type {Readonly<Record<string, string>>} */
const CLOSED_SENTENCES = {
  bad_frame: "The server refused this page. Reload to try again.",
  forbidden: "The server does not let this page in.",
  frame_too_large: "The server refused this page. Reload to try again.",
  room_ended: "This room has ended.",
  room_not_found: "This room does not exist.",
  unauthorized: "Your sign-in has expired.",
};

export class ConnectionBar {
  #timer = 0;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.words = element("span");
    this.node = element("div", { class: "connection", testid: "connection", attrs: { role: "status" } },
      element("span", { class: "connection-spinner" }), icon("offline"), this.words);
    host.append(this.node);
  }

  /** @param {import("../lib/socket.js").StateDetail} detail */
  show({ state, reason }) {
    document.documentElement.dataset.connection = state;
    this.node.dataset.state = state;
    clearTimeout(this.#timer);
    if (state === "live") return this.#render("Live", false);
    this.#timer = window.setTimeout(() => this.#render(sentence(state, reason), true), state === "closed" ? 0 : PATIENCE_MS);
  }

  /** @param {string} text @param {boolean} visible */
  #render(text, visible) {
    setText(this.words, text);
    this.node.classList.toggle("is-shown", visible);
  }
}

/** @param {string} state @param {string} reason @returns {string} */
function sentence(state, reason) {
  switch (state) {
    case "connecting": return "Connecting…";
    case "offline": return "You are offline. Waiting for the network…";
    case "reconnecting": return reason === "restarting" ? "The server is restarting. One moment…" : "Reconnecting…";
    default: return CLOSED_SENTENCES[reason] ?? "Disconnected.";
  }
}
