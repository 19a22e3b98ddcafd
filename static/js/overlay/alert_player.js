/**
 * Shows one alert at a time. A combo that grows while it is on screen is updated in place and stays a little longer,
 * unless something more valuable waits.
 */

import { AlertQueue, alertOf } from "./alert_queue.js";

/** @typedef {import("./alert_queue.js").Alert} Alert */
/** @typedef {import("../lib/gifts.js").Tier} Tier */

/** @type {Readonly<Record<Tier, number>>} how long an alert stands, at least */
export const ALERT_SHOWN_MS = { small: 2_600, medium: 3_400, large: 4_800, epic: 6_500, legendary: 8_000 };
/** With this many waiting, an alert stands half as long. */
const CROWD = 6;
/** After a combo's last step. */
const COMBO_LINGER_MS = 2_000;
const ALERT_LIFE_MAX_MS = 15_000;
/** Matches the leave animation in overlay.css. */
const LEAVE_MS = 320;

/**
 * @typedef {object} AlertScreen what the player draws on
 * @property {(alert: Alert, shownMs: number) => void} show
 * @property {(alert: Alert) => void} update
 * @property {() => void} leave begins the leave animation
 * @property {() => void} clear
 */

export class AlertPlayer {
  /** @type {{alert: Alert, shownAtMs: number, endsAtMs: number}|null} */
  #current = null;
  #leaving = false;
  #timer = 0;

  /**
   * @param {AlertScreen} screen
   * @param {(giftId: string) => Tier} tierOf
   * @param {number} minCoins
   */
  constructor(screen, tierOf, minCoins) {
    this.screen = screen;
    this.tierOf = tierOf;
    this.minCoins = minCoins;
    this.queue = new AlertQueue();
  }

  /** @param {import("../lib/room_state.js").GiftEntry} entry */
  add(entry) {
    const nowMs = performance.now();
    const alert = alertOf(entry, nowMs);
    if (this.#current && !this.#leaving && this.#current.alert.key === alert.key) {
      this.#grow(alert, nowMs);
    } else if (alert.coins >= this.minCoins) {
      this.queue.add(alert);
    }
    if (!this.#current) this.#next();
  }

  /** @param {Alert} alert @param {number} nowMs */
  #grow(alert, nowMs) {
    const current = this.#current;
    if (current === null || alert.times < current.alert.times) return;
    current.alert = alert;
    this.screen.update(alert);
    if (this.queue.holdsMoreThan(alert.coins)) return;
    const latestMs = current.shownAtMs + ALERT_LIFE_MAX_MS;
    current.endsAtMs = Math.min(latestMs, Math.max(current.endsAtMs, nowMs + COMBO_LINGER_MS));
    this.#schedule(() => this.#leave(), current.endsAtMs - nowMs);
  }

  #next() {
    const nowMs = performance.now();
    const alert = this.queue.take(nowMs);
    if (!alert) return;
    const crowded = this.queue.waiting.length >= CROWD;
    const shownMs = ALERT_SHOWN_MS[this.tierOf(alert.gift)] / (crowded ? 2 : 1);
    this.#current = { alert, shownAtMs: nowMs, endsAtMs: nowMs + shownMs };
    this.#leaving = false;
    this.screen.show(alert, shownMs);
    this.#schedule(() => this.#leave(), shownMs);
  }

  #leave() {
    this.#leaving = true;
    this.screen.leave();
    this.#schedule(() => this.#cleared(), LEAVE_MS);
  }

  #cleared() {
    this.#current = null;
    this.screen.clear();
    this.#next();
  }

  /** @param {() => void} run @param {number} ms */
  #schedule(run, ms) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(run, ms);
  }
}
