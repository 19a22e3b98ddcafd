/**
 * Whom the viewer follows, above the lobby's rooms: who is live comes first and leads into the room.
 */

import { avatar } from "../lib/avatar.js";
import { ApiError } from "../lib/api.js";
import { element, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { FollowButton } from "./follow_button.js";

const REFRESH_MS = 15_000;
const PAGE = 50;
/** Pages shown at most; the others are the ones followed longest ago. */
const PAGES_MAX = 4;

/** @typedef {{creator: import("../lib/session.js").User, followers: number, live?: {id: string, title: string}}} Followed */

export class FollowedList {
  /** @type {Map<string, FollowedRow>} by creator */
  #rows = new Map();
  #pages = 1;
  /** Answers for who was here before, or for fewer pages, come too late. */
  #turn = 0;

  /** @param {HTMLElement} root hidden while there is nobody to show @param {import("../lib/api.js").Api} api */
  constructor(root, api) {
    this.root = root;
    this.api = api;
    this.list = element("ul", { class: "followed-list", testid: "followed" });
    this.more = element("button", { class: "button followed-more", text: "Show more", attrs: { type: "button" }, on: { click: () => this.#more() } });
    this.end = element("li", {}, this.more);
    root.append(element("h2", { text: "You follow", attrs: { id: "following-title" } }), this.list);
    api.session.addEventListener("change", () => this.refresh());
    document.addEventListener("visibilitychange", () => this.refresh());
    setInterval(() => this.refresh(), REFRESH_MS);
    this.refresh();
  }

  async refresh() {
    if (document.hidden) return;
    const turn = ++this.#turn;
    if (!this.api.session.signedIn) {
      this.#render([], null);
      return;
    }
    try {
      const { creators, next } = await this.#load();
      if (turn === this.#turn) this.#render(creators, next);
    } catch (error) {
      // What was shown stays; the lobby says what is wrong.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** @returns {Promise<{creators: Followed[], next: string|null}>} the pages that are open */
  async #load() {
    /** @type {Followed[]} */
    const creators = [];
    /** @type {string|null} */
    let next = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const answer = await this.api.get("/account/following", { limit: PAGE, cursor: next });
      creators.push(...answer.creators);
      next = answer.next ?? null;
      if (next === null) break;
    }
    return { creators, next };
  }

  #more() {
    this.#pages = Math.min(PAGES_MAX, this.#pages + 1);
    this.refresh();
  }

  /** @param {Followed[]} creators @param {string|null} next */
  #render(creators, next) {
    const shown = new Set(creators.map(({ creator }) => creator.id));
    for (const [id, row] of this.#rows) {
      if (shown.has(id)) continue;
      row.node.remove();
      this.#rows.delete(id);
    }
    creators.sort((one, other) => Number(other.live !== undefined) - Number(one.live !== undefined));
    creators.forEach((followed, place) => {
      const row = this.#rows.get(followed.creator.id) ?? new FollowedRow(this.api, followed);
      this.#rows.set(followed.creator.id, row);
      row.show(followed);
      if (this.list.children[place] !== row.node) this.list.insertBefore(row.node, this.list.children[place] ?? null);
    });
    if (next !== null && this.#pages < PAGES_MAX) this.list.append(this.end);
    else this.end.remove();
    this.root.hidden = creators.length === 0;
  }
}

/** One creator: face, name and what they do now, and the button that follows them no more (and again). */
class FollowedRow {
  /** @param {import("../lib/api.js").Api} api @param {Followed} followed */
  constructor(api, { creator }) {
    this.name = userText("", "truncate followed-name");
    this.now = userText("", "truncate followed-now");
    this.link = element("a", { class: "followed-link" }, avatar(creator), element("span", { class: "followed-words" }, this.name, this.now));
    this.node = element("li", { class: "followed", testid: "followed-creator", attrs: { "data-creator": creator.id } }, this.link);
    this.button = new FollowButton(api, this.node);
  }

  /** @param {Followed} followed */
  show({ creator, followers, live }) {
    setText(this.name, creator.name);
    setText(this.now, live ? live.title : followers === 1 ? "1 follower" : `${formatNumber(followers)} followers`);
    this.node.classList.toggle("is-live", live !== undefined);
    // Without an address it is no link, and takes no focus.
    if (live) {
      this.link.setAttribute("href", `/?${new URLSearchParams({ room: live.id })}`);
      this.link.setAttribute("aria-label", `${creator.name} is live: ${live.title}`);
    } else {
      this.link.removeAttribute("href");
      this.link.removeAttribute("aria-label");
    }
    this.button.know({ creator, followers, following: true });
  }
}
