/**
 * The send button: one press sends once; held on a streakable gift it keeps sending, with a ring and ×N that grow.
 */

import { element, icon, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { prefersReducedMotion } from "../lib/motion.js";
import { pressAndHold } from "./press_and_hold.js";

/** A combo ends after a pause this long, as on the server. */
const COMBO_PAUSE_MS = 3_000;
/** Unanswered gifts at which the hold waits for the server to catch up. */
const UNANSWERED_MAX = 6;
/** The ring grows until the combo has this many sends. */
const RING_FULL_AT = 60;
const RING_SCALE_MAX = 1.7;

/** @typedef {{gift: import("../lib/gifts.js").Gift, count: number}} Order */

export class SendButton {
  #combo = { gift: "", count: 0, sends: 0, lastMs: -Infinity };
  #stopped = false;
  #fadeTimer = 0;

  /** @param {{sender: import("./gift_sender.js").GiftSender, order: () => Order}} parts order: what a press sends now */
  constructor({ sender, order }) {
    this.sender = sender;
    this.order = order;
    this.price = element("span", { class: "send-price number" });
    this.button = element("button", {
      class: "button button-primary send-button", testid: "send-gift", attrs: { type: "button" },
    }, element("span", { text: "Send" }), this.price);
    this.times = element("span", { class: "combo-times number", testid: "combo-count" });
    this.ring = element("span", { class: "combo-ring" });
    this.countdown = element("span", { class: "combo-countdown" });
    this.orb = element("div", { class: "combo-orb", attrs: { "aria-hidden": "true" } }, this.ring,
      element("span", { class: "combo-face" }, this.times, this.countdown));
    this.node = element("div", { class: "send" }, this.orb, this.button);
    pressAndHold(this.button, {
      tap: () => this.#send(),
      mayHold: () => {
        this.#stopped = false;
        return this.order().gift.streakable;
      },
      repeat: () => this.#repeat(),
      release: () => this.button.classList.remove("is-held"),
    });
  }

  render() {
    const { gift, count } = this.order();
    const total = formatNumber(gift.coins * count);
    if (this.price.dataset.total === total) return;
    this.price.dataset.total = total;
    this.price.replaceChildren(icon("coin"), total);
  }

  /** @returns {boolean} */
  #repeat() {
    if (this.#stopped) return false;
    this.button.classList.add("is-held");
    if (this.sender.unanswered < UNANSWERED_MAX) this.#send();
    return true;
  }

  async #send() {
    const { gift, count } = this.order();
    if (gift.streakable) this.#count(gift.id, count);
    const sent = await this.sender.send(gift, count);
    if (!sent) this.#stopped = true;
  }

  /** @param {string} giftId @param {number} count */
  #count(giftId, count) {
    const nowMs = performance.now();
    const goesOn = this.#combo.gift === giftId && nowMs - this.#combo.lastMs < COMBO_PAUSE_MS;
    this.#combo = {
      gift: giftId, lastMs: nowMs,
      count: (goesOn ? this.#combo.count : 0) + count, sends: (goesOn ? this.#combo.sends : 0) + 1,
    };
    if (this.#combo.sends < 2) return;
    setText(this.times, `×${formatNumber(this.#combo.count)}`);
    this.orb.classList.add("is-shown");
    const full = Math.min(1, this.#combo.sends / RING_FULL_AT);
    this.ring.style.transform = `scale(${1 + full * (RING_SCALE_MAX - 1)})`;
    clearTimeout(this.#fadeTimer);
    this.#fadeTimer = window.setTimeout(() => this.orb.classList.remove("is-shown"), COMBO_PAUSE_MS);
    if (prefersReducedMotion()) return;
    this.times.getAnimations().forEach((animation) => animation.cancel());
    this.times.animate([{ transform: "scale(1.35)" }, { transform: "scale(1)" }], { duration: 240, easing: "cubic-bezier(0.2, 1.3, 0.4, 1)" });
    this.countdown.getAnimations().forEach((animation) => animation.cancel());
    this.countdown.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: COMBO_PAUSE_MS });
  }
}
