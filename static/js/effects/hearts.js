/**
 * Hearts that rise over the stage for likes, from a fixed pool of nodes. More likes than hearts look like many hearts.
 */

import { element } from "../lib/element.js";
import { prefersReducedMotion } from "../lib/motion.js";

export const HEARTS_MAX = 16;
/** Hearts one delta may start, however many likes it brings. */
const HEARTS_PER_DELTA = 4;
const RISE_MS = 2_100;
const COLORS = ["#ff4d7d", "#ff7eb3", "#c77dff", "#ffb347", "#ff5c5c", "#7ee7ff"];

export class Hearts {
  /** @type {Array<{node: HTMLElement, busy: boolean}>} */
  #pool;

  /** @param {HTMLElement} host where they rise; the pool is added to it */
  constructor(host) {
    this.#pool = Array.from({ length: HEARTS_MAX }, () => ({ node: element("span", { class: "heart icon icon-heart" }), busy: false }));
    host.append(...this.#pool.map(({ node }) => node));
  }

  /** Likes of others. @param {number} likes */
  rise(likes) {
    const count = Math.min(likes, HEARTS_PER_DELTA);
    for (let i = 0; i < count; i += 1) this.#start(i * 90, null);
  }

  /** One's own like, from where the stage was tapped. @param {{x: number, y: number}|null} from offset from the usual place */
  tap(from) {
    this.#start(0, from);
  }

  /** @param {number} delayMs @param {{x: number, y: number}|null} from */
  #start(delayMs, from) {
    if (prefersReducedMotion() || document.hidden) return;
    const heart = this.#pool.find(({ busy }) => !busy);
    if (!heart) return;
    heart.busy = true;
    const drift = (Math.random() - 0.5) * 90;
    const turn = (Math.random() - 0.5) * 50;
    const { x, y } = from ?? { x: 0, y: 0 };
    heart.node.style.color = COLORS[Math.floor(Math.random() * COLORS.length)];
    const animation = heart.node.animate([
      { transform: `translate(${x}px, ${y}px) scale(0.2)`, opacity: 0 },
      { offset: 0.12, transform: `translate(${x}px, ${y - 20}px) rotate(${turn / 2}deg) scale(1.15)`, opacity: 1 },
      { offset: 0.6, transform: `translate(${x + drift * 0.7}px, ${y - 180}px) rotate(${-turn}deg)`, opacity: 0.95 },
      { transform: `translate(${x + drift}px, ${y - 320}px) rotate(${turn}deg) scale(0.8)`, opacity: 0 },
    ], { duration: RISE_MS + Math.random() * 600, delay: delayMs, easing: "ease-out", fill: "backwards" });
    animation.onfinish = animation.oncancel = () => { heart.busy = false; };
  }
}
