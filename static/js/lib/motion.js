/**
 * Whether the viewer asked for less motion, as it is now and when it changes.
 */

const query = matchMedia("(prefers-reduced-motion: reduce)");

/** @returns {boolean} */
export function prefersReducedMotion() {
  return query.matches;
}

/** @param {(reduced: boolean) => void} listener */
export function onMotionPreference(listener) {
  query.addEventListener("change", () => listener(query.matches));
}
