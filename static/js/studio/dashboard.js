/**
 * The live room as the creator runs it: opening, watching, thanking, ending.
 */

import { setText } from "../lib/element.js";
import { formatNumber, toMicroseconds } from "../lib/format.js";
import { Announcer } from "./announcer.js";
import { ChatPanel } from "./chat_panel.js";
import { showConnection } from "./connection_pill.js";
import { EndDialog } from "./end_dialog.js";
import { LiveRoom } from "./live_room.js";
import { LiveView } from "./live_view.js";
import { OverlayLink } from "./overlay_link.js";
import { byId } from "./page.js";
import { openPromotion } from "./promote_dialog.js";

/** @typedef {import("../lib/api.js").Api} Api */
/** @typedef {import("../lib/session.js").Session} Session */
/** @typedef {import("../lib/socket.js").StateDetail} StateDetail */

const SECOND_MS = 1_000;
const SAVE_EVERY_S = 5;

/** Fires "left" (CustomEvent<string>: why, or empty) when the room is no longer watched, and "identified" (CustomEvent<User>). */
export class Dashboard extends EventTarget {
  /** @type {LiveRoom|null} */
  #room = null;
  #second = 0;

  /** @param {{api: Api, session: Session, giftName: (giftId: string) => string}} parts */
  constructor({ api, session, giftName }) {
    super();
    this.api = api;
    this.session = session;
    this.view = new LiveView(giftName);
    this.chat = new ChatPanel(api);
    this.overlay = new OverlayLink(api);
    this.announcer = new Announcer(byId("announcer"));
    this.endDialog = new EndDialog(() => this.#end());
    this.endDialog.sheet.addEventListener("close", () => byId("back").hidden || byId("back").focus());
    this.view.thanks.addEventListener("thank", (event) => this.#thank(/** @type {CustomEvent} */ (event).detail));
    this.view.thanks.addEventListener("put-back", (event) => this.#putBack(/** @type {CustomEvent} */ (event).detail));
    byId("end").addEventListener("click", () => this.endDialog.open());
    byId("promote").addEventListener("click", () => this.#room && openPromotion(this.api, this.#room.id));
    byId("back").addEventListener("click", () => this.leave(""));
    byId("reconnect").addEventListener("click", () => this.#room?.open());
    addEventListener("pagehide", () => this.#room?.save());
  }

  /** @param {string} roomId */
  open(roomId) {
    this.close();
    const room = new LiveRoom({ token: this.session.token ?? "", room: roomId });
    this.#room = room;
    room.addEventListener("change", (event) => this.#onChange(/** @type {CustomEvent} */ (event).detail));
    room.addEventListener("connection", (event) => this.#onConnection(/** @type {CustomEvent} */ (event).detail));
    room.addEventListener("identified", (event) => {
      this.dispatchEvent(new CustomEvent("identified", { detail: /** @type {CustomEvent} */ (event).detail }));
    });
    byId("live").dataset.room = roomId;
    byId("live").dataset.state = "live";
    /** @type {HTMLAnchorElement} */ (byId("room-link")).href = `/?room=${encodeURIComponent(roomId)}`;
    byId("end").hidden = byId("promote").hidden = false;
    byId("back").hidden = true;
    setText(byId("badge"), "LIVE");
    this.chat.attach(room.socket);
    this.announcer.start();
    this.overlay.load(roomId);
    this.view.attach(room);
    this.#loadStart(room);
    room.open();
    let seconds = 0;
    this.#second = window.setInterval(() => {
      seconds += 1;
      if (seconds % SAVE_EVERY_S === 0) room.save();
      this.view.tick();
    }, SECOND_MS);
  }

  /** @param {string} reason shown to the creator; may be empty */
  leave(reason) {
    this.close();
    this.dispatchEvent(new CustomEvent("left", { detail: reason }));
  }

  /** Stops watching, without a word. */
  close() {
    if (!this.#room) return;
    const room = this.#room;
    this.#room = null;
    room.save();
    room.close();
    clearInterval(this.#second);
    this.announcer.stop();
    this.chat.attach(null);
    this.view.attach(null);
    byId("reconnect").hidden = true;
    this.endDialog.close();
    showConnection(byId("connection"), null);
  }

  /** @param {LiveRoom} room */
  async #loadStart(room) {
    try {
      const { started_at: startedAt } = await this.api.get(`/rooms/${encodeURIComponent(room.id)}`);
      if (this.#room === room) this.view.startedAtMs = toMicroseconds(startedAt) / 1000;
    } catch {
      // The time on air is left out; everything that matters comes over the socket.
    }
  }

  /** @param {import("../lib/room_state.js").Step} step */
  #onChange(step) {
    const room = /** @type {LiveRoom} */ (this.#room);
    this.chat.add(step.chat, room.state.creator?.id);
    const count = step.gifts.reduce((sum, gift) => sum + gift.count, step.more.count);
    this.announcer.count(count, step.gifts.reduce((sum, gift) => sum + gift.coins, step.more.coins));
    if (room.state.ended) this.#onEnded(room);
    this.view.changed();
  }

  /** @param {StateDetail} detail */
  #onConnection({ state, reason }) {
    const room = this.#room;
    if (!room) return;
    showConnection(byId("connection"), room.state.ended ? null : state);
    byId("reconnect").hidden = state !== "closed" || room.state.ended;
    if (state !== "closed") return;
    if (reason === "unauthorized") this.session.signOut();
    else if (reason === "room_ended") this.#onEnded(room);
    else if (reason === "room_not_found" || reason === "forbidden") this.leave("That room cannot be opened.");
  }

  /** @param {LiveRoom} room */
  #onEnded(room) {
    room.state = { ...room.state, ended: true };
    room.save();
    byId("live").dataset.state = "ended";
    byId("end").hidden = byId("promote").hidden = true;
    byId("back").hidden = false;
    setText(byId("badge"), "ENDED");
    this.chat.allow(false);
    this.endDialog.close();
    showConnection(byId("connection"), null);
    byId("reconnect").hidden = true;
    this.announcer.say("The room has ended.");
  }

  async #end() {
    const room = this.#room;
    if (!room) return;
    await this.api.post(`/rooms/${encodeURIComponent(room.id)}/end`);
    if (!room.state.ended) this.#onEnded(room);
  }

  /** @param {string} key */
  #thank(key) {
    const room = this.#room;
    const thanks = room?.queue.thank(key);
    if (!room || !thanks) return;
    room.save();
    const next = room.queue.next();
    this.announcer.say(`Thanked ${thanks.from.name}. ${next ? `Next: ${next.from.name}, ${formatNumber(next.coins)} coins.` : "Nobody else waits."}`);
    this.view.acted();
  }

  /** @param {string} key */
  #putBack(key) {
    this.#room?.queue.putBack(key);
    this.#room?.save();
    this.view.acted();
  }
}
