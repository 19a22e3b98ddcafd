/**
 * Sends gifts for the page: takes the price off the shown balance, corrects it by the answer, explains refusals.
 */

import { explain } from "../lib/problems.js";
import { showToast } from "../lib/toasts.js";
import { BudgetWarning } from "./budget_warning.js";
import { GiftConfirmation } from "./gift_confirmation.js";

/** The same refusal is not explained again within this time. */
const EXPLAIN_AGAIN_AFTER_MS = 2_500;
/** Beside the room, not instead of it; `opener` takes the tab's session along. */
const LIMITS = { label: "Limits", run: () => void window.open("/wallet#limits"), testid: "toast-limits" };

/** @typedef {import("../lib/gift_outbox.js").GiftAck} GiftAck */
/** @typedef {import("../lib/gift_outbox.js").GiftNack} GiftNack */

export class GiftSender {
  #explained = { code: "", atMs: -Infinity };

  /**
   * @param {object} parts
   * @param {import("../lib/socket.js").RoomSocket} parts.socket
   * @param {import("./balance.js").Balance} parts.balance
   * @param {() => void} parts.recharge
   */
  constructor({ socket, balance, recharge }) {
    this.socket = socket;
    this.balance = balance;
    this.recharge = recharge;
    this.confirmation = new GiftConfirmation();
    this.budgets = new BudgetWarning();
  }

  /** @returns {number} gifts on their way */
  get unanswered() {
    return this.balance.unanswered;
  }

  /**
   * @param {import("../lib/gifts.js").Gift} gift
   * @param {number} count
   * @returns {Promise<boolean>} whether the server took it
   */
  async send(gift, count) {
    if (!await this.confirmation.allows(gift, count)) return false;
    const ticket = this.balance.spend(gift.coins * count);
    return this.#answered(ticket, await this.socket.sendGift({ gift: gift.id, count }));
  }

  /**
   * Buys something else than a gift.
   * @param {import("../lib/items.js").Item} item
   * @param {string} [note] the words of a highlighted comment
   * @returns {Promise<boolean>} whether the server took it
   */
  async buy(item, note) {
    const ticket = this.balance.spend(item.coins);
    return this.#answered(ticket, await this.socket.sendSpend({ item: item.id, note, inRoom: item.kind !== "upgrade" }));
  }

  /** @param {number} ticket @param {GiftAck|GiftNack} answer @returns {boolean} whether the server took it */
  #answered(ticket, answer) {
    this.balance.settle(ticket, answer);
    if (answer.type === "gift_ack") {
      const warning = this.budgets.words(answer.near ?? []);
      if (warning) showToast(warning, { kind: "problem", action: LIMITS });
      return true;
    }
    this.#explain(answer);
    return false;
  }

  /** @param {GiftNack} nack */
  #explain(nack) {
    const { code, message } = nack;
    const nowMs = performance.now();
    if (code === this.#explained.code && nowMs - this.#explained.atMs < EXPLAIN_AGAIN_AFTER_MS) return;
    this.#explained = { code, atMs: nowMs };
    // What one set oneself, a budget or a pause, is over at a time that only the server's own sentence says.
    if (nack.until !== undefined) {
      showToast(message, { kind: "problem", action: LIMITS });
      return;
    }
    const inDebt = code === "wallet_blocked" && this.balance.owed > 0;
    const action = code === "insufficient_coins" || inDebt ? { label: "Get coins", run: this.recharge, testid: "toast-recharge" } : undefined;
    showToast(inDebt ? "You owe coins of a payment that was taken back." : explain(code, message), { kind: "problem", action });
  }
}
