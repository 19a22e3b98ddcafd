/**
 * Runs something when asked, at once when it has rested, and otherwise once when its pause is over: a busy room asks ten
 * times a second, and lists that change faster than they can be read only cost.
 */

export class Paced {
  #lastMs = -Infinity;
  #timer = 0;

  /** @param {() => void} run @param {number} pauseMs shortest time between two runs */
  constructor(run, pauseMs) {
    this.run = run;
    this.pauseMs = pauseMs;
  }

  request() {
    if (this.#timer) return;
    const waitMs = this.#lastMs + this.pauseMs - performance.now();
    if (waitMs <= 0) this.now();
    else this.#timer = window.setTimeout(() => this.now(), waitMs);
  }

  /** Runs at once, in place of what was asked for. */
  now() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#lastMs = performance.now();
    this.run();
  }
}
