/**
 * What a page says of a budget that is nearly spent: once, though an answer and then a notice tell of it.
 */

/** @typedef {"day"|"week"|"month"} Period */

/** The notice comes right behind the answer, and is not said again within this time. */
const SAY_AGAIN_AFTER_MS = 60_000;

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
