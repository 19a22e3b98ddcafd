/**
 * Reports something to those who run the place: what is wrong, and in one's own words if one likes.
 */

import { ApiError } from "./api.js";
import { element, setText } from "./element.js";
import { explain } from "./problems.js";
import { Sheet } from "./sheet.js";
import { showToast } from "./toasts.js";

const SUBJECT_CHARS_MAX = 255;
const WORDS_CHARS_MAX = 1000;

/** What each reason is called. @type {ReadonlyArray<[string, string]>} */
const REASONS = [
  ["abuse", "Insults, threats or hate"],
  ["fraud", "Fraud, or something wrong with money"],
  ["minor", "Somebody is too young to be here"],
  ["spam", "Spam"],
  ["self_harm", "Somebody may hurt themselves"],
  ["other", "Something else"],
];

/** @typedef {{kind: "user"|"room"|"chat"|"gift"|"purchase", id: string, name: string}} Subject name: what it is called on the sheet */

/**
 * Asks about one thing, and sends it.
 * @param {import("./api.js").Api} api
 * @param {Subject} subject
 * @param {string} [reason] that is chosen first
 */
export function openReport(api, { kind, id, name }, reason = REASONS[0][0]) {
  const select = element("select", { class: "input", testid: "report-reason", attrs: { id: "report-reason" } },
    ...REASONS.map(([value, text]) => element("option", { text, attrs: { value, selected: value === reason } })));
  const words = element("textarea", { class: "input report-words", testid: "report-words", attrs: { id: "report-words", rows: 4, maxlength: WORDS_CHARS_MAX, dir: "auto" } });
  const error = element("p", { class: "field-error", attrs: { role: "alert" } });
  const send = element("button", { class: "button button-primary", text: "Send the report", testid: "report-send", attrs: { type: "submit" } });
  const form = element("form", { class: "report" },
    element("p", {}, "About ", element("bdi", { text: name })),
    element("div", { class: "field" }, element("label", { text: "What is wrong?", attrs: { for: "report-reason" } }), select),
    element("div", { class: "field" }, element("label", { text: "In your own words, if you like", attrs: { for: "report-words" } }), words),
    element("p", { text: "A person will look at it. Nobody is told who reported them." }),
    error, send);
  const sheet = new Sheet({ title: "Report", class: "report-sheet", testid: "report-sheet" }, form);
  sheet.addEventListener("close", () => sheet.dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    setText(error, "");
    try {
      await api.post("/reports", { subject_kind: kind, subject: id.slice(0, SUBJECT_CHARS_MAX), reason: select.value, words: words.value.trim() });
      sheet.close();
      showToast("Thank you. A person will look at it.");
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setText(error, problem.code === "rate_limited" ? problem.message : explain(problem.code, problem.message));
    } finally {
      send.disabled = false;
    }
  });
  sheet.open(select);
}
