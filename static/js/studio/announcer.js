/**
 * Tells screen readers what happened: thanks at once, gifts as a summary, since a busy room would talk without end.
 */

import { formatNumber } from "../lib/format.js";

const SUMMARY_EVERY_MS = 15_000;

export class Announcer {
  #gifts = 0;
  #coins = 0;

  /** @param {HTMLElement} region an aria-live element */
  constructor(region) {
    this.region = region;
  }

  start() {
    this.stop();
    this.timer = setInterval(() => this.#summarise(), SUMMARY_EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.#gifts = 0;
    this.#coins = 0;
  }

  /** @param {string} text */
  say(text) {
    this.region.textContent = text;
  }

  /** @param {number} gifts @param {number} coins */
  count(gifts, coins) {
    this.#gifts += gifts;
    this.#coins += coins;
  }

  #summarise() {
    if (this.#gifts === 0) return;
    this.say(`${formatNumber(this.#gifts)} ${this.#gifts === 1 ? "gift" : "gifts"}, ${formatNumber(this.#coins)} coins.`);
    this.#gifts = 0;
    this.#coins = 0;
  }
}
