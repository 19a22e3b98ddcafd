/**
 * The queue of thanks on screen: one button (and the key T) thanks whoever stands first. While the pointer moves over the
 * panel its order stands still, so that nobody slips in under a click.
 */

import { icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { byId } from "./page.js";
import { SENDERS_WAITING_MAX } from "./thank_queue.js";
import { ThankRow } from "./thank_row.js";

/** @typedef {import("./thank_queue.js").ThankQueue} ThankQueue */
/** @typedef {import("./thank_queue.js").Thanks} Thanks */

const WAITING_SHOWN_MAX = 20;
const THANKED_SHOWN_MAX = 20;
/** After the last movement of the pointer over the panel. */
const HOLD_MS = 1_200;
const THANK_KEY = "t";
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Fires "thank" and "put-back" (CustomEvent, the entry's key as detail). */
export class ThankPanel extends EventTarget {
  /** @type {Map<string, ThankRow>} */
  #waitingRows = new Map();
  /** @type {Map<string, ThankRow>} */
  #thankedRows = new Map();
  #holdUntilMs = 0;

  /** @param {(giftId: string) => string} giftName */
  constructor(giftName) {
    super();
    this.giftName = giftName;
    this.button = /** @type {HTMLButtonElement} */ (byId("thank"));
    this.keySwitch = /** @type {HTMLInputElement} */ (byId("thank-key"));
    this.waiting = byId("thank-list");
    this.thanked = byId("thanked-list");
    this.button.addEventListener("click", () => this.#ask("thank", this.button.dataset.key));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.waiting.addEventListener("click", (event) => this.#onRow("thank", event));
    this.thanked.addEventListener("click", (event) => this.#onRow("put-back", event));
    for (const type of ["pointermove", "pointerdown"]) {
      byId("thanks").addEventListener(type, () => { this.#holdUntilMs = performance.now() + HOLD_MS; });
    }
  }

  /** @param {ThankQueue} queue */
  render(queue) {
    setText(byId("thanks-count"), formatNumber(queue.waiting.length));
    if (performance.now() < this.#holdUntilMs) return;
    this.#renderButton(queue.next());
    this.#renderList(this.waiting, this.#waitingRows, queue.waiting.slice(0, WAITING_SHOWN_MAX), false);
    this.#renderList(this.thanked, this.#thankedRows, queue.thanked.slice(0, THANKED_SHOWN_MAX), true);
    byId("thank-empty").hidden = queue.waiting.length > 0;
    byId("thanked").hidden = queue.thanked.length === 0;
    setText(byId("thanked-count"), formatNumber(queue.thanked.length));
    this.#renderMore(queue);
  }

  /** @param {Thanks|undefined} next */
  #renderButton(next) {
    if (this.button.dataset.key === next?.key && !this.button.disabled) return;
    this.button.disabled = next === undefined;
    if (next) {
      this.button.dataset.key = next.key;
      this.button.replaceChildren(icon("heart"), "Thank ", userText(next.from.name, "truncate"));
    } else {
      delete this.button.dataset.key;
      this.button.replaceChildren("Nobody to thank yet");
    }
  }

  /**
   * Rows that stay keep their nodes, and with them the focus.
   * @param {HTMLElement} list
   * @param {Map<string, ThankRow>} rows
   * @param {Thanks[]} entries
   * @param {boolean} done
   */
  #renderList(list, rows, entries, done) {
    const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
    const kept = new Set(entries.map(({ key }) => key));
    for (const [key, row] of rows) {
      if (kept.has(key)) continue;
      row.node.remove();
      rows.delete(key);
    }
    entries.forEach((thanks, index) => {
      let row = rows.get(thanks.key);
      if (row) row.update(thanks);
      else rows.set(thanks.key, row = new ThankRow(thanks, { done, giftName: this.giftName }));
      if (list.children[index] !== row.node) list.insertBefore(row.node, list.children[index] ?? null);
    });
    if (focused && document.activeElement !== focused) (focused.isConnected ? focused : list).focus({ preventScroll: true });
  }

  /** @param {ThankQueue} queue */
  #renderMore({ waiting, dropped, unlisted }) {
    const hidden = Math.max(0, waiting.length - WAITING_SHOWN_MAX);
    const parts = [];
    if (hidden > 0) parts.push(`${formatNumber(hidden)} more waiting`);
    if (dropped > 0) parts.push(`only the largest ${formatNumber(SENDERS_WAITING_MAX)} are kept`);
    if (unlisted > 0) parts.push(`${formatNumber(unlisted)} ${unlisted === 1 ? "gift" : "gifts"} counted without a name`);
    byId("thank-more").hidden = parts.length === 0;
    setText(byId("thank-more"), parts.join(" · "));
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key.toLowerCase() !== THANK_KEY || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {Element} */ (event.target);
    if (!this.keySwitch.checked || this.button.offsetParent === null) return;
    if (target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    this.#ask("thank", this.button.dataset.key);
  }

  /** @param {string} type @param {Event} event */
  #onRow(type, event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("button")) this.#ask(type, target.closest("li")?.dataset.key);
  }

  /** @param {string} type @param {string|undefined} key */
  #ask(type, key) {
    if (key === undefined) return;
    this.#holdUntilMs = 0;
    this.dispatchEvent(new CustomEvent(type, { detail: key }));
  }
}
