/**
 * Numbers and times as people read them, in the browser's language.
 */

const LANGUAGES = typeof navigator === "undefined" ? undefined : navigator.languages;
const whole = new Intl.NumberFormat(LANGUAGES, { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat(LANGUAGES, { notation: "compact", maximumFractionDigits: 1 });
const relative = new Intl.RelativeTimeFormat(LANGUAGES, { numeric: "auto", style: "narrow" });

const MOMENT = /** @type {const} */ ({ month: "short", day: "numeric", hour: "numeric", minute: "2-digit" });
const moment = new Intl.DateTimeFormat(LANGUAGES, MOMENT);
const momentOfAnotherYear = new Intl.DateTimeFormat(LANGUAGES, { year: "numeric", ...MOMENT });

/** Digits of a currency's minor unit (ISO 4217); two for all others. @type {Readonly<Record<string, number>>} */
const MINOR_DIGITS = Object.fromEntries([
  ..."BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(" ").map((currency) => [currency, 0]),
  ..."BHD IQD JOD KWD LYD OMR TND".split(" ").map((currency) => [currency, 3]),
]);

const MICROSECONDS_PER_SECOND = 1_000_000;
const COMPACT_FROM = 10_000;

/** @type {ReadonlyArray<[Intl.RelativeTimeFormatUnit, number]>} unit and its length in seconds, longest first */
const RELATIVE_UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60]];

/** @param {number} value @returns {string} every digit, grouped: 12,345 */
export function formatNumber(value) {
  return whole.format(value);
}

/** @param {number} value @returns {string} every digit below 10,000, then 12.3K */
export function formatCompact(value) {
  return value < COMPACT_FROM ? whole.format(value) : compact.format(value);
}

/**
 * @param {number} atUs microseconds since the epoch
 * @param {number} [nowMs]
 * @returns {string} "now", "3 min. ago", "2 days ago"
 */
export function formatRelativeTime(atUs, nowMs = Date.now()) {
  const ageS = Math.max(0, nowMs / 1000 - atUs / MICROSECONDS_PER_SECOND);
  for (const [unit, lengthS] of RELATIVE_UNITS) {
    if (ageS >= lengthS) return relative.format(-Math.floor(ageS / lengthS), unit);
  }
  return relative.format(0, "second");
}

/** @param {number} atUs microseconds since the epoch @returns {string} day and time of day: Nov 22, 8:15 PM; with its year unless that is this one */
export function formatMoment(atUs) {
  const at = new Date(atUs / 1000);
  return (at.getFullYear() === new Date().getFullYear() ? moment : momentOfAnotherYear).format(at);
}

/**
 * @param {number|string} at microseconds since the epoch, or an RFC 3339 time as HTTP answers carry it
 * @returns {number} microseconds since the epoch
 */
export function toMicroseconds(at) {
  return typeof at === "number" ? at : Date.parse(at) * 1000;
}

/**
 * @param {number} durationMs
 * @returns {string} 1:02:03 or 2:03
 */
export function formatDuration(durationMs) {
  const totalS = Math.max(0, Math.floor(durationMs / 1000));
  const seconds = String(totalS % 60).padStart(2, "0");
  const minutes = Math.floor(totalS / 60) % 60;
  const hours = Math.floor(totalS / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** @param {{amount: number, currency: string}} money amount in minor units @returns {string} $9.99 */
export function formatMoney({ amount, currency }) {
  const digits = MINOR_DIGITS[currency] ?? 2;
  const format = new Intl.NumberFormat(LANGUAGES, { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
  return format.format(amount / 10 ** digits);
}
