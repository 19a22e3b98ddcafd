/**
 * The protocol's codes in plain words, for people.
 */

/** @type {Readonly<Record<string, string>>} */
const SENTENCES = {
  bad_count: "That quantity cannot be sent.",
  busy: "Very busy right now. Please try again in a moment.",
  forbidden: "You may not do that here.",
  insufficient_coins: "You do not have enough coins for this gift.",
  not_joined: "You are not in this room any more.",
  rate_limited: "That was a little fast. Please wait a moment.",
  room_ended: "This room has ended.",
  room_not_found: "This room does not exist.",
  self_gift: "You cannot send gifts to yourself.",
  unauthorized: "Your sign-in has expired. Please sign in again.",
  unavailable: "No connection to the server right now.",
  unknown_gift: "This gift is not available any more.",
  wallet_blocked: "Your wallet is blocked, and cannot send gifts.",
};

/**
 * @param {string} code
 * @param {string} [fallback] the server's own message
 * @returns {string}
 */
export function explain(code, fallback) {
  return SENTENCES[code] ?? fallback ?? "That did not work. Please try again.";
}
