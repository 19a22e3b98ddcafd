/**
 * What the sandbox shows in place of a provider's ad or survey. Its report takes the same way as a provider's: signed,
 * and counted once.
 */

import { ApiError } from "../../lib/api.js";
import { element, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { Sheet } from "../../lib/sheet.js";

const AD_S = 5;
const QUESTIONS = [
  { text: "What do you watch most?", answers: ["Music", "Cooking", "Drawing", "Chess"] },
  { text: "How did you find this room list?", answers: ["A friend", "By chance", "I do not remember"] },
];

/** @typedef {{id: string, kind: "ad"|"survey", coins: number}} Session */

export class SandboxPlayer {
  #timer = 0;
  /** @type {Session|null} */
  #session = null;

  /** @param {import("../../lib/api.js").Api} api @param {(message: string) => void} done what came of it */
  constructor(api, done) {
    this.api = api;
    this.done = done;
    this.body = element("div", { class: "sandbox-body" });
    this.sheet = new Sheet({ title: "", class: "sandbox-sheet", testid: "sandbox-player" }, this.body);
    this.sheet.addEventListener("close", () => this.#left());
  }

  /** @param {Session} session */
  play(session) {
    this.#session = session;
    setText(this.sheet.title, session.kind === "ad" ? "An ad of the sandbox" : "A survey of the sandbox");
    if (session.kind === "ad") this.#ad();
    else this.#survey();
    this.sheet.open();
  }

  #ad() {
    let left = AD_S;
    const count = element("strong", { class: "sandbox-count number", text: String(left), testid: "sandbox-count" });
    this.body.replaceChildren(
      element("div", { class: "sandbox-ad" }, element("p", { text: "Imagine something lovely here." }), count),
      element("p", { class: "muted", text: "Close it before the end, and there are no coins." }));
    this.#timer = window.setInterval(() => {
      left -= 1;
      setText(count, String(left));
      if (left === 0) this.#finish(true);
    }, 1000);
  }

  #survey() {
    const form = element("form", { class: "sandbox-survey" },
      ...QUESTIONS.map(({ text, answers }, number) => element("fieldset", {},
        element("legend", { text }),
        ...answers.map((answer) => element("label", { class: "sandbox-answer" },
          element("input", { attrs: { type: "radio", name: `question-${number}`, value: answer, required: true } }), answer)))),
      element("button", { class: "button button-primary", text: "Send the answers", testid: "sandbox-send", attrs: { type: "submit" } }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#finish(true);
    });
    this.body.replaceChildren(form);
  }

  #left() {
    if (this.#session) this.#finish(false);
  }

  /** @param {boolean} completed */
  async #finish(completed) {
    const session = this.#session;
    if (!session) return;
    this.#session = null;
    clearInterval(this.#timer);
    this.sheet.close();
    try {
      const { outcome, coins } = await this.api.post(`/demo/rewarded/${session.id}`, { completed });
      if (outcome === "rewarded") this.done(`${formatNumber(coins)} coins are yours.`);
      else this.done(outcome === "capped" ? "That was more than there are coins for today." : "There are no coins for it this time.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.done(explain(error.code, error.message));
    }
  }
}
