/**
 * A provider's report beside our books: upload its table, see the differences.
 */

import { element } from "../lib/element.js";
import { formatMoney, formatNumber } from "../lib/format.js";
import { card } from "./case_row.js";
import { dataTable } from "./data_table.js";
import { dayField } from "./day_field.js";
import { attempt } from "./doing.js";

const PROVIDERS = ["sandbox", "stripe", "apple", "google"];
const PERIOD_DAYS = 30;

/** @param {import("../lib/api.js").Api} api */
export function reconciliationCard(api) {
  const provider = element("select", { class: "input", testid: "report-provider", attrs: { id: "report-provider" } }, ...PROVIDERS.map((text) => element("option", { text })));
  const since = dayField("report-since", "From", -PERIOD_DAYS);
  const until = dayField("report-until", "To before", 1);
  const file = element("input", { class: "input", testid: "report-file", attrs: { id: "report-file", type: "file", accept: ".csv,text/csv", required: true } });
  const submit = element("button", { class: "button deed", text: "Compare", testid: "report-compare", attrs: { type: "submit" } });
  const found = element("div", { class: "paged", testid: "differences", attrs: { "aria-live": "polite" } });
  const form = element("form", { class: "fields-row" },
    element("div", { class: "field" }, element("label", { text: "Provider", attrs: { for: "report-provider" } }), provider),
    since.root, until.root,
    element("div", { class: "field field-wide" }, element("label", { text: "Report (CSV)", attrs: { for: "report-file" } }), file),
    submit);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const [report] = file.files ?? [];
    if (!report) return;
    const query = { provider: provider.value, since: since.value(), until: until.value() };
    const answer = await attempt(submit, () => api.postFile("/admin/reconciliation", report, "text/csv", query));
    found.replaceChildren(...(answer ? result(answer) : []));
  });
  return card("Compare with a provider's report", "reconciliation",
    element("p", { class: "muted", text: "A table with the columns transaction, amount (minor units, less refunds) and currency, of the days chosen." }), form, found);
}

/** @param {{agree: boolean, lines: number, differences: Array<{transaction: string, purchase: string|null, theirs: number|null, ours: number|null, currency: string}>}} answer */
function result({ agree, lines, differences }) {
  const verdict = agree ? `${formatNumber(lines)} lines: both sides agree.` : `${formatNumber(lines)} lines: ${formatNumber(differences.length)} differences.`;
  const words = element("p", { class: "trace-verdict", text: verdict });
  if (agree) return [words];
  /** @param {number|null} amount @param {string} currency */
  const money = (amount, currency) => (amount === null ? "not there" : formatMoney({ amount, currency }));
  return [words, dataTable("Differences", ["Transaction", "Purchase", "Theirs", "Ours"], differences.map((line) =>
    [line.transaction, line.purchase ?? "–", money(line.theirs, line.currency), money(line.ours, line.currency)]))];
}
