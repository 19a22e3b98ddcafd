/**
 * Asks before a dear gift is sent, where its sender chose so on the wallet page.
 */

import { confirmAbove } from "../lib/confirm_above.js";
import { element, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { Sheet } from "../lib/sheet.js";

export class GiftConfirmation {
  constructor() {
    this.words = element("p", { testid: "confirm-words" });
    this.yes = element("button", { class: "button button-primary", text: "Send it", testid: "confirm-gift", attrs: { type: "button" }, on: { click: () => this.#answer(true) } });
    const no = element("button", { class: "button", text: "Keep my coins", attrs: { type: "button" }, on: { click: () => this.#answer(false) } });
    this.sheet = new Sheet({ title: "Send this gift?", class: "confirm-gift", testid: "gift-confirmation" }, this.words, element("div", { class: "confirm-gift-actions" }, no, this.yes));
    this.sheet.addEventListener("close", () => this.#answer(false));
    /** @type {((yes: boolean) => void)|null} */
    this.waiting = null;
  }

  /**
   * @param {import("../lib/gifts.js").Gift} gift
   * @param {number} count
   * @returns {Promise<boolean>} whether it may be sent
   */
  async allows(gift, count) {
    const coins = gift.coins * count, above = confirmAbove();
    if (above === 0 || coins < above) return true;
    if (this.waiting) return false;
    setText(this.words, `${gift.name} ×${formatNumber(count)} costs ${formatNumber(coins)} coins.`);
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.sheet.open(this.yes);
    });
  }

  /** @param {boolean} yes */
  #answer(yes) {
    const waiting = this.waiting;
    this.waiting = null;
    waiting?.(yes);
    this.sheet.close();
  }
}
