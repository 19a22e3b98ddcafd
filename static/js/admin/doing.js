/**
 * Doing something on the server from a button: pressed once at a time, and a refusal is said in the server's own words.
 */

import { ApiError } from "../lib/api.js";
import { element } from "../lib/element.js";
import { showToast } from "../lib/toasts.js";

/**
 * @template T
 * @param {HTMLButtonElement|null} button not to be pressed meanwhile
 * @param {() => Promise<T>} work
 * @returns {Promise<T|undefined>} undefined when the server refused, which was said then
 */
export async function attempt(button, work) {
  if (button) button.disabled = true;
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    showToast(error.message, { kind: "problem" });
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

/**
 * @param {string} text @param {(button: HTMLButtonElement) => void} press
 * @param {{kind?: string, testid?: string, label?: string}} [options] label: what is read out, where the text is not enough
 */
export function deed(text, press, { kind = "", testid, label } = {}) {
  /** @type {HTMLButtonElement} */
  const button = element("button", {
    class: `button deed ${kind}`.trim(), text, testid, attrs: { type: "button", "aria-label": label }, on: { click: () => press(button) },
  });
  return button;
}
