/**
 * One room over one WebSocket that outlives its connections: it resumes after the last delta it handled, sends gifts
 * again under their ids until they are answered, and keeps to the close codes of the protocol.
 */

import { randomId } from "./api.js";
import { backoffMs, closeReason, isFinalClose, retryMsOf, spreadMs } from "./backoff.js";
import { GiftOutbox } from "./gift_outbox.js";
import { Positions } from "./positions.js";
import { Timers } from "./timers.js";

/** From the connection attempt to `joined`. */
const JOIN_TIMEOUT_MS = 10_000;
const HEARTBEAT_DEFAULT_S = 20;
/** Heartbeats without any frame before the connection counts as dead. */
const HEARTBEATS_MISSED_MAX = 2;
/** A connection that lived this long resets the backoff. */
const STABLE_AFTER_MS = 10_000;
const PUMP_INTERVAL_MS = 200;
/** Chat lines and their like that wait for an answer. */
const ASKS_MAX = 32;
const ASK_TIMEOUT_MS = 10_000;
const CLOSED_BY_CLIENT = 1000;
/** Refusals of a join that another attempt will not change. */
const FINAL_JOIN_ERRORS = new Set(["room_not_found", "room_ended", "forbidden", "unauthorized", "not_eligible"]);

/**
 * @typedef {"connecting"|"live"|"reconnecting"|"offline"|"closed"} ConnectionState
 * @typedef {{state: ConnectionState, reason: string, code: number|null, retry_in_ms: number|null, message?: string}} StateDetail
 * @typedef {import("./gift_outbox.js").GiftAck} GiftAck
 * @typedef {import("./gift_outbox.js").GiftNack} GiftNack
 */

/**
 * Events are CustomEvents: "state" (StateDetail), and "welcome", "joined", "delta", "wallet", "notice", "standing", "room_ended",
 * "error" with the frame as detail. After "closed" nothing comes back by itself; call connect() again for a new start.
 */
export class RoomSocket extends EventTarget {
  /** @type {WebSocket|null} */
  #socket = null;
  /** @type {ConnectionState} */
  #state = "closed";
  #attempt = 0;
  #lastFrameMs = 0;
  #positions = new Positions();
  /** @type {Map<string, {resolve: (answer: any) => void, timer: number}>} */
  #asks = new Map();
  #timers = new Timers();
  #outbox = new GiftOutbox((frame) => this.#state === "live" && this.#send(frame));

  /** @param {{token: string, room: string, url?: string}} options url: where the socket is, else /ws of this page */
  constructor({ token, room, url = defaultUrl() }) {
    super();
    this.url = url;
    this.token = token;
    this.room = room;
    this.onOnline = () => this.#retryNow();
    this.onOffline = () => this.#lost(1006, "offline");
  }

  /** @returns {ConnectionState} */
  get state() {
    return this.#state;
  }

