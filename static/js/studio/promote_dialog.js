/**
 * Promoting one's own room from the studio: what it costs, and how it is getting on.
 */

import { ApiError, newIdempotencyKey } from "../lib/api.js";
import { element, icon } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { Items } from "../lib/items.js";
import { explain } from "../lib/problems.js";
import { Sheet } from "../lib/sheet.js";
import { showToast } from "../lib/toasts.js";
import { PromotePanel } from "../room/spotlight/promote_panel.js";

/** How long after a purchase it is settled, as a rule: then its placement can be seen. */
const SETTLED_AFTER_MS = 2_000;

/**
 * Opens the dialog for a room; it is gone when it is closed.
 * @param {import("../lib/api.js").Api} api
 * @param {string} room
 */
export async function openPromotion(api, room) {
  const items = await Items.load(api).catch(() => null);
  if (!items) return showToast(explain("unavailable"), { kind: "problem" });
  const panel = new PromotePanel({ api, room, items });
  const price = element("span", { class: "send-price number" });
  const button = element("button", { class: "button button-primary spotlight-buy", testid: "promote-buy", attrs: { type: "button" } }, "Buy", price);
  const render = () => price.replaceChildren(icon("coin"), formatNumber(panel.order()?.item.coins ?? 0));
  panel.changed = render;
  render();
  const sheet = new Sheet({ title: "Promote this room", class: "promote-sheet", testid: "promote-sheet" }, panel.node, element("div", { class: "promote-footer" }, button));
  sheet.addEventListener("close", () => sheet.dialog.remove());
  // One key for each purchase: asked again after a lost answer, it charges nothing twice.
  let key = newIdempotencyKey();
  button.addEventListener("click", async () => {
    const order = panel.order();
    if (!order) return;
    button.disabled = true;
    const refused = await buy(api, room, order.item.id, key);
    button.disabled = false;
    if (refused === null || (refused.code !== "unavailable" && refused.code !== "busy")) key = newIdempotencyKey();
    showToast(refused === null ? panel.bought(order.item) : explain(refused.code, refused.message), { kind: refused === null ? "info" : "problem" });
    if (refused === null) setTimeout(() => panel.opened(), SETTLED_AFTER_MS);
  });
  sheet.open();
  return panel.opened();
}

/** @param {import("../lib/api.js").Api} api @param {string} room @param {string} item @param {string} key @returns {Promise<ApiError|null>} */
async function buy(api, room, item, key) {
  try {
    await api.post(`/rooms/${encodeURIComponent(room)}/spend`, { item }, { idempotencyKey: key });
    return null;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return error;
  }
}
