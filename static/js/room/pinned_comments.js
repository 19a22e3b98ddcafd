/**
 * Highlighted comments over the chat: the dearest first, each until its time is over.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { lookBadge, paintLook } from "../lib/looks.js";
import { prefersReducedMotion } from "../lib/motion.js";

/** @typedef {import("../lib/items.js").ShownItem} ShownItem */

const COLOR_PLAIN = "#6d28d9";

export class PinnedComments {
  /** @type {Map<string, HTMLElement>} by gift id */
  #nodes = new Map();

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {import("../lib/items.js").Items} parts.items
   * @param {(giftId: string) => void} parts.takeDown called by those who keep order
   */
  constructor({ list, items, takeDown }) {
    this.list = list;
    this.items = items;
    this.takeDown = takeDown;
    list.hidden = true;
  }

  /** @param {ShownItem[]} comments that are not over @param {number} nowUs */
  render(comments, nowUs) {
    const kept = new Set(comments.map(({ id }) => id));
    for (const [id, node] of this.#nodes) {
      if (kept.has(id)) continue;
      node.remove();
      this.#nodes.delete(id);
    }
    const dearestFirst = [...comments].sort((a, b) => b.coins - a.coins || b.at - a.at);
    dearestFirst.forEach((comment, place) => {
      let node = this.#nodes.get(comment.id);
      if (!node) {
        node = this.#node(comment, nowUs);
        this.#nodes.set(comment.id, node);
      }
      if (this.list.children[place] !== node) this.list.insertBefore(node, this.list.children[place] ?? null);
    });
    this.list.hidden = comments.length === 0;
  }

  /** @param {ShownItem} comment @param {number} nowUs */
  #node(comment, nowUs) {
    const face = avatar(null);
    paintAvatar(face, comment.from);
    const look = lookBadge();
    paintLook(look, comment.from);
    const time = element("span", { class: "pin-time", attrs: { "aria-hidden": "true" } });
    const words = element("span", { class: "pin-text" });
    setText(words, comment.text ?? "");
    const node = element("li", { class: "pin", testid: "pinned-comment", attrs: { "data-gift": comment.id, dir: "auto" } },
      element("span", { class: "pin-head" }, face, userText(comment.from.name, "pin-name truncate"), look,
        element("span", { class: "pin-coins number" }, icon("coin"), formatNumber(comment.coins), element("span", { class: "visually-hidden", text: " coins" })),
        element("button", {
          class: "icon-button pin-remove", testid: "pin-remove", attrs: { type: "button", "aria-label": `Take down the comment of ${comment.from.name}` },
          on: { click: () => this.takeDown(comment.id) },
        }, icon("close"))),
      words, time);
    node.style.setProperty("--pin", this.items.get(comment.item)?.effect.color ?? COLOR_PLAIN);
    if (!prefersReducedMotion()) {
      const wholeMs = (comment.until - comment.at) / 1000;
      const passedMs = (nowUs - comment.at) / 1000;
      const running = time.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: wholeMs, fill: "both" });
      running.currentTime = Math.max(0, passedMs);
    }
    return node;
  }
}
