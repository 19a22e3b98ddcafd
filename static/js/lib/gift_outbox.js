/**
 * Gifts and other items on their way: each keeps its id until it is answered, so that sending it again charges nothing
 * twice.
 */

import { randomId } from "./api.js";

/** Gifts sent and not yet answered at one time. */
export const IN_FLIGHT_MAX = 8;
/** Gifts waiting or in flight; further ones are refused at once. */
export const PENDING_MAX = 64;
/** How often one gift is sent again because the server was busy, limited the rate, or could not tell what became of it. */
export const REFUSED_RETRIES_MAX = 6;
/** An unanswered gift is sent again after this long on a connection that lives. */
export const RESEND_AFTER_MS = 8_000;
/** The server remembers an id for at least ten minutes; past this age a resend could charge twice, so none is made. */
export const ANSWER_DEADLINE_MS = 5 * 60_000;

const RETRY_DEFAULT_MS = 400;
const RETRY_CAP_MS = 10_000;
const RETRY_JITTER = 0.3;
/** Of `unavailable` nobody knows whether the gift was accepted; asking again under its id tells. */
const RETRYABLE = new Set(["rate_limited", "busy", "unavailable"]);

/**
 * @typedef {{type: "gift_ack", id: string, gift_id: string, coins: number, combo: number, at: number,
 *   near?: Array<"day"|"week"|"month">}} GiftAck near: budgets that this gift made nearly spent
 * @typedef {{type: "gift_nack", id: string, code: string, message: string, coins?: number, retry_ms?: number,
 *   limit?: "day"|"week"|"month", until?: number}} GiftNack limit, until: the budget that it is over, or the pause, and when it ends
 */

/**
 * @typedef {object} PendingGift
 * @property {{type: "gift"|"spend", id: string}} frame
 * @property {(answer: GiftAck|GiftNack) => void} resolve
 * @property {number} createdAtMs
 * @property {number|null} sentAtMs null while waiting
 * @property {number} notBeforeMs
 * @property {number} refusals
 */

export class GiftOutbox {
  /** @type {Map<string, PendingGift>} in the order they were asked for */
  #pending = new Map();

  /** @param {(frame: object) => boolean} send hands a frame to the connection; false when there is none */
  constructor(send) {
    this.send = send;
  }

  get size() {
    return this.#pending.size;
  }

  /**
   * @param {{type: "gift", room: string, gift: string, count: number}|{type: "spend", room?: string, item: string, count?: number, note?: string}} wanted
   *   the frame, but for its id
   * @param {number} nowMs
   * @returns {Promise<GiftAck|GiftNack>} always resolves; a refusal is an answer, not an exception
   */
  add(wanted, nowMs) {
    const id = randomId();
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.resolve(localNack(id, "busy", "Too many gifts are on their way."));
    }
    return new Promise((resolve) => {
      const frame = { ...wanted, id };
      this.#pending.set(id, { frame, resolve, createdAtMs: nowMs, sentAtMs: null, notBeforeMs: 0, refusals: 0 });
      this.pump(nowMs);
    });
  }

  /** The connection is gone: what was in flight waits again, under the same ids. */
  disconnected() {
    for (const gift of this.#pending.values()) gift.sentAtMs = null;
  }

  /**
   * Takes the answer to a gift; the server's "later" is retried here and does not reach the caller.
   * @param {GiftAck|GiftNack} answer
   * @param {number} nowMs
   */
  answered(answer, nowMs) {
    const gift = this.#pending.get(answer.id);
    if (!gift) return;
    if (answer.type === "gift_nack" && RETRYABLE.has(answer.code) && gift.refusals < REFUSED_RETRIES_MAX) {
      const waitMs = Math.min(RETRY_CAP_MS, answer.retry_ms ?? RETRY_DEFAULT_MS * 2 ** gift.refusals);
      gift.refusals += 1;
      gift.sentAtMs = null;
      gift.notBeforeMs = nowMs + waitMs * (1 + RETRY_JITTER * Math.random());
      return;
    }
    this.#pending.delete(answer.id);
    gift.resolve(answer);
    this.pump(nowMs);
  }

  /** Sends what may go now; call it often enough for the retry times to mean something. @param {number} nowMs */
  pump(nowMs) {
    let inFlight = 0;
    for (const gift of this.#pending.values()) {
      if (nowMs - gift.createdAtMs > ANSWER_DEADLINE_MS) {
        this.#giveUp(gift);
        continue;
      }
      if (inFlight >= IN_FLIGHT_MAX) continue;
      const unanswered = gift.sentAtMs !== null && nowMs - gift.sentAtMs < RESEND_AFTER_MS;
      if (unanswered) {
        inFlight += 1;
      } else if (nowMs >= gift.notBeforeMs && this.send(gift.frame)) {
        gift.sentAtMs = nowMs;
        inFlight += 1;
      }
    }
  }

  /** Answers everything that still waits: the connection will not come back. */
  close() {
    for (const gift of [...this.#pending.values()]) this.#giveUp(gift);
  }

  /** @param {PendingGift} gift */
  #giveUp(gift) {
    this.#pending.delete(gift.frame.id);
    const message = "No answer came; your gift history shows whether it was sent.";
    gift.resolve(localNack(gift.frame.id, "unavailable", message));
  }
}

/** @param {string} id @param {string} code @param {string} message @returns {GiftNack} */
function localNack(id, code, message) {
  return { type: "gift_nack", id, code, message };
}
