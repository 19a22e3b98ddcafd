/**
 * Watches how long frames take and says how much decoration the device can bear: counters are never touched, cheap
 * animations go first.
 */

/** @typedef {0|1|2} Quality 2 everything, 1 fewer particles, 0 none */

/** Frames slower than this on average lower the quality. */
const SLOW_MS = 20;
/** Frames faster than this on average may raise it again. */
const FAST_MS = 17.6;
/** The average follows the frames of about this long. */
const WINDOW_MS = 400;
/** A gap longer than this is a hidden tab, not a slow frame. */
const GAP_MS = 1_500;
/** The page is still loading for this long; slow frames say nothing yet. */
const GRACE_MS = 3_000;
const LOWER_AFTER_MS = 500;
/** Calm needed before the quality is raised; doubled each time raising turned out to be too much. */
const RAISE_AFTER_MS = 4_000;
const RAISE_AFTER_MS_MAX = 64_000;

export class Governor {
  /** @type {Quality} */
  quality = 2;
  #averageMs = 16.7;
  #lastMs = 0;
  #startedMs = -1;
  #changedMs = 0;
  #raiseAfterMs = RAISE_AFTER_MS;

  /** Call once per animation frame. @param {number} nowMs */
  frame(nowMs) {
    const frameMs = nowMs - this.#lastMs;
    this.#lastMs = nowMs;
    if (this.#startedMs < 0) this.#startedMs = nowMs;
    if (nowMs - this.#startedMs < GRACE_MS) return;
    if (frameMs <= 0 || frameMs > GAP_MS) return;
    this.#averageMs += (frameMs - this.#averageMs) * Math.min(1, frameMs / WINDOW_MS);
    const sinceChangeMs = nowMs - this.#changedMs;
    if (this.#averageMs > SLOW_MS && this.quality > 0 && sinceChangeMs > LOWER_AFTER_MS) this.#change(-1, nowMs);
    else if (this.#averageMs < FAST_MS && this.quality < 2 && sinceChangeMs > this.#raiseAfterMs) this.#change(1, nowMs);
  }

  /** @param {1|-1} by @param {number} nowMs */
  #change(by, nowMs) {
    if (by === -1) this.#raiseAfterMs = Math.min(RAISE_AFTER_MS_MAX, this.#raiseAfterMs * 2);
    this.quality = /** @type {Quality} */ (this.quality + by);
    this.#changedMs = nowMs;
  }
}
