/**
 * A number whose changed digits slide into place. Its text is the current value at every moment; the animation is only
 * dress, and a digit that is still moving is not started again.
 */

import { element, setText } from "./element.js";
import { formatNumber } from "./format.js";
import { prefersReducedMotion } from "./motion.js";

const ROLL_MS = 320;
const ROLL_EASING = "cubic-bezier(0.2, 0.9, 0.25, 1)";
const CHARACTERS_MAX = 24;

export class RollingNumber {
  #value = NaN;
  /** @type {HTMLSpanElement[]} the last character first, so that places keep their box when the number grows */
  #boxes = [];
  /** @type {WeakMap<Element, Animation>} */
  #rolls = new WeakMap();

  /** @param {{testid?: string, format?: (value: number) => string}} [options] */
  constructor({ testid, format = formatNumber } = {}) {
    this.format = format;
    this.node = element("span", { class: "rolling", testid });
  }

  /** @param {number} value */
  set(value) {
    if (value === this.#value) return;
    const rising = value > this.#value;
    const animated = !Number.isNaN(this.#value) && !prefersReducedMotion() && !document.hidden;
    this.#value = value;
    this.node.dataset.value = String(value);
    const characters = [...this.format(value)].reverse().slice(0, CHARACTERS_MAX);
    while (this.#boxes.length > characters.length) this.#boxes.pop()?.remove();
    while (this.#boxes.length < characters.length) {
      const box = element("span");
      this.#boxes.push(box);
      this.node.prepend(box);
    }
    characters.forEach((character, place) => {
      const box = this.#boxes[place];
      if (box.textContent === character) return;
      setText(box, character);
      if (animated) this.#roll(box, rising);
    });
  }

  /** @param {HTMLSpanElement} box @param {boolean} rising */
  #roll(box, rising) {
    if (this.#rolls.get(box)?.playState === "running") return;
    const from = rising ? "48%" : "-48%";
    this.#rolls.set(box, box.animate(
      [{ transform: `translateY(${from})`, opacity: 0.45 }, { transform: "none", opacity: 1 }],
      { duration: ROLL_MS, easing: ROLL_EASING },
    ));
  }
}
