/**
 * The tab "Figures": what was sold in a period, what is outstanding now, and a provider's report beside our books.
 */

import { element } from "../lib/element.js";
import { formatMoney, formatNumber } from "../lib/format.js";
import { card, factList } from "./case_row.js";
import { attempt } from "./doing.js";
import { dayField } from "./day_field.js";
import { dataTable } from "./data_table.js";
import { reconciliationCard } from "./reconciliation.js";

export const id = "figures";
export const title = "Figures";

const PERIOD_DAYS = 30;

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api }) {
  const since = dayField("figures-since", "From", -PERIOD_DAYS);
  const until = dayField("figures-until", "To before", 1);
  const submit = element("button", { class: "button deed", text: "Show", attrs: { type: "submit" } });
  const revenue = element("div", { class: "paged", attrs: { "aria-live": "polite" } });
  const outstanding = element("div");
  const load = async () => {
    const answer = await attempt(submit, () => api.get("/admin/figures", { since: since.value(), until: until.value() }));
    if (!answer) return;
    revenue.replaceChildren(revenueTable(answer.revenue));
    outstanding.replaceChildren(outstandingFacts(answer.outstanding));
  };
  const form = element("form", { class: "fields-row" }, since.root, until.root, submit);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  root.append(card("Revenue", "revenue", form, revenue), card("Outstanding now", "outstanding", outstanding), reconciliationCard(api));
  load();
}

/** @param {Array<{provider: string, sold: any, taken_back: any, purchases: number, coins: number}>} lines */
function revenueTable(lines) {
  if (lines.length === 0) return element("p", { class: "muted", text: "Nothing was sold in this period." });
  return dataTable("Revenue by provider", ["Provider", "Sold", "Taken back", "Purchases", "Coins"], lines.map((line) =>
    [line.provider, formatMoney(line.sold), formatMoney(line.taken_back), formatNumber(line.purchases), formatNumber(line.coins)]));
}

/** @param {any} sums */
function outstandingFacts(sums) {
  return factList([
    ["Coins held by users", formatNumber(sums.coins)],
    ["Coins owed by users", formatNumber(sums.coins_owed)],
    ["Coins bought", formatNumber(sums.coins_purchased)],
    ["Coins given free", formatNumber(sums.coins_promotional)],
    ["Coins by correction", formatNumber(sums.coins_corrected)],
    ["Coins spent", formatNumber(sums.coins_spent)],
    ["Diamonds available", formatNumber(sums.diamonds.available)],
    ["Diamonds held", formatNumber(sums.diamonds.held)],
    ["Diamonds paid", formatNumber(sums.diamonds.paid)],
  ]);
}
