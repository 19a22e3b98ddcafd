/**
 * Where something is: the answer in one sentence, and the stations it passed, in order.
 */

import { element, icon } from "../lib/element.js";
import { formatMoment, toMicroseconds } from "../lib/format.js";

/** @type {Readonly<Record<string, string>>} */
const ICONS = { done: "check", waiting: "clock", stopped: "alert" };

/** @typedef {{stage: string, state: "done"|"waiting"|"stopped", text: string, at: string|null}} TraceStep */

/**
 * @param {{about: string, id: string, verdict: string, steps: TraceStep[]}} trace
 * @returns {HTMLElement}
 */
export function traceCard(trace) {
  return element("div", { class: "trace", testid: "trace" },
    element("p", { class: "trace-verdict", text: trace.verdict }),
    element("ol", { class: "trace-steps" }, ...trace.steps.map(stepRow)),
    element("p", { class: "trace-id muted", text: `Reference: ${trace.id}` }));
}

/** @param {TraceStep} step */
function stepRow(step) {
  return element("li", { class: "trace-step", attrs: { "data-state": step.state } },
    icon(ICONS[step.state]),
    element("span", {}, element("span", { class: "visually-hidden", text: `${step.state}: ` }), step.text,
      step.at ? element("time", { class: "muted", text: ` ${formatMoment(toMicroseconds(step.at))}` }) : null));
}
