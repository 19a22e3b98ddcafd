/**
 * What is said about budgets: that one is nearly spent, or that something is over it and until when.
 */

import { formatMoment } from "../lib/format.js";

/** @typedef {"day"|"week"|"month"} Period */

/** A page does not say the same again within this time: the notice of it comes right behind. */
const SAY_AGAIN_AFTER_MS = 60_000;

/** Says once of each budget in its time that it is nearly spent. */
export class BudgetWarning {
  /** @type {Map<Period, number>} when this page said it, by performance.now() */
  #saidMs = new Map();

  /** @param {Period[]} near budgets of which four fifths are spent now @returns {string} "" for nothing new */
  words(near) {
    const fresh = near.filter((period) => !this.#said(period));
    for (const period of fresh) this.#saidMs.set(period, performance.now());
    return fresh.length === 0 ? "" : `More than 80 % of your budget for this ${fresh.join(" and this ")} is spent.`;
  }

  /** @param {import("../lib/notice_feed.js").Notice} notice @returns {boolean} whether the page has just said as much */
  hasSaid({ detail }) {
    return detail.near === true && this.#said(detail.limit);
  }

  /** @param {Period} period */
  #said(period) {
    return performance.now() - (this.#saidMs.get(period) ?? -Infinity) < SAY_AGAIN_AFTER_MS;
  }
}

/** @param {{limit?: Period, until?: number}} refusal until: microseconds @returns {string} */
export function overBudget({ limit, until = 0 }) {
  if (limit === undefined) return `You have paused spending until ${formatMoment(until)}.`;
  return `This is more than is left of your budget for this ${limit}. The next ${limit} begins ${formatMoment(until)}.`;
}
