/**
 * Says in words what the tray shows, for screen readers: one short summary in a while instead of every gift.
 */

import { formatNumber } from "../lib/format.js";

const SUMMARY_EVERY_MS = 6_000;
/** Senders told apart within one summary; further ones count as "others". */
const SENDERS_MAX = 32;

/** @typedef {{name: string, gift: string, count: number, coins: number}} Told */

export class Announcer {
  /** @type {Map<string, Told>} by sender and gift */
  #told = new Map();
  #others = 0;
  #timer = 0;

  /** @param {HTMLElement} region a polite live region */
  constructor(region) {
    this.region = region;
  }

  /**
   * @param {import("../lib/room_state.js").GiftEntry} entry
   * @param {import("../lib/gifts.js").Gift} gift
   */
  gift(entry, gift) {
    this.#count(entry, gift.id, gift.name);
  }

  /**
   * Something else that was bought.
   * @param {import("../lib/room_state.js").GiftEntry} entry
   * @param {string} name
   */
  item(entry, name) {
    this.#count(entry, entry.gift, name);
  }

  /** @param {import("../lib/room_state.js").GiftEntry} entry @param {string} id @param {string} name */
  #count(entry, id, name) {
    const key = `${entry.from.id} ${id}`;
    const told = this.#told.get(key);
    if (told) {
      told.count += entry.count;
      told.coins += entry.coins;
    } else if (this.#told.size < SENDERS_MAX) {
      this.#told.set(key, { name: entry.from.name, gift: name, count: entry.count, coins: entry.coins });
    } else {
      this.#others += entry.count;
    }
    if (this.#timer === 0) this.#timer = window.setTimeout(() => this.#speak(), SUMMARY_EVERY_MS);
  }

  /** Gifts that were counted without being listed. @param {number} count */
  more(count) {
    this.#others += count;
  }

  #speak() {
    this.#timer = 0;
    const [best, ...rest] = [...this.#told.values()].sort((a, b) => b.coins - a.coins);
    const others = rest.reduce((sum, { count }) => sum + count, this.#others);
    this.#told.clear();
    this.#others = 0;
    if (!best) return;
    const first = best.count === 1 ? `${best.name} sent ${best.gift}` : `${best.name} sent ${formatNumber(best.count)} × ${best.gift}`;
    this.region.textContent = others === 0 ? first : `${first}, and ${formatNumber(others)} more gifts arrived`;
  }
}
