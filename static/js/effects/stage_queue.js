/**
 * Which big gift takes the stage next: one's own first, then the more valuable, then the earlier. Bounded; when it is
 * full, the last in that order is dropped.
 */

export const STAGE_QUEUE_MAX = 12;

/**
 * @typedef {object} StageItem
 * @property {import("../lib/room_state.js").GiftEntry} entry
 * @property {import("../lib/gifts.js").Gift} gift
 * @property {boolean} own
 * @property {number} coins
 * @property {number} count
 */

/** @typedef {StageItem & {arrival: number}} QueuedItem */

export class StageQueue {
  /** @type {QueuedItem[]} in playing order */
  #items = [];
  #arrivals = 0;

  get length() {
    return this.#items.length;
  }

  /**
   * The same gift of the same sender that still waits grows instead of waiting twice.
   * @param {StageItem} item
   */
  add(item) {
    const waiting = this.#items.find(({ gift, entry }) => gift.id === item.gift.id && entry.from.id === item.entry.from.id);
    if (waiting) {
      waiting.count += item.count;
      waiting.coins += item.coins;
    } else {
      this.#arrivals += 1;
      this.#items.push({ ...item, arrival: this.#arrivals });
    }
    this.#items.sort(byPrecedence);
    if (this.#items.length > STAGE_QUEUE_MAX) this.#items.pop();
  }

  /** @returns {StageItem|undefined} */
  take() {
    return this.#items.shift();
  }

  clear() {
    this.#items.length = 0;
  }
}

/** @param {QueuedItem} a @param {QueuedItem} b */
function byPrecedence(a, b) {
  return Number(b.own) - Number(a.own) || b.coins - a.coins || a.arrival - b.arrival;
}
