/**
 * A modal sheet on the native dialog: the rest of the page is inert, Escape and a tap outside close it, Tab stays
 * inside, and the focus goes back to where it came from.
 */

import { element, icon } from "./element.js";

const CLOSE_ANIMATION_MS = 180;
const FOCUSABLE = 'a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), select:not(:disabled), [tabindex]:not([tabindex="-1"])';

let nextTitleId = 0;

export class Sheet extends EventTarget {
  /**
   * Fires "open" and "close".
   * @param {{title: string, class?: string, testid?: string, dismissable?: boolean}} options dismissable: false leaves
   *   only the sheet's own buttons to close it
   * @param {...Node} body
   */
  constructor({ title, class: className = "", testid, dismissable = true }, ...body) {
    super();
    nextTitleId += 1;
    const titleId = `sheet-title-${nextTitleId}`;
    this.dismissable = dismissable;
    /** @type {Element|null} */
    this.opener = null;
    this.title = element("h2", { text: title, attrs: { id: titleId } });
    this.head = element("header", { class: "sheet-head" }, this.title, dismissable && this.#closeButton());
    this.body = element("div", { class: "sheet-body" }, ...body);
    this.panel = element("div", { class: "sheet-panel" }, this.head, this.body);
    this.dialog = element("dialog", {
      class: `sheet ${className}`.trim(), testid, attrs: { "aria-labelledby": titleId },
    }, this.panel);
    this.dialog.addEventListener("cancel", (event) => this.#onCancel(event));
    this.dialog.addEventListener("click", (event) => this.#onBackdrop(event));
    this.dialog.addEventListener("keydown", (event) => this.#onKey(event));
    this.dialog.addEventListener("close", () => this.#onClosed());
    document.body.append(this.dialog);
  }

  get isOpen() {
    return this.dialog.open;
  }

  /** @param {HTMLElement} [focus] what gets the focus first */
  open(focus) {
    if (this.dialog.open) return;
    this.opener = document.activeElement;
    this.dialog.showModal();
    focus?.focus();
    this.dispatchEvent(new Event("open"));
  }

  close() {
    if (!this.dialog.open || this.dialog.classList.contains("is-closing")) return;
    this.dialog.classList.add("is-closing");
    setTimeout(() => this.dialog.close(), CLOSE_ANIMATION_MS);
  }

  #closeButton() {
    return element("button", {
      class: "icon-button", attrs: { type: "button", "aria-label": "Close" }, on: { click: () => this.close() },
    }, icon("close"));
  }

  /** @param {Event} event */
  #onCancel(event) {
    event.preventDefault();
    if (this.dismissable) this.close();
  }

  /** @param {MouseEvent} event */
  #onBackdrop(event) {
    if (event.target === this.dialog && this.dismissable) this.close();
  }

  /** A modal dialog lets Tab out to the browser's own bars; here it goes round. @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key !== "Tab") return;
    const stops = [...this.dialog.querySelectorAll(FOCUSABLE)].filter((node) => node.checkVisibility?.() ?? true);
    const first = /** @type {HTMLElement|undefined} */ (stops[0]);
    const last = /** @type {HTMLElement|undefined} */ (stops.at(-1));
    const leaving = event.shiftKey ? first : last;
    if (document.activeElement !== leaving && this.dialog.contains(document.activeElement)) return;
    event.preventDefault();
    (event.shiftKey ? last : first)?.focus();
  }

  #onClosed() {
    this.dialog.classList.remove("is-closing");
    if (this.opener instanceof HTMLElement) this.opener.focus();
    this.opener = null;
    this.dispatchEvent(new Event("close"));
  }
}
