/**
 * The bell over the stage: how much is unread, a word when something comes, and the notices in a sheet.
 */

import { element, icon, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { NoticeFeed, UNREAD_MAX } from "../lib/notice_feed.js";
import { NoticeList } from "../lib/notice_list.js";
import { Sheet } from "../lib/sheet.js";
import { showToast } from "../lib/toasts.js";

export class Bell {
  /**
   * @param {object} parts
   * @param {HTMLElement} parts.button
   * @param {import("../lib/api.js").Api} parts.api
   * @param {EventTarget} parts.socket fires "notice" and "welcome" with the frame as detail
   * @param {(notice: import("../lib/notice_feed.js").Notice) => boolean} parts.isKnown what the page has said by itself
   */
  constructor({ button, api, socket, isKnown }) {
    this.button = button;
    this.isKnown = isKnown;
    this.feed = new NoticeFeed(api, socket);
    this.list = new NoticeList(this.feed);
    this.badge = element("span", { class: "bell-badge number", testid: "bell-badge", attrs: { "aria-hidden": "true" } });
    button.append(icon("bell"), this.badge);
    this.sheet = new Sheet({ title: "Notices", class: "notices-sheet", testid: "notices-sheet" },
      this.list.node,
      element("a", { class: "button notices-rewards", text: "Rewards and challenges", attrs: { href: "/wallet#rewards", target: "_blank", rel: "opener" } }));
    this.feed.addEventListener("change", () => this.#render());
    this.feed.addEventListener("notice", (event) => this.#say(/** @type {CustomEvent} */ (event).detail));
    button.addEventListener("click", () => this.open());
    this.#render();
  }

  async open() {
    this.sheet.open();
    await this.list.load();
    this.#read();
  }

  /** @param {import("../lib/notice_feed.js").Notice} notice */
  #say(notice) {
    const { kind, message, detail } = notice;
    if (this.sheet.isOpen) this.#read();
    else if (!this.isKnown(notice)) showToast(kind === "reward" ? `${message}: +${formatNumber(detail.coins)} coins` : message, { action: { label: "Show", run: () => this.open() } });
  }

  #read() {
    this.feed.markRead().catch(() => undefined);
  }

  #render() {
    const { unread } = this.feed;
    this.badge.hidden = unread === 0;
    setText(this.badge, unread >= UNREAD_MAX ? "99+" : String(unread));
    this.button.setAttribute("aria-label", unread === 0 ? "Notices" : `Notices, ${unread >= UNREAD_MAX ? "99 and more" : unread} unread`);
  }
}
