/**
 * The queue of thanks on screen: one button (and the key T) thanks whoever stands first.
 */

import { avatar } from "../lib/avatar.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";
import { byId } from "./page.js";

/** @typedef {import("./thank_queue.js").ThankQueue} ThankQueue */
/** @typedef {import("./thank_queue.js").Thanks} Thanks */

const WAITING_SHOWN_MAX = 20;
const THANKED_SHOWN_MAX = 20;
const KINDS_SHOWN_MAX = 3;
const THANK_KEY = "t";
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";

/** Fires "thank" and "put-back" (CustomEvent, the entry's key as detail). */
export class ThankPanel extends EventTarget {
  #shown = "";

  /** @param {(giftId: string) => string} giftName */
  constructor(giftName) {
    super();
    this.giftName = giftName;
    this.button = byId("thank");
    this.keySwitch = /** @type {HTMLInputElement} */ (byId("thank-key"));
    this.waiting = byId("thank-list");
    this.thanked = byId("thanked-list");
    this.button.addEventListener("click", () => this.#ask("thank", this.button.dataset.key));
    document.addEventListener("keydown", (event) => this.#onKey(event));
    this.waiting.addEventListener("click", (event) => this.#onRow("thank", event));
    this.thanked.addEventListener("click", (event) => this.#onRow("put-back", event));
  }

  /** @param {ThankQueue} queue */
  render(queue) {
    const version = JSON.stringify([queue.waiting.slice(0, WAITING_SHOWN_MAX), queue.waiting.length, queue.thanked.map(({ key }) => key), queue.unlisted, queue.dropped]);
    if (version === this.#shown) return;
    this.#shown = version;
    const focused = this.#focusedKey();
    this.#renderButton(queue.next());
    setText(byId("thanks-count"), formatNumber(queue.waiting.length));
    this.waiting.replaceChildren(...queue.waiting.slice(0, WAITING_SHOWN_MAX).map((thanks) => this.#row(thanks, false)));
    this.thanked.replaceChildren(...queue.thanked.slice(0, THANKED_SHOWN_MAX).map((thanks) => this.#row(thanks, true)));
    byId("thank-empty").hidden = queue.waiting.length > 0;
    byId("thanked").hidden = queue.thanked.length === 0;
    setText(byId("thanked-count"), formatNumber(queue.thanked.length));
    this.#renderMore(queue);
    if (focused) this.#refocus(focused);
  }

  /** @param {Thanks|undefined} next */
  #renderButton(next) {
    const button = /** @type {HTMLButtonElement} */ (this.button);
    button.disabled = next === undefined;
    if (!next) {
      delete button.dataset.key;
      button.replaceChildren("Nobody to thank yet");
      return;
    }
    button.dataset.key = next.key;
    button.replaceChildren(icon("heart"), "Thank ", userText(next.from.name, "truncate"));
  }

  /** @param {ThankQueue} queue */
  #renderMore(queue) {
    const hidden = Math.max(0, queue.waiting.length - WAITING_SHOWN_MAX);
    const parts = [];
    if (hidden > 0) parts.push(`${formatNumber(hidden)} more waiting`);
    if (queue.dropped > 0) parts.push(`${formatNumber(queue.dropped)} with the smallest gifts let go`);
    if (queue.unlisted > 0) parts.push(`${formatNumber(queue.unlisted)} gifts counted without a name`);
    byId("thank-more").hidden = parts.length === 0;
    setText(byId("thank-more"), parts.join(" · "));
  }

  /** @param {Thanks} thanks @param {boolean} done @returns {HTMLElement} */
  #row(thanks, done) {
    const label = done ? `Put ${thanks.from.name} back` : `Thank ${thanks.from.name}`;
    return element("li", { class: "thank-item", testid: done ? "thanked-item" : "thank-item", attrs: { "data-key": thanks.key, "data-user": thanks.from.id } },
      avatar(thanks.from),
      element("div", { class: "thank-who" },
        userText(thanks.from.name, "thank-name truncate"),
        element("span", { class: "thank-gifts" }, ...this.#kinds(thanks))),
      element("span", { class: "coins number", attrs: { "aria-label": `${formatNumber(thanks.coins)} coins` } }, icon("coin"), formatNumber(thanks.coins)),
      element("button", { class: "icon-button", attrs: { type: "button", "aria-label": label, title: done ? "Put back" : "Thanked" } }, icon(done ? "back" : "check")),
    );
  }

  /** @param {Thanks} thanks @returns {HTMLElement[]} */
  #kinds(thanks) {
    const shown = thanks.gifts.slice(0, KINDS_SHOWN_MAX).map(({ gift, count }) => element("span", { class: "thank-gift" },
      element("img", { attrs: { src: artUrl(gift), alt: "", width: 20, height: 20, loading: "lazy" } }),
      `${this.giftName(gift)} ×${formatNumber(count)}`));
    const rest = thanks.gifts.length - shown.length;
    return rest > 0 ? [...shown, element("span", { text: `+${rest} kinds` })] : shown;
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
    if (!target.closest("button")) return;
    this.#ask(type, target.closest("li")?.dataset.key);
  }

  /** @param {string} type @param {string|undefined} key */
  #ask(type, key) {
    if (key !== undefined) this.dispatchEvent(new CustomEvent(type, { detail: key }));
  }

  /** @returns {string|undefined} the row whose button has the focus */
  #focusedKey() {
    const row = this.waiting.contains(document.activeElement) ? document.activeElement?.closest("li") : null;
    return row?.dataset.key;
  }

  /** Rows are drawn anew; the focus stays on the same one, else on the list. @param {string} key */
  #refocus(key) {
    const row = [...this.waiting.children].find((each) => /** @type {HTMLElement} */ (each).dataset.key === key);
    (row?.querySelector("button") ?? this.waiting).focus({ preventScroll: true });
  }
}
