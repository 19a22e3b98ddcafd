/**
 * Follows a creator, beside the name; not shown to the creators themselves.
 */

import { element, icon } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { explain } from "../lib/problems.js";
import { showToast } from "../lib/toasts.js";

/** @typedef {import("../lib/session.js").User} User */
/** @typedef {{creator: User, followers: number, following: boolean}} Seen */

export class FollowButton {
  /** @type {User|null} */
  #creator = null;

  /** @param {import("../lib/api.js").Api} api @param {HTMLElement} place */
  constructor(api, place) {
    this.api = api;
    this.node = element("button", { class: "follow", testid: "follow", attrs: { type: "button", hidden: true }, on: { click: () => this.#toggle() } });
    place.append(this.node);
  }

  /** @param {User} creator asked about once */
  async show(creator) {
    if (this.#creator?.id === creator.id || creator.id === this.api.session.user?.id) return;
    this.#creator = creator;
    try {
      this.#render(await this.api.get(this.#path));
    } catch {
      // Without an answer there is no button; the room goes on.
      this.#creator = null;
    }
  }

  /** @param {Seen} seen what the page knows already */
  know(seen) {
    this.#creator = seen.creator;
    this.#render(seen);
  }

  get #path() {
    return `/creators/${encodeURIComponent(this.#creator?.id ?? "")}`;
  }

  async #toggle() {
    const follows = this.node.getAttribute("aria-pressed") === "true";
    this.node.disabled = true;
    try {
      const path = `${this.#path}/follow`;
      this.#render(await (follows ? this.api.delete(path) : this.api.put(path)));
    } catch (problem) {
      const { code, message } = /** @type {import("../lib/api.js").ApiError} */ (problem);
      showToast(explain(code, message), { kind: "problem" });
    } finally {
      this.node.disabled = false;
      this.node.focus();
    }
  }

  /** @param {Seen} seen */
  #render({ creator, followers, following }) {
    this.node.hidden = false;
    this.node.setAttribute("aria-pressed", String(following));
    this.node.setAttribute("aria-label", `Follow ${creator.name}`);
    this.node.title = followers === 1 ? "1 follower" : `${formatNumber(followers)} followers`;
    this.node.dataset.followers = String(followers);
    this.node.replaceChildren(icon(following ? "check" : "plus"));
  }
}
