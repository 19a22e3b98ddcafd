/**
 * When in the week the diamonds come: weekdays by hours, in the viewer's own time.
 */

import { element } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { saveBlob } from "../../lib/save_file.js";
import { showToast } from "../../lib/toasts.js";

const DAYS = 7;
const HOURS = 24;
const WEEK_HOURS = DAYS * HOURS;
/** A Monday. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;
const LABEL_EVERY_H = 6;
const longDay = new Intl.DateTimeFormat(navigator.languages, { weekday: "long", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat(navigator.languages, { weekday: "short", timeZone: "UTC" });

export class HeatMap {
  #drawn = "";

  /** @param {import("../../lib/api.js").Api} api @param {() => number} days what is looked at */
  constructor(api, days) {
    const save = async () => {
      try {
        saveBlob(`hours-${days()}-days.csv`, await api.getFile("/creator/analytics/hours.csv", { days: days() }));
      } catch (problem) {
        showToast(/** @type {Error} */ (problem).message, { kind: "problem" });
      }
    };
    const table = element("button", { class: "button button-quiet", text: "CSV", testid: "hours-csv", attrs: { type: "button", "aria-label": "Hours as CSV" }, on: { click: save } });
    this.body = element("tbody");
    this.readout = element("p", { class: "muted fine", testid: "heat-best", attrs: { role: "status" } });
    this.node = element("section", { class: "card heat", testid: "heat-map", attrs: { "aria-labelledby": "heat-title" } },
      element("header", { class: "card-head" }, element("h2", { text: "When gifts come", attrs: { id: "heat-title" } }), this.readout, table),
      element("table", { class: "heat-table" },
        element("caption", { class: "visually-hidden", text: "Diamonds by weekday and hour, in your time" }),
        element("thead", {}, element("tr", {}, element("td"), ...Array.from({ length: HOURS }, (_, hour) =>
          element("th", { attrs: { scope: "col" } }, element("span", { class: hour % LABEL_EVERY_H ? "visually-hidden" : "", text: `${hour}` }))))),
        this.body));
  }

  /** @param {number[][]} utc diamonds by weekday (Monday first) and hour, UTC */
  render(utc) {
    const key = JSON.stringify(utc);
    if (key === this.#drawn) return;
    this.#drawn = key;
    const cells = inLocalTime(utc, -new Date().getTimezoneOffset() / 60);
    const most = Math.max(...cells.flat());
    this.body.replaceChildren(...cells.map((hours, day) => element("tr", {},
      element("th", { attrs: { scope: "row" }, text: shortDay.format(MONDAY_MS + day * DAY_MS) }),
      ...hours.map((diamonds, hour) => cell(diamonds, most, `${longDay.format(MONDAY_MS + day * DAY_MS)} ${hour}:00: ${formatNumber(diamonds)}`)))));
    this.readout.textContent = best(cells, most);
  }
}

/**
 * @param {number[][]} utc
 * @param {number} offsetH what local time is ahead of UTC; half hours are rounded
 * @returns {number[][]}
 */
export function inLocalTime(utc, offsetH) {
  const flat = utc.flat();
  const shift = Math.round(offsetH);
  return Array.from({ length: DAYS }, (_, day) => Array.from({ length: HOURS }, (_, hour) =>
    flat[(day * HOURS + hour - shift + WEEK_HOURS) % WEEK_HOURS]));
}

/** @param {number} diamonds @param {number} most @param {string} told */
function cell(diamonds, most, told) {
  const node = element("td", { class: diamonds > 0 ? "heat-cell" : "heat-cell is-cold", attrs: { title: told } }, element("span", { class: "visually-hidden", text: formatNumber(diamonds) }));
  // The root tells small amounts apart, which the few large ones would flatten.
  if (diamonds > 0) node.style.setProperty("--heat", `${Math.round(15 + 85 * Math.sqrt(diamonds / most))}%`);
  return node;
}

/** @param {number[][]} cells @param {number} most */
function best(cells, most) {
  if (most === 0) return "No gifts in this time.";
  const day = cells.findIndex((hours) => hours.includes(most));
  const hour = cells[day].indexOf(most);
  return `Best: ${longDay.format(MONDAY_MS + day * DAY_MS)}, ${hour}:00 – ${(hour + 1) % HOURS}:00`;
}
