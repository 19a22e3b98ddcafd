/**
 * Before a room is live: start one, or go back to one of the creator's own.
 */

import { element, icon, userText } from "../lib/element.js";
import { formatNumber, formatRelativeTime, toMicroseconds } from "../lib/format.js";
import { byId } from "./page.js";
import { TicketChoice } from "./ticket_choice.js";

/** @typedef {import("../lib/api.js").Api} Api */
/** @typedef {import("../lib/api.js").ApiError} ApiError */
/** @typedef {import("./earnings.js").CreatorRoom} CreatorRoom */

const ROOMS_SHOWN_MAX = 20;

/** Fires "open" (CustomEvent, the room's id as detail). */
export class Lobby extends EventTarget {
  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    this.form = byId("start-form");
    this.title = /** @type {HTMLInputElement} */ (byId("room-title"));
    this.button = /** @type {HTMLButtonElement} */ (byId("start"));
    this.error = byId("start-error");
    this.tickets = new TicketChoice(api);
    this.form.addEventListener("submit", (event) => this.#start(event));
  }

  /** @param {CreatorRoom[]} rooms */
  render(rooms) {
    const shown = [...rooms].sort(liveThenNewest).slice(0, ROOMS_SHOWN_MAX);
    byId("rooms-empty").hidden = shown.length > 0;
    byId("rooms").replaceChildren(...shown.map((room) => this.#row(room)));
  }

  /** @param {CreatorRoom} room */
  #row(room) {
    const live = room.state === "live";
    return element("li", { class: "room-row", testid: "studio-room", attrs: { "data-room": room.id, "data-state": room.state } },
      element("div", { class: "room-row-main" },
        userText(room.title, "room-row-title truncate"),
        element("span", { class: "muted fine" },
          live && element("span", { class: "live-badge", text: "LIVE" }),
          live && " ",
          `${formatRelativeTime(toMicroseconds(room.started_at))} · ${formatNumber(room.gifts)} gifts`)),
      element("span", { class: "coins number" }, icon("diamond"), formatNumber(room.diamonds), element("span", { class: "visually-hidden", text: " diamonds" })),
      live && element("button", {
        class: "button", text: "Open", testid: "studio-open", attrs: { type: "button" }, on: { click: () => this.#open(room.id) },
      }),
    );
  }

  /** @param {SubmitEvent} event */
  async #start(event) {
    event.preventDefault();
    const title = this.title.value.trim();
    if (!title) {
      this.error.textContent = "Please give the room a title.";
      this.title.focus();
      return;
    }
    this.button.disabled = true;
    this.error.textContent = "";
    try {
      const room = await this.api.post("/rooms", { title, ...this.tickets.chosen() });
      this.title.value = "";
      this.tickets.reset();
      this.#open(room.id);
    } catch (problem) {
      this.error.textContent = refusal(/** @type {ApiError} */ (problem));
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {string} room */
  #open(room) {
    this.dispatchEvent(new CustomEvent("open", { detail: room }));
  }
}

/** @param {CreatorRoom[]} rooms @returns {string|undefined} the one that was started last and is live */
export function currentRoom(rooms) {
  return rooms.filter((room) => room.state === "live").sort(liveThenNewest)[0]?.id;
}

/** @param {CreatorRoom} a @param {CreatorRoom} b */
function liveThenNewest(a, b) {
  return Number(b.state === "live") - Number(a.state === "live") || Date.parse(b.started_at) - Date.parse(a.started_at);
}

/** @param {ApiError} problem */
function refusal(problem) {
  return problem.code === "forbidden" ? "This token may not open rooms: a creator token is needed." : problem.message;
}
