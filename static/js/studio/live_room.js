/**
 * What is known of one room while the studio watches it: its state, the minutes, the queue of thanks, and the connection
 * that feeds them. No DOM.
 */

import { applyFrame, emptyRoomState } from "../lib/room_state.js";
import { RoomSocket } from "../lib/socket.js";
import { forget, recall, remember } from "./room_memory.js";
import { ServerClock } from "../lib/server_clock.js";

/** @typedef {import("../lib/room_state.js").Step} Step */
/** @typedef {import("../lib/socket.js").StateDetail} StateDetail */

/**
 * Fires "change" (CustomEvent<Step>) after each frame of the room, "connection" (CustomEvent<StateDetail>), and
 * "identified" (CustomEvent<{id, name}>) with the token's owner.
 */
export class LiveRoom extends EventTarget {
  /** @param {{token: string, room: string}} options */
  constructor({ token, room }) {
    super();
    this.id = room;
    this.state = emptyRoomState();
    this.clock = new ServerClock();
    const { series, queue, giftsTotal } = recall(room);
    this.series = series;
    this.queue = queue;
    /** Gifts that the queue knows of or has counted. */
    this.giftsTotal = giftsTotal;
    this.socket = new RoomSocket({ token, room });
    for (const type of ["joined", "delta", "room_ended"]) {
      this.socket.addEventListener(type, (event) => this.#onFrame(/** @type {CustomEvent} */ (event).detail));
    }
    this.socket.addEventListener("state", (event) => this.#emit("connection", /** @type {CustomEvent} */ (event).detail));
    this.socket.addEventListener("welcome", (event) => this.#emit("identified", /** @type {CustomEvent} */ (event).detail.user));
  }

  open() {
    this.socket.connect();
  }

  close() {
    this.socket.close();
  }

  /** Keeps what a reload of the tab would lose. */
  save() {
    if (this.state.ended) forget();
    else if (this.state.room !== null) remember(this.id, this);
  }

  /** @returns {import("./rate_series.js").MinuteBar[]} the last hour, up to this minute */
  minutes() {
    const nowUs = this.clock.nowUs();
    if (this.socket.state === "live" && !this.state.ended) this.series.watch(nowUs);
    return this.series.window(nowUs);
  }

  /** @param {any} frame */
  #onFrame(frame) {
    const step = applyFrame(this.state, frame);
    this.state = step.state;
    if (step.fresh) this.#onSnapshot();
    if (frame.type === "delta") {
      this.clock.observe(frame.ts);
      this.series.observe(this.state.diamonds, frame.ts);
      this.queue.add(step.gifts, step.more.count);
    }
    this.giftsTotal = this.state.gifts_total;
    this.#emit("change", step);
  }

  /** Gifts given while nobody watched are in the totals, without their names. */
  #onSnapshot() {
    if (this.giftsTotal !== null) this.queue.unlisted += Math.max(0, this.state.gifts_total - this.giftsTotal);
    this.series.rebase(this.state.diamonds, this.clock.nowUs());
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
