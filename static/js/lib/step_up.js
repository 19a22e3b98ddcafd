/**
 * Confirms with a code of an authenticator app, which is set up here first where there is none.
 *
 * A page that uses it links css/step_up.css.
 */

import { element, setText } from "./element.js";
import { explain } from "./problems.js";
import { Sheet } from "./sheet.js";
import { enrolmentView, recoveryView } from "./step_up_enrolment.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./api.js").ApiError} ApiError */

const ROOT = "/account/step-up";

export class StepUpSheet {
  /** @type {((confirmation: string|null) => void)|null} what waits for the answer */
  #answer = null;

  /** @param {Api} api */
  constructor(api) {
    this.api = api;
    this.sheet = new Sheet({ title: "Confirm it is you", class: "step-up-sheet", testid: "step-up" });
    this.sheet.addEventListener("close", () => this.#settle(null));
  }

  /**
   * Asks for a code. Where no app is set up, that comes first, and its first code is the confirmation.
   * @param {string} why what is confirmed, for the one who does
   * @returns {Promise<string|null>} what a request carries as `confirmation`; null when the user thought better of it
   * @throws {ApiError} when the server does not say whether an app is set up
   */
  async confirmation(why) {
    const { enrolled } = await this.api.get(ROOT);
    return new Promise((resolve) => {
      this.#answer = resolve;
      if (enrolled) this.#show("Confirm it is you", this.#codeView(why));
      else this.#enrol(why);
    });
  }

  /** Sets up an app, or takes the one that there is away after a code of it. @returns {Promise<boolean>} whether one is set up */
  async change() {
    const { enrolled } = await this.api.get(ROOT);
    const confirmation = await this.confirmation(enrolled
      ? "Taking the app away stops cash-outs until another one is set up."
      : "Cash-outs are confirmed with a code of an authenticator app.");
    if (confirmation === null) return enrolled;
    if (enrolled) await this.api.post(`${ROOT}/removal`, { confirmation });
    return !enrolled;
  }

  /** Makes new recovery codes in place of the old ones, after a code, and shows them. @returns {Promise<void>} */
  async renew() {
    const confirmation = await this.confirmation("New recovery codes take the place of the old ones, which work no more.");
    if (confirmation === null) return;
    const { recovery_codes: codes } = await this.api.post(`${ROOT}/recovery-codes`, { confirmation });
    // The sheet that asked for the code is on its way out.
    if (this.sheet.isOpen) await new Promise((closed) => this.sheet.addEventListener("close", closed, { once: true }));
    this.#show("Keep your recovery codes", recoveryView(codes, () => this.sheet.close()));
  }

  /** @param {string} why */
  #codeView(why) {
    return codeForm({
      why,
      label: "Code of your authenticator app",
      hint: "No phone at hand? One of your recovery codes works too.",
      button: "Confirm",
      submit: async (code) => {
        const { confirmation } = await this.api.post(`${ROOT}/confirmations`, { code });
        this.#done(confirmation);
      },
    });
  }

  /** @param {string} why */
  async #enrol(why) {
    this.#show("Set up an authenticator app", element("p", { class: "muted", text: "Preparing…", attrs: { role: "status" } }));
    try {
      const enrolment = await this.api.post(ROOT);
      const form = codeForm({
        why: "",
        label: "The code that the app shows",
        hint: "Six digits, a new one every 30 seconds.",
        button: "Finish",
        submit: async (code) => {
          const { recovery_codes: codes, confirmation } = await this.api.post(`${ROOT}/enrolment`, { code });
          this.#show("Keep your recovery codes", recoveryView(codes, () => this.#done(confirmation)));
        },
      });
      this.#show("Set up an authenticator app", enrolmentView(why, enrolment), form);
    } catch (problem) {
      const { code, message } = /** @type {ApiError} */ (problem);
      this.#show("Set up an authenticator app", element("p", { class: "field-error", text: explain(code, message), attrs: { role: "alert" } }));
    }
  }

  /** @param {string} title @param {...Node} views */
  #show(title, ...views) {
    setText(this.sheet.title, title);
    this.sheet.body.replaceChildren(...views);
    this.sheet.body.scrollTop = 0;
    const first = /** @type {HTMLElement|null} */ (this.sheet.body.querySelector("input, [data-first-focus]"));
    if (this.sheet.isOpen) first?.focus();
    else this.sheet.open(first ?? undefined);
  }

  /** @param {string} confirmation */
  #done(confirmation) {
    this.#settle(confirmation);
    this.sheet.close();
  }

  /** @param {string|null} confirmation */
  #settle(confirmation) {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(confirmation);
  }
}

/**
 * @param {object} parts
 * @param {string} parts.why
 * @param {string} parts.label
 * @param {string} parts.hint
 * @param {string} parts.button
 * @param {(code: string) => Promise<void>} parts.submit what it throws is shown
 */
function codeForm({ why, label, hint, button: text, submit }) {
  const error = element("p", { class: "field-error", testid: "step-up-error", attrs: { role: "alert" } });
  const input = element("input", {
    class: "input step-up-code", testid: "step-up-code",
    attrs: { id: "step-up-code", autocomplete: "one-time-code", inputmode: "text", maxlength: 40, spellcheck: "false", required: true, "aria-describedby": "step-up-hint" },
  });
  const button = element("button", { class: "button button-primary", text, testid: "step-up-submit", attrs: { type: "submit" } });
  const form = element("form", { class: "step-up-form", attrs: { novalidate: true } },
    why !== "" && element("p", { class: "muted", text: why }),
    element("div", { class: "field" }, element("label", { text: label, attrs: { for: "step-up-code" } }), input,
      element("p", { class: "muted fine", text: hint, attrs: { id: "step-up-hint" } })),
    error, button);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const code = input.value.trim();
    if (code === "") {
      error.textContent = "Please enter the code.";
      input.focus();
      return;
    }
    button.disabled = true;
    error.textContent = "";
    try {
      await submit(code);
    } catch (problem) {
      error.textContent = /** @type {Error} */ (problem).message;
      input.select();
    } finally {
      button.disabled = false;
    }
  });
  return form;
}
