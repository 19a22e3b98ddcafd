/**
 * One movement of coins in the history: what it was, what it moved, and on demand where it is.
 */

import { ApiError } from "../lib/api.js";
import { element, icon, userText } from "../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";
import { explain } from "../lib/problems.js";
import { openReport } from "../lib/report_sheet.js";
import { traceCard } from "./trace_card.js";

/** @type {Readonly<Record<string, string>>} */
const TITLES = {
  purchase: "Bought coins",
  promotion: "Coins given",
  correction: "Correction",
  return: "Coins returned",
  refund: "Taken back: the payment was refunded",
  forfeit: "Taken back: given with a refunded payment",
};
/** @type {Readonly<Record<string, string>>} */
const STATUS_ICONS = { accepted: "clock", booked: "clock", settled: "check", applied: "check" };

/**
 * @typedef {{id: string, kind: string, coins: number, at: number, status: string, what: string, count: number,
 *   room?: string, creator?: {id: string, name: string}, reference?: string}} Movement
 */

/**
 * @param {Movement} movement
 * @param {import("../lib/api.js").Api} api
 * @param {(giftId: string) => string} giftName
 * @returns {HTMLElement}
 */
export function movementRow(movement, api, giftName) {
  const gift = movement.kind === "gift";
  const title = gift ? `${giftName(movement.what)} ×${formatNumber(movement.count)}` : TITLES[movement.kind] ?? movement.kind;
  const picture = gift
    ? element("img", { attrs: { src: artUrl(movement.what), alt: "", width: 40, height: 40, loading: "lazy" } })
    : element("span", { class: "movement-mark" }, icon(movement.coins < 0 ? "alert" : "coin"));
  const about = movement.creator ? userText(`to ${movement.creator.name}`, "truncate") : element("span", { class: "truncate", text: movement.what });
  const detail = element("div", { class: "movement-detail" });
  const report = () => openReport(api, { kind: gift ? "gift" : "purchase", id: gift ? movement.id : movement.reference ?? movement.id, name: title }, "fraud");
  const row = element("details", { class: "movement", attrs: { "data-kind": movement.kind, "data-status": movement.status } },
    element("summary", {},
      picture,
      element("span", { class: "movement-words" },
        element("span", { class: "truncate movement-title", text: title }),
        element("span", { class: "movement-about" }, about, element("time", { text: formatMoment(toMicroseconds(movement.at)) }))),
      element("span", { class: `movement-coins number ${movement.coins < 0 ? "is-out" : "is-in"}`, text: `${movement.coins > 0 ? "+" : "−"}${formatNumber(Math.abs(movement.coins))}` }),
      element("span", { class: `movement-status status-${movement.status}` }, icon(STATUS_ICONS[movement.status] ?? "clock"), movement.status)),
    detail);
  row.addEventListener("toggle", async () => {
    if (!row.open || detail.firstChild) return;
    try {
      detail.replaceChildren(traceCard(await api.get(`/wallet/trace/${encodeURIComponent(movement.id)}`)),
        element("button", { class: "button button-quiet", text: "Report a problem", testid: "report-movement", attrs: { type: "button", "aria-haspopup": "dialog" }, on: { click: report } }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      detail.replaceChildren(element("p", { class: "muted", text: explain(error.code, error.message) }));
    }
  });
  return element("li", { testid: "movement" }, row);
}
