/**
 * Which gifts the tray shows, as rules without a screen: three lanes, a combo stays in its lane, better gifts displace
 * cheaper ones, what waits is bounded and grows stale.
 */

export const LANES = 3;
/** Gifts that wait for a lane; the cheapest beyond that are not shown in the tray. */
export const WAITING_MAX = 16;
/** A lane empties this long after its last gift: the pause that ends a combo. */
export const IDLE_MS = 3_000;
/** The same when others wait. */
export const IDLE_CROWDED_MS = 1_200;
/** Time every gift may keep its lane. */
export const SHOWN_MS_MIN = 800;
/** A waiting gift takes a lane when it is worth this many times more. */
export const DISPLACE_FACTOR = 2;
/** A gift that waited longer is old news. */
export const WAIT_MS_MAX = 5_000;

/**
 * @typedef {object} LaneItem
 * @property {string} key combo id, or gift id when there is no combo
 * @property {import("../lib/room_state.js").User} from
 * @property {import("../lib/gifts.js").Gift} gift
 * @property {number} combo the number to show
 * @property {number} coins worth of what was seen of it
 * @property {boolean} own
 */

/** @typedef {LaneItem & {sinceMs: number, touchedMs: number}} ShownItem */

export class LaneBoard {
  /** @type {Array<ShownItem|null>} */
  lanes = Array.from({ length: LANES }, () => null);
  /** @type {ShownItem[]} best first; sinceMs is when it began to wait */
  #waiting = [];

  /** @param {LaneItem} item @param {number} nowMs */
  offer(item, nowMs) {
    const known = [...this.lanes, ...this.#waiting].find((other) => other?.key === item.key);
    if (known) {
      known.combo = Math.max(known.combo, item.combo);
      known.coins += item.coins;
      known.touchedMs = nowMs;
    } else {
      this.#waiting.push({ ...item, sinceMs: nowMs, touchedMs: nowMs });
    }
    this.#waiting.sort(byWorth);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.pop();
  }

  /**
   * Moves time on.
   * @param {number} nowMs
   * @returns {boolean} whether anything is shown or waits
   */
  tick(nowMs) {
    this.#waiting = this.#waiting.filter((item) => nowMs - item.touchedMs <= WAIT_MS_MAX);
    const idleMs = this.#waiting.length > 0 ? IDLE_CROWDED_MS : IDLE_MS;
    this.lanes.forEach((item, lane) => {
      if (item && nowMs - item.touchedMs >= idleMs) this.lanes[lane] = null;
    });
    for (let lane = 0; lane < LANES && this.#waiting.length > 0; lane += 1) {
      if (this.lanes[lane] === null) this.#show(lane, nowMs);
    }
    this.#displace(nowMs);
    return this.#waiting.length > 0 || this.lanes.some((item) => item !== null);
  }

  clear() {
    this.lanes.fill(null);
    this.#waiting = [];
  }

  /** @param {number} nowMs */
  #displace(nowMs) {
    for (let turn = 0; turn < LANES && this.#waiting.length > 0; turn += 1) {
      const lane = this.#cheapestLane(nowMs);
      if (lane === -1 || !outranks(this.#waiting[0], /** @type {ShownItem} */ (this.lanes[lane]))) return;
      this.#show(lane, nowMs);
    }
  }

  /** @param {number} nowMs @returns {number} of those shown long enough; -1 when there is none */
  #cheapestLane(nowMs) {
    let cheapest = -1;
    this.lanes.forEach((item, lane) => {
      if (!item || nowMs - item.sinceMs < SHOWN_MS_MIN) return;
      const best = cheapest === -1 ? null : this.lanes[cheapest];
      if (!best || byWorth(best, item) < 0) cheapest = lane;
    });
    return cheapest;
  }

  /** @param {number} lane @param {number} nowMs */
  #show(lane, nowMs) {
    const item = /** @type {ShownItem} */ (this.#waiting.shift());
    this.lanes[lane] = { ...item, sinceMs: nowMs, touchedMs: nowMs };
  }
}

/** Sorts one's own gifts first, then the more valuable. @param {ShownItem} a @param {ShownItem} b */
function byWorth(a, b) {
  return Number(b.own) - Number(a.own) || b.coins - a.coins;
}

/** @param {ShownItem} challenger @param {ShownItem} shown */
function outranks(challenger, shown) {
  if (challenger.own !== shown.own) return challenger.own;
  return challenger.coins >= shown.coins * DISPLACE_FACTOR;
}
