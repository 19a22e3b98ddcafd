/**
 * The tab "Get coins".
 */

import { element, icon } from "../lib/element.js";

export const id = "coins";
export const title = "Get coins";

/** @param {HTMLElement} root */
export function show(root) {
  root.append(element("p", { class: "notice" }, icon("alert"),
    element("span", { text: "Buying coins is not switched on on this server yet. You can go on sending the coins you have." })));
}
