/**
 * Money, days and states of payouts as creators read them.
 */

const LANGUAGES = navigator.languages;
const dayFormat = new Intl.DateTimeFormat(LANGUAGES, { weekday: "short", month: "short", day: "numeric", timeZone: "UTC" });
const monthFormat = new Intl.DateTimeFormat(LANGUAGES, { month: "long", year: "numeric", timeZone: "UTC" });

/** @typedef {{amount: number, currency: string}} Fiat amount in minor units */

/** @param {Fiat} money @returns {string} $12.34 */
export function formatFiat({ amount, currency }) {
  return new Intl.NumberFormat(LANGUAGES, { style: "currency", currency }).format(amount / 100);
}

/** @param {string} day 2026-05-31 @returns {string} Sun, May 31 */
export function formatDay(day) {
  return dayFormat.format(Date.parse(`${day}T00:00:00Z`));
}

/** @param {string} month 2026-05 @returns {string} May 2026 */
export function formatMonth(month) {
  return monthFormat.format(Date.parse(`${month}-01T00:00:00Z`));
}

/** @type {Readonly<Record<string, string>>} */
const STATES = {
  requested: "Requested", held: "Reserved", review: "In review", sent: "On its way", paid: "Paid", failed: "Failed", returned: "Returned",
};

/** @param {string} state @returns {string} */
export function stateName(state) {
  return STATES[state] ?? state;
}

/**
 * What diamonds are worth, rounded down to a whole minor unit, and how many of them that takes: exactly as the server counts.
 * @param {number} diamonds
 * @param {string} rate minor units for a diamond, as a fraction
 * @returns {{amount: number, taken: number}}
 */
export function worth(diamonds, rate) {
  const [numerator, denominator] = rate.split("/").map(BigInt);
  const amount = (BigInt(diamonds) * numerator) / denominator;
  const taken = (amount * denominator + numerator - 1n) / numerator;
  return { amount: Number(amount), taken: Number(taken) };
}
