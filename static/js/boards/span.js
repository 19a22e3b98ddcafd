/**
 * Days and spans of days, UTC, as boards name them. No DOM, no clock.
 */

/** @typedef {"day"|"week"|"month"} Period */

const DAY_MS = 86_400_000;

/** @param {string} day such as 2030-01-31 @param {number} days @returns {string} */
export function addDays(day, days) {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/**
 * A span in words.
 * @param {Period} period
 * @param {string} starts its first day
 * @param {string} ends the first day after it
 * @returns {string}
 */
export function spanInWords(period, starts, ends) {
  const first = new Date(`${starts}T00:00:00Z`);
  const last = new Date(`${addDays(ends, -1)}T00:00:00Z`);
  const format = (/** @type {Intl.DateTimeFormatOptions} */ options) => new Intl.DateTimeFormat("en", { ...options, timeZone: "UTC" });
  if (period === "month") return format({ month: "long", year: "numeric" }).format(first);
  if (period === "day") return format({ weekday: "long", day: "numeric", month: "long" }).format(first);
  return format({ day: "numeric", month: "long", year: "numeric" }).formatRange(first, last);
}
