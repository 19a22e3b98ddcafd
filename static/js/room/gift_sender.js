/**
 * Sends gifts for the page: takes the price off the shown balance, corrects it by the answer, explains refusals.
 */

import { explain } from "../lib/problems.js";
import { showToast } from "../lib/toasts.js";
import { GiftConfirmation } from "./gift_confirmation.js";

/** The same refusal is not explained again within this time. */
const EXPLAIN_AGAIN_AFTER_MS = 2_500;

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
    const answer = await this.socket.sendGift({ gift: gift.id, count });
    this.balance.settle(ticket, answer);
    if (answer.type === "gift_ack") return true;
    this.#explain(answer);
    return false;
  }

  /**
   * Buys something else than a gift.
   * @param {import("../lib/items.js").Item} item
   * @param {string} [note] the words of a highlighted comment
   * @returns {Promise<boolean>} whether the server took it
   */
  async buy(item, note) {
    const ticket = this.balance.spend(item.coins);
    const answer = await this.socket.sendSpend({ item: item.id, note, inRoom: item.kind !== "upgrade" });
    this.balance.settle(ticket, answer);
    if (answer.type === "gift_ack") return true;
    this.#explain(answer);
    return false;
  }

  /** @param {import("../lib/gift_outbox.js").GiftNack} nack */
  #explain({ code, message }) {
    const nowMs = performance.now();
    if (code === this.#explained.code && nowMs - this.#explained.atMs < EXPLAIN_AGAIN_AFTER_MS) return;
    this.#explained = { code, atMs: nowMs };
    const inDebt = code === "wallet_blocked" && this.balance.owed > 0;
    const action = code === "insufficient_coins" || inDebt ? { label: "Get coins", run: this.recharge, testid: "toast-recharge" } : undefined;
    showToast(inDebt ? "You owe coins of a payment that was taken back." : explain(code, message), { kind: "problem", action });
  }
}
