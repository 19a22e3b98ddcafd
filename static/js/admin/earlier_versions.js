/**
 * The versions that something had before the one that is sold now, newest first.
 */

import { element } from "../lib/element.js";
import { Sheet } from "../lib/sheet.js";
import { attempt, deed } from "./doing.js";

/**
 * @template {{id: string, version: number}} T
 * @param {T} newest
 * @param {() => Promise<T[]>} load all versions, newest first
 * @param {(version: T) => string} describe
 * @returns {HTMLButtonElement|null} null where there is only one version
 */
export function earlierButton(newest, load, describe) {
  if (newest.version === 1) return null;
  return deed("Earlier versions", async (button) => {
    const versions = await attempt(button, load);
    if (!versions) return;
    const rows = versions.filter(({ version }) => version < newest.version).map((version) =>
      element("li", { class: "case", text: describe(version) }));
    const sheet = new Sheet({ title: `Earlier versions of ${newest.id}`, testid: "earlier-versions" }, element("ul", { class: "cases" }, ...rows));
    sheet.addEventListener("close", () => sheet.dialog.remove());
    sheet.open();
  }, { label: `Earlier versions of ${newest.id}` });
}
