/**
 * Whether and when to come back after a close: exponential with full jitter, so that a crowd that lost its server
 * together does not come back together.
 */

const BASE_MS = 500;
const CAP_MS = 20_000;
const EXPONENT_MAX = 10;

/** Longest wait a server can ask for in a close reason. */
const SERVER_RETRY_CAP_MS = 60_000;

/** After these a client does not come back by itself. */
const FINAL_CLOSE_CODES = new Set([1000, 1009, 4400, 4401, 4403]);

/** @type {Readonly<Record<number, string>>} a word for each close code, for the page to explain */
const CLOSE_REASONS = {
  1000: "closed",
  1001: "restarting",
  1009: "frame_too_large",
  1012: "restarting",
  4400: "bad_frame",
  4401: "unauthorized",
  4403: "forbidden",
  4408: "hello_timeout",
  4409: "too_many_connections",
  4410: "too_slow",
  4429: "rate_limited",
};

/** @param {number} code @returns {string} */
export function closeReason(code) {
  return CLOSE_REASONS[code] ?? "lost";
}

/** @param {number} code @returns {boolean} */
export function isFinalClose(code) {
  return FINAL_CLOSE_CODES.has(code);
}

/**
 * @param {number} attempt 0 for the first try after a loss
 * @param {() => number} [random] in [0, 1)
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, random = Math.random) {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, EXPONENT_MAX));
}

/**
 * @param {number} retryMs longest wait the server named
 * @param {() => number} [random]
 * @returns {number} milliseconds, anywhere up to it
 */
export function spreadMs(retryMs, random = Math.random) {
  return random() * Math.min(SERVER_RETRY_CAP_MS, Math.max(0, retryMs));
}

/**
 * @param {string} reason of a 1012 close, naming retry_ms
 * @returns {number|null} milliseconds; null when it names none
 */
export function retryMsOf(reason) {
  const match = /retry_ms\D{0,4}(\d{1,7})/.exec(reason);
  return match ? Number(match[1]) : null;
}
