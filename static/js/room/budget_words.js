/**
 * What is said about budgets: that one is nearly spent, or that something is over it and until when.
 */

import { formatMoment } from "../lib/format.js";

/** @typedef {"day"|"week"|"month"} Period */

/** Says once of each budget in its time that it is nearly spent. */
export class BudgetWarning {
  /** @type {Set<Period>} said on this page */
  #said = new Set();

  /** @param {Period[]} near budgets of which four fifths are spent @returns {string} "" for nothing new */
  words(near) {
    const fresh = near.filter((period) => !this.#said.has(period));
    // A budget that is not near any more has begun anew.
    this.#said = new Set(near);
    return fresh.length === 0 ? "" : `More than 80 % of your budget for this ${fresh.join(" and this ")} is spent.`;
  }
}

/** @param {{limit?: Period, until?: number}} refusal until: microseconds @returns {string} */
export function overBudget({ limit, until = 0 }) {
  if (limit === undefined) return `You have paused spending until ${formatMoment(until)}.`;
  return `This is more than is left of your budget for this ${limit}. The next ${limit} begins ${formatMoment(until)}.`;
}
