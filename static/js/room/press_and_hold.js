/**
 * A button that acts once when pressed and again and again while held, by pointer or keyboard.
 */

export const HOLD_AFTER_MS = 380;
/** Sends per second while held: 8, well inside what the server lets one viewer send. */
export const REPEAT_EVERY_MS = 125;

/**
 * @typedef {object} HoldActions
 * @property {() => void} tap pressed once
 * @property {() => boolean} mayHold asked when it has been held long enough
 * @property {() => boolean} repeat false ends the hold
 * @property {() => void} release after a hold
 */

/**
 * @param {HTMLButtonElement} button
 * @param {HoldActions} actions
 */
export function pressAndHold(button, actions) {
  let timer = 0;
  let repeated = false;

  const step = () => {
    if (!repeated && !actions.mayHold()) return;
    repeated = true;
    if (actions.repeat()) timer = window.setTimeout(step, REPEAT_EVERY_MS);
    else stop();
  };
  const start = () => {
    if (timer !== 0 || button.disabled) return;
    repeated = false;
    timer = window.setTimeout(step, HOLD_AFTER_MS);
  };
  const stop = () => {
    clearTimeout(timer);
    timer = 0;
    if (repeated) actions.release();
  };

  button.addEventListener("pointerdown", (event) => {
    if (event.button === 0) start();
  });
  for (const type of ["pointerup", "pointercancel", "pointerleave", "blur"]) button.addEventListener(type, stop);
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    // The browser's own key repeat would click at its own rate.
    if (event.repeat) event.preventDefault();
    else start();
  });
  button.addEventListener("keyup", stop);
  button.addEventListener("click", () => {
    if (!repeated) actions.tap();
    repeated = false;
  });
}
