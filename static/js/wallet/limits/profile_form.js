/**
 * Region and birth date: each is told once, and says who may buy, give and earn.
 */

import { ApiError } from "../../lib/api.js";
import { element, setText } from "../../lib/element.js";
import { explain } from "../../lib/problems.js";

/** @typedef {{region: string|null, birth_date: string|null, adult: boolean|null, purchases_blocked: boolean}} Profile */

/** Fires "profile" with what the server has. */
export class ProfileForm extends EventTarget {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super();
    this.api = api;
    this.region = element("input", { class: "input", testid: "region", attrs: { id: "region", maxlength: 2, pattern: "[A-Za-z]{2}", autocomplete: "country", placeholder: "PT" } });
    this.born = element("input", { class: "input", testid: "birth-date", attrs: { id: "birth-date", type: "date", min: "1900-01-01", autocomplete: "bday" } });
    this.save = element("button", { class: "button button-primary", text: "Save for good", testid: "save-profile", attrs: { type: "submit" } });
    this.said = element("p", { class: "field-error", attrs: { role: "alert" } });
    const form = element("form", { class: "limits-form", attrs: { novalidate: true }, on: { submit: (event) => this.#tell(event) } },
      element("div", { class: "field" }, element("label", { text: "Country (two letters)", attrs: { for: "region" } }), this.region),
      element("div", { class: "field" }, element("label", { text: "Birth date", attrs: { for: "birth-date" } }), this.born),
      this.save, this.said);
    this.node = element("section", { class: "panel-card", attrs: { "aria-labelledby": "profile-title" } },
      element("h2", { text: "About you", attrs: { id: "profile-title" } }),
      element("p", { class: "muted", text: "Coins are for adults: 18 and older, 19 in South Korea. Both can be told once." }), form);
  }

  async load() {
    try {
      this.#show(await this.api.get("/account/profile"));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** @param {Event} event */
  async #tell(event) {
    event.preventDefault();
    /** @type {Record<string, string>} */
    const told = {};
    if (!this.region.disabled && this.region.value.trim()) told.region = this.region.value.trim().toUpperCase();
    if (!this.born.disabled && this.born.value) told.birth_date = this.born.value;
    if (Object.keys(told).length === 0) return;
    setText(this.said, "");
    try {
      this.#show(await this.api.put("/account/profile", told));
    } catch (error) {
      this.#refused(error);
    }
  }

  /** @param {Profile} profile */
  #show(profile) {
    for (const [input, held] of /** @type {const} */ ([[this.region, profile.region], [this.born, profile.birth_date]])) {
      input.disabled = held !== null;
      if (held !== null) input.value = held;
    }
    this.save.hidden = this.region.disabled && this.born.disabled;
    this.dispatchEvent(new CustomEvent("profile", { detail: profile }));
  }

  /** @param {unknown} error */
  #refused(error) {
    if (!(error instanceof ApiError)) throw error;
    setText(this.said, error.status >= 400 && error.status < 500 ? error.message : explain(error.code, error.message));
  }
}
