/**
 * Alerts that wait for their turn: the most valuable first, then the oldest; one entry per combo, which grows in place.
 */

/** Beyond this the least valuable alert is dropped. */
export const ALERTS_WAITING_MAX = 40;
/** An alert that waited longer is no longer news; what waits long is always what is worth least. */
export const ALERT_WAIT_MAX_MS = 60_000;

/** @typedef {import("../lib/room_state.js").GiftEntry} GiftEntry */

/**
 * @typedef {object} Alert
 * @property {string} key       the combo, or the gift itself
 * @property {{id: string, name: string}} from
 * @property {string} gift      catalogue id
 * @property {number} times     ×N: the combo so far, or the number of gifts at once
 * @property {number} coins     what all of it is worth
 * @property {number} queuedAtMs
 */

/**
 * @param {GiftEntry} entry of a delta
 * @param {number} nowMs
 * @returns {Alert}
 */
export function alertOf(entry, nowMs) {
  const times = Math.max(entry.combo ?? 0, entry.count);
  return {
    key: entry.combo_id ?? entry.gift_id,
    from: entry.from,
    gift: entry.gift,
    times,
    coins: Math.round((entry.coins / entry.count) * times),
    queuedAtMs: nowMs,
  };
}

export class AlertQueue {
  constructor() {
    /** @type {Alert[]} next one first */
    this.waiting = [];
  }

  /** @param {Alert} alert takes the place of an earlier state of the same combo */
  add(alert) {
    const earlier = this.waiting.findIndex((other) => other.key === alert.key);
    const queuedAtMs = earlier < 0 ? alert.queuedAtMs : this.waiting[earlier].queuedAtMs;
    if (earlier >= 0) this.waiting.splice(earlier, 1);
    this.waiting.push({ ...alert, queuedAtMs });
    this.waiting.sort((a, b) => b.coins - a.coins || a.queuedAtMs - b.queuedAtMs);
    if (this.waiting.length > ALERTS_WAITING_MAX) this.waiting.length = ALERTS_WAITING_MAX;
  }

  /** @param {number} nowMs @returns {Alert|undefined} the next alert, taken out */
  take(nowMs) {
    this.waiting = this.waiting.filter((alert) => nowMs - alert.queuedAtMs <= ALERT_WAIT_MAX_MS);
    return this.waiting.shift();
  }

  /** @param {number} coins @returns {boolean} whether something worth more waits */
  holdsMoreThan(coins) {
    return this.waiting.length > 0 && this.waiting[0].coins > coins;
  }
}
