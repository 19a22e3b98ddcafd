/**
 * Chat as the creator sees it: the last lines, following the newest unless the creator scrolled up, and a field to write.
 */

import { ChatModeration, chatMenu } from "../lib/chat_moderation.js";
import { element, userText } from "../lib/element.js";
import { showToast } from "../lib/toasts.js";
import { hueOf } from "../lib/avatar.js";
import { byId } from "./page.js";

/** @typedef {import("../lib/room_state.js").ChatLine} ChatLine */
/** @typedef {import("../lib/socket.js").RoomSocket} RoomSocket */

const LINES_MAX = 200;
const FOLLOW_WITHIN_PX = 48;

/** @type {Readonly<Record<string, string>>} */
const REFUSALS = {
  rate_limited: "You are writing too fast. Try again in a moment.",
  unavailable: "Not connected: the message was not sent.",
  room_ended: "The room has ended.",
};

export class ChatPanel {
  /** @type {RoomSocket|null} */
  #socket = null;
  #sending = false;

  /** @param {import("../lib/api.js").Api} api */
  constructor(api) {
    this.list = byId("chat-lines");
    this.moderation = new ChatModeration({ list: this.list, api, room: () => this.#socket?.room ?? "" });
    this.form = byId("chat-form");
    this.field = /** @type {HTMLInputElement} */ (byId("chat-text"));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** @param {RoomSocket|null} socket null while there is no room to write to */
  attach(socket) {
    this.#socket = socket;
    this.moderation.setRole(socket ? "creator" : "viewer");
    this.list.replaceChildren();
    this.allow(socket !== null);
  }

  /** @param {boolean} allowed */
  allow(allowed) {
    for (const control of /** @type {HTMLFormElement} */ (this.form).elements) {
      /** @type {HTMLInputElement} */ (control).disabled = !allowed;
    }
  }

  /** @param {ChatLine[]} lines @param {string|undefined} creatorId */
  add(lines, creatorId) {
    if (lines.length === 0) return;
    const following = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < FOLLOW_WITHIN_PX;
    this.list.append(...lines.slice(-LINES_MAX).map((line) => chatLine(line, line.from.id === creatorId)));
    while (this.list.childElementCount > LINES_MAX) this.list.firstElementChild?.remove();
    if (following) this.list.scrollTop = this.list.scrollHeight;
  }

  async #send() {
    const text = this.field.value.trim();
    if (!this.#socket || !text || this.#sending) return;
    this.#sending = true;
    const answer = await this.#socket.sendChat(text);
    this.#sending = false;
    if (answer.type === "ack") this.field.value = "";
    else showToast(REFUSALS[answer.code ?? ""] ?? "The message was not accepted.", { kind: "problem" });
    this.field.focus();
  }
}

/** @param {ChatLine} line @param {boolean} own */
function chatLine(line, own) {
  const name = userText(line.from.name, "chat-name");
  name.style.setProperty("--name-hue", String(hueOf(line.from.id)));
  const text = userText(line.text, "chat-text");
  return element("li", {
    class: own ? "chat-line is-creator" : "chat-line",
    testid: "studio-chat-line",
    attrs: { "data-from": line.from.id, "data-name": line.from.name },
  }, name, " ", text, !own && chatMenu(line.from.name));
}
