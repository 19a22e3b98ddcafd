/**
 * The lobby: a card for every live room, kept fresh, a page at a time.
 */

import { paletteOf } from "../effects/palettes.js";
import { avatar } from "../lib/avatar.js";
import { ApiError } from "../lib/api.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatCompact, formatMoment, formatNumber, toMicroseconds } from "../lib/format.js";
import { explain } from "../lib/problems.js";
import { signIn } from "../lib/sign_in.js";
import { FollowedList } from "./followed_list.js";

const REFRESH_MS = 5_000;
/** Pages shown at most; rooms beyond that are found by their address. */
const PAGES_MAX = 12;

/**
 * @typedef {{id: string, title: string, creator: {id: string, name: string}, diamonds: number, viewers: number,
 *   ticket?: {coins: number, starts_at?: string}, promoted?: boolean}} Room
 */
/** @typedef {{node: HTMLElement, title: HTMLElement, viewers: HTMLElement, diamonds: HTMLElement, promoted: HTMLElement}} Card */

export class Lobby {
  /** @type {Map<string, Card>} by room */
  #cards = new Map();
  #pages = 1;
  #loading = false;

  /**
   * @param {ParentNode} root the lobby's template
   * @param {import("../lib/api.js").Api} api
   */
  constructor(root, api) {
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
    this.api = api;
    this.grid = find("[data-part=grid]");
    this.status = find("[data-part=status]");
    this.more = find("[data-part=more]");
    this.account = find("[data-part=account]");
    this.more.addEventListener("click", () => {
      this.#pages = Math.min(PAGES_MAX, this.#pages + 1);
      this.refresh();
    });
    new FollowedList(find("[data-part=following]"), api);
    api.session.addEventListener("change", () => this.#renderAccount());
    document.addEventListener("visibilitychange", () => this.refresh());
    setInterval(() => this.refresh(), REFRESH_MS);
    this.#renderAccount();
    this.refresh();
  }

  async refresh() {
    if (document.hidden || this.#loading) return;
    this.#loading = true;
    try {
      const { rooms, next } = await this.#load();
      this.#render(rooms);
      this.more.hidden = !next || this.#pages >= PAGES_MAX;
      setText(this.status, rooms.length === 0 ? "Nobody is live right now. Rooms appear here as they start." : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, explain(error.code, error.message));
    } finally {
      this.#loading = false;
      this.grid.setAttribute("aria-busy", "false");
    }
  }

  /** @returns {Promise<{rooms: Room[], next: string|null}>} the pages that are open */
  async #load() {
    /** @type {Room[]} */
    const rooms = [];
    /** @type {string|null} */
    let next = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const answer = await this.api.get("/rooms", { cursor: next });
      rooms.push(...answer.rooms);
      next = answer.next ?? null;
      if (next === null) break;
    }
    return { rooms, next };
  }

  /** @param {Room[]} rooms */
  #render(rooms) {
    const live = new Set(rooms.map(({ id }) => id));
    for (const [id, card] of this.#cards) {
      if (live.has(id)) continue;
      card.node.remove();
      this.#cards.delete(id);
    }
    rooms.forEach((room, place) => {
      let card = this.#cards.get(room.id);
      if (!card) {
        card = roomCard(room);
        this.#cards.set(room.id, card);
      }
      setText(card.title, room.title);
      setText(card.viewers, formatCompact(room.viewers));
      setText(card.diamonds, formatCompact(room.diamonds));
      card.promoted.hidden = !room.promoted;
      if (this.grid.children[place] !== card.node) this.grid.insertBefore(card.node, this.grid.children[place] ?? null);
    });
  }

  #renderAccount() {
    const { session } = this.api;
    if (session.signedIn) {
      const { user } = session;
      this.account.replaceChildren(avatar(user ?? { id: "me", name: "•" }), userText(user?.name ?? "Signed in", "truncate account-name"));
    } else {
      this.account.replaceChildren(element("button", {
        class: "button", text: "Sign in", testid: "lobby-sign-in", attrs: { type: "button" },
        on: { click: () => signIn(this.api, { dismissable: true }) },
      }));
    }
  }
}

/** @param {Room} room @returns {Card} */
function roomCard(room) {
  const title = userText("", "card-title");
  const viewers = element("span", { class: "number" });
  const diamonds = element("span", { class: "number" });
  const promoted = element("span", { class: "card-note card-promoted", testid: "promoted" }, icon("megaphone"), "Promoted");
  const link = element("a", { class: "card-link", attrs: { href: `/?${new URLSearchParams({ room: room.id })}` } },
    element("span", { class: "card-top" }, element("span", { class: "live-badge", text: "LIVE" }),
      element("span", { class: "card-pill" }, icon("people"), viewers, element("span", { class: "visually-hidden", text: " viewers" }))),
    avatar(room.creator, "card-face"),
    element("span", { class: "card-words" },
      element("span", { class: "card-notes" }, promoted, room.ticket && ticketNote(room.ticket)), title,
      element("span", { class: "card-creator" }, userText(room.creator.name, "truncate"),
        element("span", { class: "card-diamonds" }, icon("diamond"), diamonds, element("span", { class: "visually-hidden", text: " diamonds" })))));
  const node = element("li", { class: "card", testid: "room-card", attrs: { "data-room": room.id } }, link);
  paletteOf(room.creator.id).forEach((color, i) => node.style.setProperty(`--color-${i + 1}`, color));
  return { node, title, viewers, diamonds, promoted };
}

/** @param {{coins: number, starts_at?: string}} ticket @returns {HTMLElement} */
function ticketNote({ coins, starts_at }) {
  const begins = starts_at && Date.parse(starts_at) > Date.now() ? ` · ${formatMoment(toMicroseconds(starts_at))}` : "";
  return element("span", { class: "card-note card-ticket", testid: "ticket-note" }, icon("ticket"),
    element("span", { class: "number", text: formatNumber(coins) }), element("span", { class: "visually-hidden", text: " coins a ticket" }), begins);
}
