/**
 * What the studio keeps of a room over a reload of the tab: the queue of thanks and the minutes seen so far.
 */

import { RateSeries } from "./rate_series.js";
import { ThankQueue } from "./thank_queue.js";

const KEY = "giftstream.studio";
/** Raise it when the saved shape changes; another version is not read. */
const VERSION = 1;

/**
 * @typedef {object} RoomMemory
 * @property {RateSeries} series
 * @property {ThankQueue} queue
 * @property {number|null} giftsTotal what the room had counted when this was saved
 */

/** @param {string} room @returns {RoomMemory} empty for another room than the one saved */
export function recall(room) {
  try {
    const saved = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
    if (saved?.version === VERSION && saved.room === room) {
      return { series: RateSeries.restore(saved.series), queue: ThankQueue.restore(saved.queue), giftsTotal: saved.giftsTotal };
    }
  } catch {
    // Storage is blocked or holds something else: begin empty.
  }
  return { series: new RateSeries(), queue: new ThankQueue(), giftsTotal: null };
}

/** @param {string} room @param {RoomMemory} memory */
export function remember(room, { series, queue, giftsTotal }) {
  const saved = { version: VERSION, room, series: series.save(), queue: queue.save(), giftsTotal };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(saved));
  } catch {
    // Without storage a reload begins empty.
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Nothing was kept.
  }
}
