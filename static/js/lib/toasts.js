/**
 * Short notices at the top of the page, read out politely. While a sheet is open they show inside it, since the rest
 * of the page is inert then.
 */

import { element, icon } from "./element.js";

/** Notices on screen at one time; the oldest makes room. */
const TOASTS_MAX = 3;
const TOAST_MS = 4_500;

const host = element("div", { class: "toasts", testid: "toasts", attrs: { role: "status", "aria-live": "polite" } });

// A sheet that closes would take its notices along.
document.addEventListener("close", () => host.isConnected && document.body.append(host), true);

/**
 * @param {string} text
 * @param {{kind?: "info"|"problem", action?: {label: string, run: () => void, testid?: string}}} [options]
 */
export function showToast(text, { kind = "info", action } = {}) {
  (document.querySelector("dialog[open]:not(.is-closing)") ?? document.body).append(host);
  for (const shown of host.children) if (shown.firstElementChild?.nextElementSibling?.textContent === text) shown.remove();
  while (host.children.length >= TOASTS_MAX) host.firstElementChild?.remove();
  const toast = element("div", { class: `toast toast-${kind}`, testid: "toast" },
    icon(kind === "problem" ? "alert" : "check"),
    element("p", { text }),
    action && element("button", {
      class: "button", text: action.label, testid: action.testid, attrs: { type: "button" },
      on: { click: () => { toast.remove(); action.run(); } },
    }),
  );
  host.append(toast);
  setTimeout(() => toast.remove(), TOAST_MS);
}
