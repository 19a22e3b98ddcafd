/**
 * What can be done about a chat line: its menu button, a long press or a right click opens a sheet. Everybody can report
 * it; the creator and the moderators can also do something about who wrote it.
 */

import { ApiError } from "./api.js";
import { element, setText } from "./element.js";
import { openReport } from "./report_sheet.js";
import { Sheet } from "./sheet.js";
import { showToast } from "./toasts.js";

const LONG_PRESS_MS = 500;
const MINUTE_S = 60;
const DAY_S = 24 * 3600;

/** @typedef {{label: string, done: string, path: (room: string, user: string) => string, body?: object, creator?: boolean}} Action */

/** @type {ReadonlyArray<Action>} */
const ACTIONS = [
  { label: "Mute for 10 minutes", done: "is muted for 10 minutes", path: inRoom("mutes"), body: { seconds: 10 * MINUTE_S } },
  { label: "Mute for a day", done: "is muted for a day", path: inRoom("mutes"), body: { seconds: DAY_S } },
  { label: "Ban from this room", done: "is banned from this room", path: inRoom("bans") },
  { label: "Block in all my rooms", done: "is blocked in all your rooms", path: (_, user) => `/creator/blocks/${user}`, creator: true },
  { label: "Make a moderator", done: "is a moderator now", path: inRoom("moderators"), creator: true },
];

export class ChatModeration {
  #role = "viewer";
  #user = { id: "", name: "", text: "" };
  #press = 0;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list its lines carry data-from and data-name, the words in .chat-text, and a
   *   button with the class chat-menu
   * @param {import("./api.js").Api} parts.api
   * @param {() => string} parts.room
   */
  constructor({ list, api, room }) {
    this.list = list;
    this.api = api;
    this.room = room;
    this.buttons = ACTIONS.map((action) => element("button", {
      class: "button", text: action.label, attrs: { type: "button" }, on: { click: () => this.#act(action) },
    }));
    this.sheet = new Sheet({ title: "", class: "moderation-sheet", testid: "moderation-sheet" },
      element("div", { class: "moderation-actions" }, ...this.buttons,
        element("button", { class: "button", text: "Report", testid: "report-line", attrs: { type: "button" }, on: { click: () => this.#report() } })));
    this.#offer();
    list.addEventListener("click", (event) => {
      if (event.target instanceof Element && event.target.closest(".chat-menu")) this.#open(event);
    });
    list.addEventListener("contextmenu", (event) => this.#open(event));
    list.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") this.#press = window.setTimeout(() => this.#open(event), LONG_PRESS_MS);
    });
    for (const type of ["pointerup", "pointercancel", "pointermove", "scroll"]) list.addEventListener(type, () => clearTimeout(this.#press), { passive: true });
  }

  /** @param {string} role what this user is in the room: viewer, moderator or creator */
  setRole(role) {
    this.#role = role;
    this.list.toggleAttribute("data-moderating", role !== "viewer");
    if (role === "viewer") this.sheet.close();
    this.#offer();
  }

  #offer() {
    this.buttons.forEach((button, place) => {
      button.hidden = this.#role === "viewer" || (ACTIONS[place].creator === true && this.#role !== "creator");
    });
  }

  /** @param {Event} event */
  #open(event) {
    const line = event.target instanceof Element ? /** @type {HTMLElement|null} */ (event.target.closest("[data-from]")) : null;
    const { from: id, name } = line?.dataset ?? {};
    if (!id || id === this.api.session.user?.id) return;
    event.preventDefault();
    this.#user = { id, name: name ?? id, text: line?.querySelector(".chat-text")?.textContent ?? "" };
    setText(this.sheet.title, this.#user.name);
    this.sheet.open(/** @type {HTMLElement|null} */ (this.sheet.body.querySelector("button:not([hidden])")) ?? undefined);
  }

  #report() {
    const { id, name, text } = this.#user;
    this.sheet.addEventListener("close", () => openReport(this.api, { kind: "chat", id: `${id}: ${text}`, name: `${name}: ${text}` }), { once: true });
    this.sheet.close();
  }

  /** @param {Action} action */
  async #act({ path, body, done }) {
    const { id, name } = this.#user;
    const address = path(encodeURIComponent(this.room()), encodeURIComponent(id));
    this.sheet.close();
    const undo = { label: "Undo", testid: "undo", run: () => this.#say(this.api.delete(address), `Undone for ${name}.`) };
    await this.#say(this.api.put(address, body), `${name} ${done}.`, undo);
  }

  /** @param {Promise<any>} asked @param {string} text @param {{label: string, run: () => void, testid?: string}} [action] */
  async #say(asked, text, action) {
    try {
      await asked;
      showToast(text, { action });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      showToast(error.message, { kind: "problem" });
    }
  }
}

/** @param {string} name @returns {HTMLButtonElement} for the end of a chat line */
export function chatMenu(name = "") {
  const button = element("button", { class: "chat-menu", text: "⋯", testid: "chat-menu", attrs: { type: "button", "aria-haspopup": "dialog" } });
  nameChatMenu(button, name);
  return button;
}

/** @param {HTMLElement} button @param {string} name */
export function nameChatMenu(button, name) {
  button.setAttribute("aria-label", `Options for ${name}`);
}

/** @param {string} list @returns {(room: string, user: string) => string} */
function inRoom(list) {
  return (room, user) => `/rooms/${room}/${list}/${user}`;
}