  /** Starts, or starts anew after "closed". */
  connect() {
    if (this.#state !== "closed") return;
    addEventListener("online", this.onOnline);
    addEventListener("offline", this.onOffline);
    this.#timers.every("pump", PUMP_INTERVAL_MS, () => this.#outbox.pump(performance.now()));
    this.#attempt = 0;
    this.#setState("connecting", "");
    this.#open();
  }

  /** Leaves the room for good. */
  close() {
    if (this.#state === "closed") return;
    this.#send({ type: "leave", room: this.room });
    this.#stop(CLOSED_BY_CLIENT, "closed");
  }

  /**
   * @param {{gift: string, count: number}} gift
   * @returns {Promise<GiftAck|GiftNack>} never rejects; a gift that could not be answered is a nack with `unavailable`
   */
  sendGift({ gift, count }) {
    return this.#outbox.add({ type: "gift", room: this.room, gift, count }, performance.now());
  }

  /**
   * Buys an item that is no gift; inRoom: false for what belongs to no room.
   * @param {{item: string, note?: string, inRoom?: boolean}} wish
   * @returns {Promise<GiftAck|GiftNack>} as sendGift
   */
  sendSpend({ item, note, inRoom = true }) {
    return this.#outbox.add({ type: "spend", item, note, room: inRoom ? this.room : undefined }, performance.now());
  }

  /**
   * @param {string} text
   * @returns {Promise<{type: "ack"|"nack", id: string, code?: string, message?: string, retry_ms?: number}>}
   */
  sendChat(text) {
    const id = randomId();
    const unavailable = { type: /** @type {const} */ ("nack"), id, code: "unavailable", message: "Not connected." };
    if (this.#state !== "live" || this.#asks.size >= ASKS_MAX) return Promise.resolve(unavailable);
    return new Promise((resolve) => {
      const timer = window.setTimeout(() => this.#answerAsk(unavailable), ASK_TIMEOUT_MS);
      this.#asks.set(id, { resolve, timer });
      this.#send({ type: "chat", id, room: this.room, text });
    });
  }

  /** Likes are not answered; without a connection they are dropped. @param {number} count */
  like(count) {
    if (this.#state === "live") this.#send({ type: "like", room: this.room, count });
  }

  #open() {
    this.#drop();
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    socket.onopen = () => this.#send({ type: "hello", token: this.token });
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onclose = (event) => this.#lost(event.code, event.reason);
    this.#timers.after("join", JOIN_TIMEOUT_MS, () => this.#lost(1006, "timeout"));
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
    switch (frame?.type) {
      case "welcome": return this.#onWelcome(frame);
      case "joined": return this.#onJoined(frame);
      case "delta": return this.#onDelta(frame);
      case "gift_ack":
      case "gift_nack": return this.#outbox.answered(frame, performance.now());
      case "ack":
      case "nack": return this.#answerAsk(frame);
      case "error": return this.#onError(frame);
      case "wallet": return this.#emit("wallet", frame);
      case "notice": return this.#emit("notice", frame);
      case "standing": return frame.room === this.room ? this.#emit("standing", frame) : undefined;
      case "left": return frame.room === this.room && frame.code ? this.#stop(CLOSED_BY_CLIENT, frame.code, frame.message) : undefined;
      case "room_ended": return frame.room === this.room ? this.#emit("room_ended", frame) : undefined;
      default: return undefined;
    }
  }

  /** @param {any} frame */
  #onWelcome(frame) {
    const heartbeatMs = (frame.heartbeat_s > 0 ? frame.heartbeat_s : HEARTBEAT_DEFAULT_S) * 1000;
    this.#timers.every("heartbeat", heartbeatMs, () => this.#heartbeat(heartbeatMs));
    this.#emit("welcome", frame);
    /** @type {{type: string, room: string, since?: string}} */
    const join = { type: "join", room: this.room };
    if (this.#positions.latest !== null) join.since = this.#positions.latest;
    this.#send(join);
  }

  /** @param {any} frame */
  #onJoined(frame) {
    if (frame.room !== this.room) return;
    this.#timers.clear("join");
    if (!frame.recovered) this.#positions.restart(frame.position);
    this.#timers.after("stable", STABLE_AFTER_MS, () => { this.#attempt = 0; });
    this.#emit("joined", frame);
    this.#setState("live", "");
    this.#outbox.pump(performance.now());
  }

  /** @param {any} frame */
  #onDelta(frame) {
    if (frame.room === this.room && this.#positions.handle(frame.position)) this.#emit("delta", frame);
  }

  /** @param {any} frame */
  #onError(frame) {
    this.#emit("error", frame);
    if (this.#state !== "live" && FINAL_JOIN_ERRORS.has(frame.code)) this.#stop(CLOSED_BY_CLIENT, frame.code, frame.message);
  }

  /** @param {number} heartbeatMs */
  #heartbeat(heartbeatMs) {
    if (performance.now() - this.#lastFrameMs > heartbeatMs * HEARTBEATS_MISSED_MAX) this.#lost(1006, "silent");
    else this.#send({ type: "ping", ts: Date.now() * 1000 });
  }

  /**
   * The connection is gone. A socket that hangs is not waited for.
   * @param {number} code
   * @param {string} reason
   */
  #lost(code, reason) {
    if (this.#state === "closed") return;
    this.#drop();
    if (isFinalClose(code)) return this.#stop(code, closeReason(code));
    const retryMs = code === 1012 ? retryMsOf(reason) : null;
    const delayMs = retryMs === null ? backoffMs(this.#attempt) : spreadMs(retryMs);
    this.#attempt += 1;
    this.#timers.after("retry", delayMs, () => this.#open());
    // The browser's own word is a hint only: a server on this machine answers without a network.
    const state = navigator.onLine ? "reconnecting" : "offline";
    this.#setState(state, closeReason(code), { code, retry_in_ms: delayMs });
  }

  #retryNow() {
    if (this.#state !== "offline") return;
    this.#timers.after("retry", backoffMs(0), () => this.#open());
    this.#setState("reconnecting", "online");
  }

  /** Forgets the connection without waiting for its close handshake. */
  #drop() {
    this.#timers.clear("join", "heartbeat", "stable");
    const socket = this.#socket;
    this.#socket = null;
    this.#outbox.disconnected();
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {number} code @param {string} reason @param {string} [message] the server's own words */
  #stop(code, reason, message) {
    this.#drop();
    removeEventListener("online", this.onOnline);
    removeEventListener("offline", this.onOffline);
    this.#timers.clearAll();
    this.#setState("closed", reason, { code, message });
    this.#outbox.close();
  }

  /** @param {any} answer */
  #answerAsk(answer) {
    const ask = this.#asks.get(answer.id);
    if (!ask) return;
    this.#asks.delete(answer.id);
    clearTimeout(ask.timer);
    ask.resolve(answer);
  }

  /** @param {object} frame @returns {boolean} whether there was a connection to send it on */
  #send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {ConnectionState} state @param {string} reason @param {Partial<StateDetail>} [more] */
  #setState(state, reason, more = {}) {
    this.#state = state;
    this.#emit("state", { state, reason, code: null, retry_in_ms: null, ...more });
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
