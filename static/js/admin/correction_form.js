/**
 * Proposes a correction of somebody's coins. The key of the request stays the same until it is answered: pressing twice
 * proposes once.
 */

import { newIdempotencyKey } from "../lib/api.js";
import { element } from "../lib/element.js";
import { showToast } from "../lib/toasts.js";
import { signed } from "./case_row.js";
import { attempt } from "./doing.js";

const COINS_MAX = 1_000_000_000;
const REASON_CHARS_MAX = 300;

/** @param {import("../lib/api.js").Api} api @param {string} user @returns {HTMLElement} */
export function correctionForm(api, user) {
  const coins = element("input", { class: "input number", testid: "correction-coins", attrs: { id: "correction-coins", type: "number", step: 1, min: -COINS_MAX, max: COINS_MAX, required: true } });
  const reason = element("input", { class: "input", testid: "correction-reason", attrs: { id: "correction-reason", maxlength: REASON_CHARS_MAX, autocomplete: "off", required: true } });
  const submit = element("button", { class: "button deed", text: "Propose", testid: "correction-propose", attrs: { type: "submit" } });
  const form = element("form", { class: "fields-row" },
    element("div", { class: "field" }, element("label", { text: "Correct coins by", attrs: { for: "correction-coins" } }), coins),
    element("div", { class: "field field-wide" }, element("label", { text: "Reason", attrs: { for: "correction-reason" } }), reason),
    submit);
  let key = newIdempotencyKey();
  form.addEventListener("input", () => { key = newIdempotencyKey(); });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = { user, coins: Number(coins.value), reason: reason.value.trim() };
    const proposed = await attempt(submit, () => api.post("/admin/adjustments", body, { idempotencyKey: key }));
    if (!proposed) return;
    key = newIdempotencyKey();
    form.reset();
    showToast(`${signed(proposed.coins)} coins proposed. Another admin has to approve, under Waiting.`);
  });
  return form;
}
