/**
 * The balance at the top of every tab: live over the socket, also what is owed after a refund, and where all coins that
 * one ever got came from.
 */

import { setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { Paced } from "../lib/paced.js";

/** The balance may change many times a second while gifts are sent elsewhere; where coins came from does not. */
const ISSUED_PAUSE_MS = 2_000;

/**
 * @param {HTMLElement} card
 * @param {import("../lib/api.js").Api} api
 * @param {import("../lib/user_socket.js").UserSocket} socket
 */
export function showBalance(card, api, socket) {
  const coins = /** @type {HTMLElement} */ (card.querySelector("[data-testid=wallet-coins]"));
  const debt = /** @type {HTMLElement} */ (card.querySelector("[data-part=debt]"));
  const issued = /** @type {HTMLElement} */ (card.querySelector("[data-part=issued]"));
  const lookUp = new Paced(async () => {
    const rewards = await api.get("/rewards", { limit: 1 }).catch(() => null);
    if (!rewards) return;
    const { purchased, promotional } = rewards.issued;
    issued.hidden = false;
    setText(issued, `In all ${formatNumber(purchased)} bought and ${formatNumber(promotional)} given`);
  }, ISSUED_PAUSE_MS);
  const render = (/** @type {Event} */ event) => {
    /** @type {number} */
    const held = /** @type {CustomEvent} */ (event).detail.coins;
    setText(coins, formatNumber(held));
    coins.dataset.value = String(held);
    debt.hidden = held >= 0;
    setText(debt, `A payment was taken back after its coins were spent. You owe ${formatNumber(-held)} coins: the next coins that you buy pay for them first, and until then you cannot send gifts.`);
    lookUp.request();
  };
  socket.addEventListener("welcome", render);
  socket.addEventListener("wallet", render);
}
