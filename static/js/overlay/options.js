/**
 * What the overlay shows and how, read from its address. A wrong value is never an error on a stream: it is the default.
 */

export const PARTS = /** @type {const} */ (["alerts", "counter", "ranking"]);
export const THEMES = /** @type {const} */ (["dark", "light"]);
export const POSITIONS = /** @type {const} */ ([
  "top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right",
]);
export const RANKING_SIZES = /** @type {const} */ ([3, 5]);
export const MIN_COINS_MAX = 1_000_000_000;

const DEFAULT_POSITION = "bottom-left";

/** @typedef {typeof PARTS[number]} Part */

/**
 * @typedef {object} OverlayOptions
 * @property {string} room
 * @property {string} token          read-only; empty when the address carries none
 * @property {ReadonlySet<Part>} show
 * @property {number} minCoins       gifts (or combos) worth less raise no alert
 * @property {typeof THEMES[number]} theme
 * @property {typeof POSITIONS[number]} position
 * @property {typeof RANKING_SIZES[number]} rankingSize
 */

/**
 * @param {URL} address `/overlay/{room}?show=&min_coins=&theme=&position=&top=#token=`
 * @returns {OverlayOptions}
 */
export function readOptions(address) {
  const query = address.searchParams;
  const fragment = new URLSearchParams(address.hash.slice(1));
  return {
    room: roomOf(address.pathname),
    token: fragment.get("token") ?? query.get("token") ?? "",
    show: partsOf(query.get("show")),
    minCoins: wholeNumber(query.get("min_coins"), MIN_COINS_MAX) ?? 0,
    theme: oneOf(THEMES, query.get("theme")) ?? THEMES[0],
    position: oneOf(POSITIONS, query.get("position")) ?? DEFAULT_POSITION,
    rankingSize: oneOf(RANKING_SIZES, Number(query.get("top"))) ?? RANKING_SIZES[0],
  };
}

/** @param {string} pathname @returns {string} */
function roomOf(pathname) {
  const segment = pathname.split("/")[2] ?? "";
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** @param {string|null} value comma-separated @returns {ReadonlySet<Part>} all of them when none is named */
function partsOf(value) {
  const named = (value ?? "").split(",").map((part) => part.trim().toLowerCase());
  const known = PARTS.filter((part) => named.includes(part));
  return new Set(known.length > 0 ? known : PARTS);
}

/** @param {string|null} value @param {number} max @returns {number|null} */
function wholeNumber(value, max) {
  return value !== null && /^\d{1,10}$/.test(value) ? Math.min(Number(value), max) : null;
}

/**
 * @template T
 * @param {readonly T[]} allowed
 * @param {unknown} value
 * @returns {T|undefined}
 */
function oneOf(allowed, value) {
  const wanted = typeof value === "string" ? value.trim().toLowerCase() : value;
  return allowed.find((option) => option === wanted);
}
