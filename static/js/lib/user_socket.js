/**
 * A WebSocket that is in no room: it says who is here, and hears what concerns this user wherever it happens, such as a
 * balance that changed. It comes back by itself, by the close codes of the protocol.
 */

import { backoffMs, closeReason, isFinalClose, retryMsOf, spreadMs } from "./backoff.js";
import { Timers } from "./timers.js";

const WELCOME_TIMEOUT_MS = 10_000;
const HEARTBEAT_DEFAULT_S = 20;
/** Heartbeats without any frame before the connection counts as dead. */
const HEARTBEATS_MISSED_MAX = 2;

/**
 * Events are CustomEvents: every frame under its `type`, with the frame as detail, and "state" with {state, reason}.
 * @typedef {"connecting"|"live"|"reconnecting"|"closed"} UserSocketState
 */
export class UserSocket extends EventTarget {
  /** @type {WebSocket|null} */
  #socket = null;
  /** @type {UserSocketState} */
  #state = "closed";
  #attempt = 0;
  #lastFrameMs = 0;
  #timers = new Timers();

  /** @param {{token: string, url?: string}} options url: where the socket is, else /ws of this page */
  constructor({ token, url = defaultUrl() }) {
    super();
    this.token = token;
    this.url = url;
    this.onOnline = () => this.#state === "reconnecting" && this.#retryIn(backoffMs(0));
  }

  /** @returns {UserSocketState} */
  get state() {
    return this.#state;
  }

  /** Starts, or starts anew after "closed". */
  connect() {
    if (this.#state !== "closed") return;
    addEventListener("online", this.onOnline);
    this.#attempt = 0;
    this.#setState("connecting", "");
    this.#open();
  }

  /** Ends for good. */
  close() {
    if (this.#state !== "closed") this.#stop("closed");
  }

  #open() {
    this.#drop();
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "hello", token: this.token });
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onclose = (event) => this.#lost(event.code, event.reason);
    this.#timers.after("welcome", WELCOME_TIMEOUT_MS, () => this.#lost(1006, "timeout"));
  }

  /** @param {string} data one frame */
  #onMessage(data) {
    this.#lastFrameMs = performance.now();
    /** @type {any} */
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    if (typeof frame?.type !== "string") return;
    if (frame.type === "welcome") this.#welcomed(frame);
    this.#emit(frame.type, frame);
  }

  /** @param {{heartbeat_s: number}} frame */
  #welcomed({ heartbeat_s }) {
    const heartbeatMs = (heartbeat_s > 0 ? heartbeat_s : HEARTBEAT_DEFAULT_S) * 1000;
    this.#timers.clear("welcome");
    this.#timers.every("heartbeat", heartbeatMs, () => this.#heartbeat(heartbeatMs));
    this.#attempt = 0;
    this.#setState("live", "");
  }

  /** @param {number} heartbeatMs */
  #heartbeat(heartbeatMs) {
    if (performance.now() - this.#lastFrameMs > heartbeatMs * HEARTBEATS_MISSED_MAX) this.#lost(1006, "silent");
    else this.#send({ type: "ping" });
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    if (this.#state === "closed") return;
    this.#drop();
    if (isFinalClose(code)) return this.#stop(closeReason(code));
    const retryMs = code === 1012 ? retryMsOf(reason) : null;
    this.#setState("reconnecting", closeReason(code));
    this.#retryIn(retryMs === null ? backoffMs(this.#attempt) : spreadMs(retryMs));
    this.#attempt += 1;
  }

  /** @param {number} delayMs */
  #retryIn(delayMs) {
    this.#timers.after("retry", delayMs, () => this.#open());
  }

  /** Forgets the connection without waiting for its close handshake. */
  #drop() {
    this.#timers.clear("welcome", "heartbeat", "retry");
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {string} reason */
  #stop(reason) {
    this.#drop();
    removeEventListener("online", this.onOnline);
    this.#setState("closed", reason);
  }

  /** @param {object} frame */
  #send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** @param {UserSocketState} state @param {string} reason */
  #setState(state, reason) {
    this.#state = state;
    this.#emit("state", { state, reason });
  }

  /** @param {string} type @param {object} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @returns {string} */
function defaultUrl() {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`;
}
