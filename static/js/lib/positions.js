/**
 * Which deltas of a room were handled. Positions are opaque: they are compared for equality only.
 */

/** Positions remembered to recognise a delta that comes twice. */
export const POSITIONS_MAX = 512;

export class Positions {
  /** @type {string|null} what to resume after */
  latest = null;
  /** @type {Set<string>} oldest first */
  #handled = new Set();

  /** Forgets everything before a snapshot. @param {string} position of the snapshot */
  restart(position) {
    this.#handled.clear();
    this.handle(position);
  }

  /** @param {string} position @returns {boolean} false when it was handled before */
  handle(position) {
    if (this.#handled.has(position)) return false;
    this.#handled.add(position);
    this.latest = position;
    if (this.#handled.size > POSITIONS_MAX) {
      this.#handled.delete(/** @type {string} */ (this.#handled.values().next().value));
    }
    return true;
  }
}
