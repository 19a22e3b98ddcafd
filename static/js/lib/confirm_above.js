/**
 * From which price on a gift is asked about before it is sent. Kept in this browser: it is a help for the one who
 * sits here, and nothing that a server has to enforce.
 */

const KEY = "giftstream.confirm-above";

/** @returns {number} coins; 0: never ask */
export function confirmAbove() {
  const kept = Number(localStorage.getItem(KEY));
  return Number.isSafeInteger(kept) && kept > 0 ? kept : 0;
}

/** @param {number} coins 0: never ask */
export function setConfirmAbove(coins) {
  if (coins > 0) localStorage.setItem(KEY, String(coins));
  else localStorage.removeItem(KEY);
}
