/**
 * The overlay's link, with what it shall show; its token can only read this room.
 */

import { showToast } from "../lib/toasts.js";
import { byId } from "./page.js";

/** @typedef {import("../lib/api.js").Api} Api */

const MIN_COINS_MAX = 1_000_000_000;

export class OverlayLink {
  /** @type {URL|null} as the server gave it, token included */
  #address = null;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.form = /** @type {HTMLFormElement} */ (byId("overlay-form"));
    this.field = /** @type {HTMLInputElement} */ (byId("overlay-url"));
    this.copyButton = /** @type {HTMLButtonElement} */ (byId("overlay-copy"));
    this.error = byId("overlay-error");
    this.preview = /** @type {HTMLAnchorElement} */ (byId("overlay-preview"));
    this.form.addEventListener("input", (event) => this.#choose(event));
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.field.addEventListener("focus", () => this.field.select());
    this.copyButton.addEventListener("click", () => this.#copy());
  }

  /** @param {string} room */
  async load(room) {
    this.#address = null;
    this.field.value = "";
    this.error.textContent = "";
    this.copyButton.disabled = true;
    this.preview.hidden = true;
    try {
      const { token, url } = await this.api.get(`/rooms/${encodeURIComponent(room)}/overlay-token`);
      this.#address = overlayAddress(room, token, url);
      this.copyButton.disabled = false;
      this.preview.hidden = false;
      this.#write();
    } catch (problem) {
      this.error.textContent = `No overlay link: ${/** @type {Error} */ (problem).message}`;
    }
  }

  /** An overlay that shows nothing is no choice: the last part stays checked. @param {Event} event */
  #choose(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    if (input.name === "show" && !new FormData(this.form).has("show")) input.checked = true;
    this.#write();
  }

  #write() {
    if (!this.#address) return;
    const address = new URL(this.#address);
    const wanted = new FormData(this.form);
    const coins = Math.floor(Number(wanted.get("min_coins")));
    address.searchParams.set("show", wanted.getAll("show").join(","));
    address.searchParams.set("position", String(wanted.get("position")));
    address.searchParams.set("theme", String(wanted.get("theme")));
    address.searchParams.set("min_coins", String(Number.isFinite(coins) ? Math.min(Math.max(coins, 0), MIN_COINS_MAX) : 0));
    address.search = address.search.replaceAll("%2C", ",");
    this.field.value = address.href;
    this.preview.href = address.href;
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.field.value);
    } catch {
      // Plain-http pages have no clipboard: select the link, so that one keystroke copies it.
      this.field.focus();
      this.field.select();
      showToast("Press Ctrl+C (⌘C) to copy the selected link.");
      return;
    }
    showToast("Overlay link copied.");
  }
}

/**
 * @param {string} room
 * @param {string} token
 * @param {string|undefined} url as the server names it, relative or absolute
 * @returns {URL}
 */
function overlayAddress(room, token, url) {
  const address = new URL(url ?? `/overlay/${encodeURIComponent(room)}`, location.origin);
  if (!address.hash) address.hash = `token=${token}`;
  return address;
}
