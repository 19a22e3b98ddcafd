/**
 * How long something still lasts, in words.
 */

const UNITS = /** @type {const} */ ([["day", 86_400_000], ["hour", 3_600_000], ["minute", 60_000]]);
const relative = new Intl.RelativeTimeFormat(navigator.languages, { numeric: "always" });

/** @param {string} at RFC 3339 @param {number} [nowMs] @returns {string} "ends in 3 hours", "over" */
export function untilText(at, nowMs = Date.now()) {
  const left = inWords(at, nowMs);
  return left === null ? "over" : `ends ${left}`;
}

/** @param {string} at RFC 3339 @param {number} [nowMs] @returns {string} "starts in 3 hours" */
export function startsText(at, nowMs = Date.now()) {
  return `starts ${inWords(at, nowMs) ?? "now"}`;
}

/** @param {string} at @param {number} nowMs @returns {string|null} null when it is past */
function inWords(at, nowMs) {
  const leftMs = Date.parse(at) - nowMs;
  if (leftMs <= 0) return null;
  for (const [unit, lengthMs] of UNITS) if (leftMs >= lengthMs) return relative.format(Math.floor(leftMs / lengthMs), unit);
  return relative.format(1, "minute");
}
