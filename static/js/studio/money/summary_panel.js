/**
 * The last days in four figures, each beside as many days before.
 */

import { element, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";

/** @typedef {{diamonds: number, coins: number, gifts: number, gifters: number}} Earned */
/**
 * @typedef {object} Analytics
 * @property {Earned} total
 * @property {Earned} before
 * @property {number[][]} heat
 * @property {{settled: number, pending: number}} diamonds
 * @property {number} followers
 */

export const PERIODS_DAYS = [7, 28, 90];
/** @type {ReadonlyArray<["diamonds"|"gifts"|"gifters", string]>} */
const FIGURES = [["diamonds", "Diamonds"], ["gifts", "Gifts"], ["gifters", "Gifters"]];
const percent = new Intl.NumberFormat(navigator.languages, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });

/** Fires "period" (CustomEvent<number>, days) when another stretch is chosen. */
export class SummaryPanel extends EventTarget {
  /** @param {number} days chosen at first */
  constructor(days) {
    super();
    this.values = FIGURES.map(([key, name]) => tile(name, `summary-${key}`));
    this.pending = tile("Pending, all rooms", "summary-pending");
    this.node = element("section", { class: "card money-summary", attrs: { "aria-labelledby": "summary-title" } },
      element("header", { class: "card-head" },
        element("h2", { text: "Earned", attrs: { id: "summary-title" } }),
        element("fieldset", { class: "periods" }, element("legend", { class: "visually-hidden", text: "Stretch of time" }),
          ...PERIODS_DAYS.map((each) => this.#choice(each, each === days)))),
      element("dl", { class: "tiles" }, ...this.values.map(({ node }) => node), this.pending.node));
  }

  /** @param {Analytics} analytics */
  render({ total, before, diamonds }) {
    FIGURES.forEach(([key], place) => {
      const { value, change } = this.values[place];
      setText(value, formatNumber(total[key]));
      value.dataset.value = String(total[key]);
      setText(change, comparison(total[key], before[key]));
    });
    setText(this.pending.value, formatNumber(diamonds.pending));
    setText(this.pending.change, `${formatNumber(diamonds.settled)} settled`);
  }

  /** @param {number} days @param {boolean} chosen */
  #choice(days, chosen) {
    return element("label", { class: "period" },
      element("input", {
        class: "visually-hidden", attrs: { type: "radio", name: "period", value: days, checked: chosen },
        on: { change: () => this.dispatchEvent(new CustomEvent("period", { detail: days })) },
      }),
      element("span", { text: `${days} days` }));
  }
}

/** @param {number} now @param {number} before */
function comparison(now, before) {
  if (before === 0) return now === 0 ? "as before" : "none before";
  return `${percent.format(now / before - 1)} against ${formatNumber(before)}`;
}

/** @param {string} name @param {string} testid */
function tile(name, testid) {
  const value = element("dd", { class: "number", testid, text: "–" });
  const change = element("dd", { class: "tile-change fine" });
  return { node: element("div", {}, element("dt", { text: name }), value, change), value, change };
}
