/**
 * Diamonds per minute, derived from the room's running totals as they were seen live.
 *
 * Totals are never increments, so a missed delta costs nothing: the next one carries the sum. Only a total that arrives after a
 * real gap (a fresh snapshot) cannot be put on a minute; it becomes the new baseline and the minutes without sight are marked.
 */

export const MINUTES_KEPT = 60;
const US_PER_MINUTE = 60_000_000;

/**
 * @typedef {object} MinuteBar
 * @property {number} minute   minutes since the Unix epoch
 * @property {number} diamonds earned within that minute
 * @property {boolean} seen    false where nobody was watching: the figure may be too low
 */

/** @typedef {{total: number|null, lastMinute: number|null, bars: [number, number][], seen: [number, number][]}} SavedSeries */

export class RateSeries {
  constructor() {
    /** @type {number|null} the running total that was seen last */
    this.total = null;
    /** @type {number|null} the newest minute known to be watched */
    this.lastMinute = null;
    /** @type {Map<number, number>} minute -> diamonds */
    this.bars = new Map();
    /** @type {[number, number][]} closed ranges of watched minutes, oldest first */
    this.seen = [];
  }

  /**
   * A fresh snapshot: what came before it is not known by the minute.
   * @param {number} total running total, in diamonds
   * @param {number} tsUs  time of the snapshot, in µs
   */
  rebase(total, tsUs) {
    const minute = Math.floor(tsUs / US_PER_MINUTE);
    this.total = total;
    this.lastMinute = minute;
    this.seen.push([minute, minute]);
    this.#forget(minute);
  }

  /**
   * A running total out of a delta.
   * @param {number} total in diamonds
   * @param {number} tsUs  time of the delta, in µs
   */
  observe(total, tsUs) {
    if (this.total === null) {
      this.rebase(total, tsUs);
      return;
    }
    const minute = Math.floor(tsUs / US_PER_MINUTE);
    const earned = total - this.total;
    this.total = total;
    if (earned > 0) this.bars.set(minute, (this.bars.get(minute) ?? 0) + earned);
    this.watch(tsUs);
  }

  /**
   * The connection is alive at this time, whether or not anything was earned.
   * @param {number} tsUs
   */
  watch(tsUs) {
    const range = this.seen.at(-1);
    if (!range) return;
    const minute = Math.floor(tsUs / US_PER_MINUTE);
    if (minute <= range[1]) return;
    range[1] = minute;
    this.lastMinute = minute;
    this.#forget(minute);
  }

  /**
   * The last MINUTES_KEPT minutes, oldest first, ending with the running one.
   * @param {number} nowUs
   * @returns {MinuteBar[]}
   */
  window(nowUs) {
    const last = Math.max(Math.floor(nowUs / US_PER_MINUTE), this.lastMinute ?? 0);
    return Array.from({ length: MINUTES_KEPT }, (_, index) => {
      const minute = last - MINUTES_KEPT + 1 + index;
      return {
        minute,
        diamonds: this.bars.get(minute) ?? 0,
        seen: this.seen.some(([from, to]) => from <= minute && minute <= to),
      };
    });
  }

  /** @returns {SavedSeries} what `RateSeries.restore` takes */
  save() {
    return { total: this.total, lastMinute: this.lastMinute, bars: [...this.bars], seen: this.seen };
  }

  /**
   * @param {SavedSeries} saved
   * @returns {RateSeries}
   */
  static restore(saved) {
    const series = new RateSeries();
    series.total = saved.total;
    series.lastMinute = saved.lastMinute;
    series.bars = new Map(saved.bars);
    series.seen = saved.seen.map(([from, to]) => [from, to]);
    if (series.lastMinute !== null) series.#forget(series.lastMinute);
    return series;
  }

  /** @param {number} newest */
  #forget(newest) {
    const oldest = newest - MINUTES_KEPT + 1;
    for (const minute of this.bars.keys()) if (minute < oldest) this.bars.delete(minute);
    this.seen = this.seen.filter(([, to]) => to >= oldest).slice(-MINUTES_KEPT);
  }
}

/**
 * A round upper end for an axis, so that four grid lines fall on whole numbers.
 * @param {number} highest the largest value shown
 * @returns {number} at least 4
 */
export function axisTop(highest) {
  if (highest <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(highest));
  const steps = [1, 2, 4, 8, 10, 20, 40].map((step) => Math.max(4, step * power));
  return /** @type {number} */ (steps.find((step) => step >= highest));
}
