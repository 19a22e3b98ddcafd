/**
 * What the user was told: the feed's pages, what comes on the socket meanwhile, and how much of it is unread.
 */

import { toMicroseconds } from "./format.js";

/** Notices kept on a page; older ones are asked for again when the page is loaded anew. */
const KEPT_MAX = 200;
const RELOAD_WITHIN_MS = 1_500;
/** The server counts up to here. */
export const UNREAD_MAX = 100;

/** @typedef {{id: string, kind: string, message: string, detail: Record<string, any>, at: number, read: boolean}} Notice */

/** Fires "change", and "notice" (CustomEvent, the notice as detail) for one that came on the socket. */
export class NoticeFeed extends EventTarget {
  /** @type {Notice[]} newest first */
  notices = [];
  unread = 0;
  /** @type {string|null} */
  next = null;
  loaded = false;

  /** @param {import("./api.js").Api} api @param {EventTarget} socket fires "notice" and "welcome" with the frame as detail */
  constructor(api, socket) {
    super();
    this.api = api;
    this.hear = (/** @type {Event} */ event) => this.#hear(/** @type {CustomEvent} */ (event).detail);
    // What was said while nobody listened is in the feed. Those who come back together do not ask together.
    this.reload = () => { setTimeout(() => this.load().catch(() => undefined), Math.random() * RELOAD_WITHIN_MS); };
    socket.addEventListener("notice", this.hear);
    socket.addEventListener("welcome", this.reload);
    this.socket = socket;
  }

  /** Hears no more. */
  close() {
    this.socket.removeEventListener("notice", this.hear);
    this.socket.removeEventListener("welcome", this.reload);
  }

  /** Loads the first page. @throws {import("./api.js").ApiError} */
  async load() {
    const { notices, unread, next } = await this.api.get("/notices");
    this.loaded = true;
    this.next = next;
    this.unread = unread;
    this.notices = [];
    this.#add(notices);
  }

  /** Loads the next page. @throws {import("./api.js").ApiError} */
  async more() {
    const { notices, unread, next } = await this.api.get("/notices", { cursor: this.next });
    this.next = this.notices.length + notices.length >= KEPT_MAX ? null : next;
    this.unread = unread;
    this.#add(notices);
  }

  /**
   * Marks all that is here as read; what was new keeps its mark on the page until it is loaded again.
   * @throws {import("./api.js").ApiError}
   */
  async markRead() {
    if (this.unread === 0 || this.notices.length === 0) return;
    const { unread } = await this.api.post("/notices/read", { up_to: this.notices[0].id });
    this.unread = unread;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Array<Omit<Notice, "at">&{at: string|number}>} found */
  #add(found) {
    const known = new Set(this.notices.map(({ id }) => id));
    for (const notice of found) if (!known.has(notice.id)) this.notices.push({ ...notice, at: toMicroseconds(notice.at) });
    this.notices.sort((one, other) => Number(BigInt(other.id) - BigInt(one.id)));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Notice} frame */
  #hear(frame) {
    if (this.notices.some(({ id }) => id === frame.id)) return;
    const notice = { ...frame, read: false };
    this.unread = Math.min(UNREAD_MAX, this.unread + 1);
    this.notices.length = Math.min(this.notices.length, KEPT_MAX - 1);
    this.#add([notice]);
    this.dispatchEvent(new CustomEvent("notice", { detail: notice }));
  }
}
