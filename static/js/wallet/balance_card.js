/**
 * The balance at the top of every tab: live over the socket, also what is owed after a refund.
 */

import { setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";

/**
 * @param {HTMLElement} card
 * @param {import("../lib/user_socket.js").UserSocket} socket
 */
export function showBalance(card, socket) {
  const coins = /** @type {HTMLElement} */ (card.querySelector("[data-testid=wallet-coins]"));
  const debt = /** @type {HTMLElement} */ (card.querySelector("[data-part=debt]"));
  const render = (/** @type {Event} */ event) => {
    /** @type {number} */
    const held = /** @type {CustomEvent} */ (event).detail.coins;
    setText(coins, formatNumber(held));
    coins.dataset.value = String(held);
    debt.hidden = held >= 0;
    setText(debt, `A payment was taken back after its coins were spent. You owe ${formatNumber(-held)} coins: the next coins that you buy pay for them first, and until then you cannot send gifts.`);
  };
  socket.addEventListener("welcome", render);
  socket.addEventListener("wallet", render);
}
