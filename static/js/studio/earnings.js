/**
 * Settled against pending diamonds: asked for gently while the page is visible, beside the lobby and the live room.
 */

import { backoffMs } from "../lib/backoff.js";
import { element, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";

/** @typedef {import("../lib/api.js").Api} Api */
/** @typedef {{id: string, title: string, state: "live"|"ended", diamonds: number, gifts: number, started_at: string}} CreatorRoom */
/** @typedef {{diamonds: {settled: number, pending: number}, rooms: CreatorRoom[]}} Earnings */

export const REFRESH_MS = 4_000;
export const REFRESH_MAX_MS = 60_000;

/** Fires "earnings" (CustomEvent<Earnings>) after each answer. */
export class EarningsPoll extends EventTarget {
  #timer = 0;
  #failures = 0;
  #running = false;
  #asking = false;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#schedule(REFRESH_MS);
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  /**
   * @returns {Promise<Earnings>}
   * @throws {import("../lib/api.js").ApiError}
   */
  async ask() {
    /** @type {Earnings} */
    const earnings = await this.api.get("/creator/earnings");
    this.dispatchEvent(new CustomEvent("earnings", { detail: earnings }));
    return earnings;
  }

  async #refresh() {
    if (this.#asking) return;
    this.#asking = true;
    let waitMs = REFRESH_MS;
    try {
      await this.ask();
      this.#failures = 0;
    } catch (problem) {
      this.#failures += 1;
      const retryMs = /** @type {{retry_ms?: number}} */ (problem).retry_ms ?? 0;
      waitMs = Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MS * 2 ** Math.min(this.#failures, 4), retryMs)) + backoffMs(this.#failures);
    } finally {
      this.#asking = false;
    }
    if (this.#running && !document.hidden) this.#schedule(waitMs);
  }

  /** @param {number} ms */
  #schedule(ms) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#refresh(), ms);
  }

  #visibilityChanged() {
    clearTimeout(this.#timer);
    if (this.#running && !document.hidden) this.#refresh();
  }
}

/** Two figures and the bar between them. */
export class EarningsPanel {
  constructor() {
    this.settled = element("dd", { class: "number", testid: "settled", text: "–" });
    this.pending = element("dd", { class: "number", testid: "pending", text: "–" });
    this.bar = element("span", { class: "split-settled" });
    this.node = element("div", { class: "earnings" },
      element("dl", { class: "split" },
        element("div", { class: "split-part" }, element("dt", { text: "Settled" }), this.settled),
        element("div", { class: "split-part is-pending" }, element("dt", { text: "Pending" }), this.pending)),
      element("div", { class: "split-bar", attrs: { "aria-hidden": "true" } }, this.bar),
      element("p", { class: "muted fine", text: "Diamonds of all your rooms. Pending ones are safe and reach the ledger with the next batch." }),
    );
  }

  /** @param {Earnings} earnings */
  render({ diamonds: { settled, pending } }) {
    setText(this.settled, formatNumber(settled));
    setText(this.pending, formatNumber(pending));
    this.settled.dataset.value = String(settled);
    this.pending.dataset.value = String(pending);
    const all = settled + pending;
    this.bar.style.transform = `scaleX(${all > 0 ? settled / all : 0})`;
  }
}
