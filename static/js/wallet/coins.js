/**
 * The tab "Get coins": what coins cost, and what was bought before; a purchase of its own at #coins/<purchase>.
 */

import { PurchaseView } from "./coins/purchase_view.js";
import { Shop } from "./coins/shop.js";

export const id = "coins";
export const title = "Get coins";

/**
 * @param {HTMLElement} root
 * @param {import("./tabs.js").TabContext} context
 * @returns {() => void}
 */
export function show(root, { api, socket, path }) {
  const view = path === "" ? new Shop({ root, api, socket }) : new PurchaseView({ root, api, socket, purchase: path });
  view.start();
  return () => view.stop();
}
