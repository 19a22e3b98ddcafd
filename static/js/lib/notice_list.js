/**
 * Notices as a list, newest first: an icon by kind, the words, when it was, and a dot on what is unread.
 */

import { element, icon, setText } from "./element.js";
import { formatNumber, formatRelativeTime } from "./format.js";
import { ApiError } from "./api.js";
import { explain } from "./problems.js";

/** @typedef {import("./notice_feed.js").Notice} Notice */

/** @type {Record<string, string>} kind → icon */
const ICONS = {
  reward: "gift", promotion: "bolt", purchase: "coin", challenge: "trophy", contest: "trophy", event: "people",
  payout: "diamond", budget: "alert", refund: "alert", chargeback: "alert", security: "check", ticket: "ticket", placement: "megaphone",
};
/** @type {Record<string, string>} what each kind is called, where its words do not say it: a promotion's are its name alone */
const NAMES = {
  reward: "Reward", promotion: "Promotion", purchase: "Purchase", challenge: "Challenge", contest: "Contest", event: "Event",
  payout: "Cash-out", budget: "Limits", security: "Security", ticket: "Ticket", placement: "Promoted room",
};

export class NoticeList {
  /** @param {import("./notice_feed.js").NoticeFeed} feed */
  constructor(feed) {
    this.feed = feed;
    this.list = element("ul", { class: "notices", testid: "notices" });
    this.status = element("p", { class: "notices-status", attrs: { role: "status" } });
    this.more = element("button", {
      class: "button", text: "Show older notices", attrs: { type: "button" }, on: { click: () => this.#more() },
    });
    this.more.hidden = true;
    this.node = element("div", { class: "notices-panel" }, this.list, this.status, this.more);
    this.render = () => this.#render();
    feed.addEventListener("change", this.render);
    this.#render();
  }

  /** Is shown no more. */
  close() {
    this.feed.removeEventListener("change", this.render);
  }

  /** Loads the feed anew; says so when it cannot. */
  async load() {
    if (!this.feed.loaded) setText(this.status, "Loading…");
    await this.#attempt(() => this.feed.load());
  }

  async #more() {
    this.more.disabled = true;
    await this.#attempt(() => this.feed.more());
    this.more.disabled = false;
  }

  /** @param {() => Promise<void>} ask */
  async #attempt(ask) {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, explain(error.code, error.message));
    }
  }

  #render() {
    if (!this.feed.loaded) return;
    this.list.replaceChildren(...this.feed.notices.map(noticeRow));
    setText(this.status, this.feed.notices.length === 0 ? "Nothing yet. Rewards, purchases and payouts are told here." : "");
    this.more.hidden = this.feed.next === null;
  }
}

/** @param {Notice} notice @returns {HTMLElement} */
function noticeRow({ id, kind, message, detail, at, read }) {
  return element("li", { class: "notice-row", testid: "notice-row", attrs: { "data-id": id, "data-kind": kind, "data-unread": !read } },
    element("span", { class: "notice-icon" }, icon(ICONS[kind] ?? "bell")),
    element("span", { class: "notice-words" },
      element("bdi", { class: "notice-message", text: message }),
      element("span", { class: "notice-time", text: [NAMES[kind], formatRelativeTime(at)].filter(Boolean).join(" · ") })),
    kind === "reward" && element("strong", { class: "notice-coins number" }, icon("coin"), `+${formatNumber(detail.coins)}`),
    !read && element("span", { class: "notice-dot" }, element("span", { class: "visually-hidden", text: "new" })));
}
