/**
 * Timers by purpose: setting one again replaces it, and all can be stopped at once.
 */

export class Timers {
  /** @type {Map<string, number>} */
  #running = new Map();

  /** @param {string} purpose @param {number} ms @param {() => void} run */
  after(purpose, ms, run) {
    this.clear(purpose);
    this.#running.set(purpose, setTimeout(run, ms));
  }

  /** @param {string} purpose @param {number} ms @param {() => void} run */
  every(purpose, ms, run) {
    this.clear(purpose);
    this.#running.set(purpose, setInterval(run, ms));
  }

  /** @param {...string} purposes */
  clear(...purposes) {
    for (const purpose of purposes) {
      clearTimeout(this.#running.get(purpose));
      this.#running.delete(purpose);
    }
  }

  clearAll() {
    this.clear(...this.#running.keys());
  }
}
