/**
 * The tab "Notices": what one was told, marked as read by being here.
 */

import { element } from "../lib/element.js";
import { NoticeFeed } from "../lib/notice_feed.js";
import { NoticeList } from "../lib/notice_list.js";

export const id = "notices";
export const title = "Notices";

/** @param {HTMLElement} root @param {import("./tabs.js").TabContext} context */
export function show(root, { api, socket }) {
  const feed = new NoticeFeed(api, socket);
  const list = new NoticeList(feed);
  const read = () => { feed.markRead().catch(() => undefined); };
  root.append(element("section", { class: "panel-card", attrs: { "aria-labelledby": "notices-title" } },
    element("h2", { text: "Notices", attrs: { id: "notices-title" } }), list.node));
  list.load().then(read);
  feed.addEventListener("notice", read);
  return () => {
    feed.close();
    list.close();
  };
}
