/**
 * A room connection that never gives up: nobody sits in front of an overlay to press "reload".
 *
 * RoomSocket already comes back after every loss a client may come back from. This adds the rest: after a refusal that a
 * new attempt will hardly change it asks again slowly, and after any other final close with full-jitter backoff.
 */

import { backoffMs } from "../lib/backoff.js";
import { RoomSocket } from "../lib/socket.js";

/** A refused overlay asks again after this long, plus up to half of it. */
export const REFUSED_RETRY_MS = 60_000;
/** A connection that lived this long makes the next backoff start small again. */
const STABLE_AFTER_MS = 10_000;

/** Reasons that only a new address, token or room would change. */
const REFUSALS = new Set(["unauthorized", "forbidden", "room_not_found", "room_ended"]);
/** Of these, the ones after which nothing may be shown any more. */
const SHUT_OUT = new Set(["unauthorized", "forbidden", "room_not_found"]);

/** @typedef {"starting"|"live"|"waiting"|"refused"} OverlayConnection waiting: keeps what is on screen; refused: shows nothing */

/** Fires "frame" (CustomEvent, the frame as detail) for `joined`, `delta`, `room_ended`, and "state" (OverlayConnection). */
export class EndlessRoom extends EventTarget {
  #attempt = 0;
  #liveSinceMs = 0;

  /** @param {{token: string, room: string}} address */
  constructor({ token, room }) {
    super();
    this.socket = new RoomSocket({ token, room });
    for (const type of ["joined", "delta", "room_ended"]) {
      this.socket.addEventListener(type, (event) => this.#emit("frame", /** @type {CustomEvent} */ (event).detail));
    }
    this.socket.addEventListener("state", (event) => this.#onState(/** @type {CustomEvent} */ (event).detail));
  }

  start() {
    this.socket.connect();
  }

  /** @param {import("../lib/socket.js").StateDetail} detail */
  #onState({ state, reason }) {
    const nowMs = performance.now();
    if (state === "live") {
      this.#liveSinceMs = nowMs;
      return this.#emit("state", "live");
    }
    if (state !== "closed") {
      // While a refused overlay asks again it stays dark.
      return state === "connecting" ? undefined : this.#emit("state", "waiting");
    }
    if (this.#liveSinceMs > 0 && nowMs - this.#liveSinceMs > STABLE_AFTER_MS) this.#attempt = 0;
    this.#liveSinceMs = 0;
    const delayMs = REFUSALS.has(reason)
      ? REFUSED_RETRY_MS * (1 + Math.random() / 2)
      : backoffMs(this.#attempt);
    this.#attempt += 1;
    this.#emit("state", SHUT_OUT.has(reason) ? "refused" : "waiting");
    window.setTimeout(() => this.socket.connect(), delayMs);
    return undefined;
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
