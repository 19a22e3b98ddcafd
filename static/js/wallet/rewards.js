/**
 * The tab "Rewards": what the next purchase gets, what can be won, watched and answered, whom to invite, and what came
 * of all that.
 */

import { Challenges } from "./rewards/challenges.js";
import { Given } from "./rewards/given.js";
import { Invite } from "./rewards/invite.js";
import { PromotionCards } from "./rewards/promotions.js";
import { Watch } from "./rewards/watch.js";

export const id = "rewards";
export const title = "Rewards";

/** Kinds of notices after which something here is different. */
const TELLING = new Set(["reward", "promotion", "challenge", "contest", "event", "purchase"]);
/** How often progress is looked at while the tab is open; it is counted behind settlement. */
const REFRESH_MS = 10_000;

/** @param {HTMLElement} root @param {import("./tabs.js").TabContext} context */
export function show(root, { api, socket }) {
  const sections = [new PromotionCards(api), new Challenges(api), new Watch(api), new Invite(api), new Given(api)];
  root.append(...sections.map(({ node }) => node));
  const refresh = () => { for (const section of sections) section.refresh(); };
  const hear = (/** @type {Event} */ event) => TELLING.has(/** @type {CustomEvent} */ (event).detail.kind) && refresh();
  socket.addEventListener("notice", hear);
  const timer = setInterval(() => document.hidden || sections[1].refresh(), REFRESH_MS);
  refresh();
  return () => {
    clearInterval(timer);
    socket.removeEventListener("notice", hear);
  };
}
