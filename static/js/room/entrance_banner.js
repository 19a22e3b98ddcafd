/**
 * Says who came in, for those whose coming is shown: one after the other, a few at most.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { element, setText, userText } from "../lib/element.js";
import { lookBadge, paintLook } from "../lib/looks.js";
import { prefersReducedMotion } from "../lib/motion.js";

/** @typedef {import("../lib/room_state.js").Entrance} Entrance */

const SHOWN_MS = 3_200;
/** Entrances that wait; the oldest of more is not shown. */
const WAITING_MAX = 6;

export class EntranceBanner {
  /** @type {Entrance[]} */
  #waiting = [];
  #busy = false;

  /** @param {HTMLElement} host */
  constructor(host) {
    this.face = avatar(null);
    this.look = lookBadge();
    this.name = userText("", "entrance-name truncate");
    this.node = element("div", { class: "entrance", testid: "entrance" }, this.face, this.look, this.name,
      element("span", { class: "entrance-words", text: "came in" }), element("span", { class: "entrance-light", attrs: { "aria-hidden": "true" } }));
    this.node.hidden = true;
    host.append(this.node);
  }

  /** @param {Entrance[]} entrances */
  add(entrances) {
    this.#waiting.push(...entrances);
    this.#waiting.splice(0, Math.max(0, this.#waiting.length - WAITING_MAX));
    if (!this.#busy) this.#next();
  }

  clear() {
    this.#waiting.length = 0;
  }

  #next() {
    const entrance = this.#waiting.shift();
    this.#busy = entrance !== undefined;
    this.node.hidden = !entrance;
    if (!entrance) return;
    paintAvatar(this.face, entrance.from);
    paintLook(this.look, entrance.from);
    setText(this.name, entrance.from.name);
    this.node.dataset.look = entrance.look;
    setTimeout(() => this.#next(), SHOWN_MS);
    if (prefersReducedMotion()) return;
    this.node.animate([
      { transform: "translateX(-110%)", opacity: 0, easing: "cubic-bezier(0.16, 1, 0.3, 1)" },
      { offset: 0.18, transform: "none", opacity: 1 }, { offset: 0.86, transform: "none", opacity: 1 },
      { transform: "translateX(24px)", opacity: 0 },
    ], { duration: SHOWN_MS });
  }
}
