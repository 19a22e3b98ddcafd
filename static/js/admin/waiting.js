/**
 * The tab "Waiting": everything that a person has to decide, longest first.
 */

import { element } from "../lib/element.js";
import { formatMoney, formatNumber } from "../lib/format.js";
import { showToast } from "../lib/toasts.js";
import { askReason } from "./ask_reason.js";
import { card, caseRow, inWords, moment, signed, userLink } from "./case_row.js";
import { attempt, deed } from "./doing.js";
import { PagedList } from "./paged_list.js";

export const id = "waiting";
export const title = "Waiting";

/** @typedef {import("../lib/api.js").Api} Api */

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api }) {
  root.append(
    section(api, "Corrections", "corrections", "/admin/adjustments", "adjustments", correctionRow),
    section(api, "Cash-outs", "payouts", "/admin/payouts", "cases", payoutRow),
    section(api, "Reports", "reports", "/admin/reports", "reports", reportRow),
    section(api, "Signs of fraud", "flags", "/admin/flags", "flags", flagRow));
}

/**
 * @param {Api} api @param {string} name @param {string} testid @param {string} path @param {string} field
 * @param {(one: any, decide: (button: HTMLButtonElement, path: string, body?: object) => Promise<void>) => HTMLElement} row
 */
function section(api, name, testid, path, field, row) {
  /** Decided things leave the list, whoever decided; so it is asked for anew. */
  const decide = async (/** @type {HTMLButtonElement} */ button, /** @type {string} */ at, body = {}) => {
    if (await attempt(button, () => api.post(at, body))) showToast("Done, and written into the record.");
    await list.load();
    list.root.focus();
  };
  const list = new PagedList({ api, path, field, row: (one) => row(one, decide), empty: "Nothing waits." });
  list.load();
  return card(name, testid, list.root);
}

/** @type {Parameters<typeof section>[5]} */
function correctionRow({ id: number, user, coins, reason, proposed_by, proposed_at }, decide) {
  const at = `/admin/adjustments/${encodeURIComponent(number)}`;
  return caseRow({
    title: element("span", {}, `${signed(coins)} coins for `, userLink(user)), testid: "correction",
    about: [reason, `proposed by ${proposed_by}`, moment(proposed_at)],
    deeds: [
      deed("Approve", (button) => decide(button, `${at}/approve`), { testid: "approve", kind: "button-primary", label: `Approve ${signed(coins)} coins for ${user}` }),
      deed("Reject", (button) => decide(button, `${at}/reject`), { label: `Reject ${signed(coins)} coins for ${user}` }),
    ],
  });
}

/** @type {Parameters<typeof section>[5]} */
function payoutRow({ payout, creator, flags }, decide) {
  const at = `/admin/payouts/${encodeURIComponent(payout.id)}`;
  const about = `${formatMoney(payout.money)} to ${creator.name}`;
  return caseRow({
    title: element("span", {}, `${formatMoney(payout.money)} to `, userLink(creator.id, creator.name)), testid: "payout",
    about: [`${formatNumber(payout.diamonds)} diamonds`, `${payout.method.holder}, ${payout.method.destination}`, flags.join(", "), moment(payout.requested_at)],
    deeds: [
      deed("Approve", (button) => decide(button, `${at}/approval`), { kind: "button-primary", label: `Approve ${about}` }),
      deed("Refuse", async (button) => {
        const reason = await askReason({ title: "Refuse this cash-out?", label: "Reason, which the creator reads", action: "Refuse", charsMax: 200 });
        if (reason !== null) await decide(button, `${at}/refusal`, { reason });
      }, { label: `Refuse ${about}` }),
    ],
  });
}

/** @type {Parameters<typeof section>[5]} */
function reportRow({ report, reporter, subject_kind, subject, reason, words, at }, decide) {
  return caseRow({
    title: element("span", {}, `${reason}: ${subject_kind} `, subject_kind === "user" ? userLink(subject) : element("bdi", { text: subject })), testid: "report",
    about: [words && element("bdi", { text: words }), element("span", {}, "by ", userLink(reporter)), moment(at)],
    deeds: [closing(`/admin/reports/${report}/close`, `report ${report}`, decide)],
  });
}

/** @type {Parameters<typeof section>[5]} */
function flagRow({ flag, pattern, user, detail, at }, decide) {
  return caseRow({
    title: element("span", {}, `${pattern}: `, userLink(user)), testid: "flag",
    about: [inWords(detail), moment(at)],
    deeds: [closing(`/admin/flags/${flag}/close`, `sign ${flag}`, decide)],
  });
}

/** @param {string} path @param {string} what @param {Parameters<Parameters<typeof section>[5]>[1]} decide */
function closing(path, what, decide) {
  return deed("Close", async (button) => {
    const outcome = await askReason({ title: `Close ${what}?`, label: "What came of it", action: "Close" });
    if (outcome !== null) await decide(button, path, { outcome });
  }, { label: `Close ${what}` });
}
