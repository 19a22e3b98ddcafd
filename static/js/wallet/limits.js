/**
 * The tab "Limits": budgets and breaks, what one told of oneself, what asks before coins go, who may buy, and where one signed in.
 */

import { Budgets } from "./limits/budgets.js";
import { ConfirmAbove } from "./limits/confirm_above.js";
import { LoginList } from "./limits/login_list.js";
import { ProfileForm } from "./limits/profile_form.js";
import { PurchaseBlock } from "./limits/purchase_block.js";

export const id = "limits";
export const title = "Limits";

/** @param {HTMLElement} root @param {import("./tabs.js").TabContext} context */
export async function show(root, { api }) {
  const profile = new ProfileForm(api), block = new PurchaseBlock(api);
  root.append(new Budgets(api).node, new ConfirmAbove().node, block.node, profile.node, new LoginList(api).node);
  profile.addEventListener("profile", (event) => block.show(/** @type {CustomEvent} */ (event).detail.purchases_blocked));
  await profile.load();
}
