/**
 * Who opens the studio: a demo name where the server allows it, else a creator token.
 */

import { byId, showView } from "./page.js";

/** @typedef {import("../lib/api.js").Api} Api */
/** @typedef {import("../lib/api.js").ApiError} ApiError */
/** @typedef {import("../lib/session.js").Session} Session */

const NEEDS_TOKEN = "This server has no demo sign-in: a creator token is needed. Your operator makes one with `giftstream token --role creator`.";

export class SignIn {
  /** @param {Session} session @param {Api} api */
  constructor(session, api) {
    this.session = session;
    this.api = api;
    this.error = byId("sign-in-error");
    this.demoForm = /** @type {HTMLFormElement} */ (byId("demo-form"));
    this.tokenForm = /** @type {HTMLFormElement} */ (byId("token-form"));
    this.name = /** @type {HTMLInputElement} */ (byId("demo-name"));
    this.token = /** @type {HTMLInputElement} */ (byId("token"));
    this.demoForm.addEventListener("submit", (event) => this.#demo(event));
    this.tokenForm.addEventListener("submit", (event) => this.#useToken(event));
  }

  /** @param {string} [reason] why the studio is closed */
  show(reason = "") {
    showView("sign-in");
    this.error.textContent = reason;
    (this.demoForm.hidden ? this.token : this.name).focus();
  }

  /** @param {SubmitEvent} event */
  async #demo(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    if (!name) {
      this.error.textContent = "Please enter a name.";
      this.name.focus();
      return;
    }
    const button = /** @type {HTMLButtonElement} */ (this.demoForm.querySelector("button"));
    button.disabled = true;
    this.error.textContent = "";
    try {
      await this.api.demoLogin(name);
    } catch (problem) {
      this.#refused(/** @type {ApiError} */ (problem));
    } finally {
      button.disabled = false;
    }
  }

  /** @param {ApiError} problem */
  #refused(problem) {
    if (problem.status !== 404) {
      this.error.textContent = problem.message;
      return;
    }
    this.error.textContent = NEEDS_TOKEN;
    this.demoForm.hidden = true;
    /** @type {HTMLDetailsElement} */ (byId("token-entry")).open = true;
    this.token.focus();
  }

  /** @param {SubmitEvent} event */
  #useToken(event) {
    event.preventDefault();
    const token = this.token.value.trim();
    this.token.value = "";
    if (token) this.session.signIn(token, null);
    else this.error.textContent = "Please paste a creator token.";
  }
}
