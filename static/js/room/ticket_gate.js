/**
 * The door of an exclusive room: what a ticket costs, and the way to one.
 */

import { ApiError, newIdempotencyKey } from "../lib/api.js";
import { avatar } from "../lib/avatar.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../lib/format.js";
import { explain } from "../lib/problems.js";

/** @typedef {{id: string, title: string, creator: {id: string, name: string}, ticket: {item: string, coins: number, starts_at?: string}}} ExclusiveRoom */

/** One key for each room and page: asked again after a lost answer, it charges nothing twice. */
const keys = new Map();

/**
 * @param {import("../lib/api.js").Api} api
 * @param {ExclusiveRoom} room
 * @param {() => void} onAdmitted
 * @returns {HTMLElement}
 */
export function ticketGate(api, room, onAdmitted) {
  const said = element("p", { class: "gate-said", testid: "gate-said", attrs: { role: "status" } });
  const buy = element("button", { class: "button button-primary", testid: "buy-ticket", attrs: { type: "button" } },
    icon("ticket"), "Buy a ticket", element("span", { class: "send-price number" }, icon("coin"), formatNumber(room.ticket.coins)));
  const recharge = element("a", { class: "button", text: "Get coins", testid: "gate-recharge", attrs: { href: "/wallet" } });
  recharge.hidden = true;
  buy.addEventListener("click", async () => {
    buy.disabled = true;
    setText(said, "");
    const refused = await pay(api, room);
    buy.disabled = false;
    if (refused === null) return onAdmitted();
    setText(said, explain(refused.code, refused.message));
    recharge.hidden = refused.code !== "insufficient_coins";
    return undefined;
  });
  const starts = room.ticket.starts_at;
  return element("section", { class: "ended gate", testid: "ticket-gate", attrs: { "aria-labelledby": "gate-title" } },
    element("div", { class: "ended-card" },
      avatar(room.creator, "ended-face"),
      element("h1", { class: "gate-title", attrs: { id: "gate-title" } }, userText(room.title)),
      element("p", { class: "ended-creator" }, "An exclusive room of ", userText(room.creator.name)),
      starts && element("p", { class: "gate-starts" }, icon("clock"), `Begins ${formatMoment(toMicroseconds(starts))}`),
      element("p", { class: "gate-terms", text: "One ticket lets you in as often as you like. If the room is cancelled, your coins come back." }),
      said, buy, recharge,
      element("a", { class: "button button-quiet", text: "Back to the lobby", attrs: { href: "/" } })));
}

/** @param {import("../lib/api.js").Api} api @param {ExclusiveRoom} room @returns {Promise<ApiError|null>} why not; null: there is a ticket now */
async function pay(api, room) {
  const key = keys.get(room.id) ?? newIdempotencyKey();
  keys.set(room.id, key);
  try {
    await api.post(`/rooms/${encodeURIComponent(room.id)}/spend`, { item: room.ticket.item }, { idempotencyKey: key });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Bought before, in another tab perhaps: that is what was wanted.
    if (error.code === "conflict") return null;
    // A refusal for good is remembered under its key; only an answer that did not come is asked for again.
    if (error.code !== "unavailable" && error.code !== "busy") keys.delete(room.id);
    return error;
  }
  return null;
}

/**
 * Whether somebody has to buy a ticket first, and for what.
 * @param {import("../lib/api.js").Api} api
 * @param {string} roomId
 * @returns {Promise<ExclusiveRoom|null>} null where no ticket is missing
 */
export async function missingTicket(api, roomId) {
  const address = `/rooms/${encodeURIComponent(roomId)}`;
  const room = await api.get(address);
  if (!room.ticket || room.state !== "live") return null;
  const { admitted } = await api.get(`${address}/ticket`);
  return admitted ? null : room;
}
