/**
 * The top gifters: three faces in the header, a list beside the stage on wide screens, and the full ranking in a sheet.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatCompact, formatNumber } from "../lib/format.js";
import { lookBadge, paintLook } from "../lib/looks.js";
import { Sheet } from "../lib/sheet.js";

/** @typedef {import("../lib/room_state.js").TopGifter} TopGifter */

const PODIUM = 3;
const FULL_LIMIT = 100;
const REFRESH_MS = 3_000;

/** The faces in the header. */
export class Podium {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.places = Array.from({ length: PODIUM }, (_, i) => {
      const face = avatar(null);
      const name = element("span", { class: "visually-hidden" });
      const coins = element("span", { class: "podium-coins number" });
      const node = element("span", { class: "podium-place", testid: `top-${i + 1}`, attrs: { "data-rank": i + 1 } },
        icon("crown"), face, name, coins);
      node.hidden = true;
      return { node, face, name, coins };
    });
    host.append(...this.places.map(({ node }) => node));
  }

  /** @param {TopGifter[]} top */
  render(top) {
    this.places.forEach((place, i) => {
      const gifter = top[i];
      place.node.hidden = !gifter;
      paintAvatar(place.face, gifter?.user ?? null);
      if (!gifter) return;
      place.node.dataset.user = gifter.user.id;
      setText(place.name, `${gifter.user.name}, `);
      setText(place.coins, formatCompact(gifter.coins));
    });
  }
}

/** A list of ranks whose rows are reused. */
export class RankingList {
  /** @type {Array<{node: HTMLElement, face: HTMLElement, look: HTMLElement, name: HTMLElement, coins: HTMLElement}>} */
  #rows = [];

  /** @param {{limit: number, testid?: string}} options */
  constructor({ limit, testid }) {
    this.limit = limit;
    this.empty = element("p", { class: "ranking-empty", text: "No gifts yet. The first one takes the crown." });
    this.list = element("ol", { class: "ranking-list", testid });
    this.node = element("div", {}, this.list, this.empty);
  }

  /** @param {TopGifter[]} top */
  render(top) {
    const shown = top.slice(0, this.limit);
    this.empty.hidden = shown.length > 0;
    while (this.#rows.length > shown.length) this.#rows.pop()?.node.remove();
    while (this.#rows.length < shown.length) this.#addRow();
    shown.forEach((gifter, i) => {
      const row = this.#rows[i];
      paintAvatar(row.face, gifter.user);
      paintLook(row.look, gifter.user);
      row.node.dataset.user = gifter.user.id;
      setText(row.name, gifter.user.name);
      setText(row.coins, formatNumber(gifter.coins));
    });
  }

  #addRow() {
    const rank = this.#rows.length + 1;
    const face = avatar(null);
    const look = lookBadge();
    const name = userText("", "ranking-name truncate");
    const coins = element("span", { class: "number" });
    const node = element("li", { class: "ranking-row", testid: "ranking-row", attrs: { "data-rank": rank } },
      element("span", { class: "ranking-rank number" }, rank <= PODIUM ? icon("crown") : null, String(rank)),
      face, element("span", { class: "ranking-who" }, name, look), element("span", { class: "ranking-coins" }, icon("coin"), coins));
    this.#rows.push({ node, face, look, name, coins });
    this.list.append(node);
  }
}

/** The full ranking, asked for again while it is open. */
export class RankingSheet {
  #timer = 0;

  /** @param {{api: import("../lib/api.js").Api, room: string}} parts */
  constructor({ api, room }) {
    this.api = api;
    this.room = room;
    this.ranking = new RankingList({ limit: FULL_LIMIT });
    this.sheet = new Sheet({ title: "Top gifters", class: "ranking-sheet", testid: "ranking-panel" }, this.ranking.node);
    this.sheet.addEventListener("close", () => clearInterval(this.#timer));
  }

  /** @param {TopGifter[]} top what is known already */
  open(top) {
    this.ranking.render(top);
    this.sheet.open();
    this.#refresh();
    this.#timer = window.setInterval(() => this.#refresh(), REFRESH_MS);
  }

  async #refresh() {
    const answer = await this.api.get(`/rooms/${encodeURIComponent(this.room)}/top`, { limit: FULL_LIMIT }).catch(() => null);
    if (answer && this.sheet.isOpen) this.ranking.render(answer.top);
  }
}
