/**
 * The server's time, as far as deltas tell it, so that a wrong clock on the creator's machine does not move the chart.
 */

export class ServerClock {
  /** Server minus local, in µs. A delta is never from the future: the largest difference seen is the least delayed. */
  #aheadUs = -Infinity;

  /** @param {() => number} [localMs] milliseconds since the epoch */
  constructor(localMs = Date.now) {
    this.localMs = localMs;
  }

  /** @param {number} tsUs time written into a delta */
  observe(tsUs) {
    this.#aheadUs = Math.max(this.#aheadUs, tsUs - this.localMs() * 1000);
  }

  /** @returns {number} µs since the epoch */
  nowUs() {
    return this.localMs() * 1000 + (Number.isFinite(this.#aheadUs) ? this.#aheadUs : 0);
  }
}
