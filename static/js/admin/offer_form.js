/**
 * The form for a new version of something that is sold: first a preview, then adding exactly what was previewed.
 */

import { element, setText } from "../lib/element.js";
import { showToast } from "../lib/toasts.js";
import { attempt } from "./doing.js";

/** @typedef {import("./offer_fields.js").OfferField} OfferField */

export class OfferForm {
  /** What was previewed, and may be added. @type {object|null} */
  #previewed = null;

  /**
   * @param {object} parts
   * @param {import("../lib/api.js").Api} parts.api
   * @param {string} parts.path
   * @param {string} parts.name of the form, for ids
   * @param {OfferField[]} parts.fields
   * @param {(version: any) => string} parts.describe
   * @param {() => void} parts.added
   */
  constructor({ api, path, name, fields, describe, added }) {
    this.api = api;
    this.path = path;
    this.fields = fields;
    this.describe = describe;
    this.added = added;
    this.inputs = new Map(fields.map((field) => [field.name, control(`${name}-${field.name}`, field)]));
    this.preview = element("button", { class: "button deed", text: "Preview", testid: `${name}-preview`, attrs: { type: "submit" } });
    this.add = element("button", { class: "button button-primary deed", text: "Add", testid: `${name}-add`, attrs: { type: "button", disabled: true }, on: { click: () => this.#add() } });
    this.words = element("p", { class: "offer-words", testid: `${name}-words`, attrs: { role: "status" } });
    this.root = element("form", { class: "fields-row" }, ...fields.map((field) => labelled(field, this.#input(field))), this.preview, this.add, this.words);
    this.root.addEventListener("input", () => this.#forget());
    this.root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#preview();
    });
  }

  /** Starts from a version that is there. @param {Record<string, any>} version */
  fill(version) {
    for (const field of this.fields) {
      const input = this.#input(field);
      const value = version[field.name] ?? field.first ?? "";
      if (input instanceof HTMLInputElement && field.kind === "switch") input.checked = Boolean(value);
      else input.value = typeof value === "object" ? JSON.stringify(value) : String(value);
    }
    this.#forget();
    this.root.scrollIntoView({ block: "center" });
    this.#input(this.fields[0]).focus();
  }

  async #preview() {
    const body = this.#body();
    if (body === null) return setText(this.words, "The effect is not a JSON object.");
    const version = await attempt(this.preview, () => this.api.post(this.path, { ...body, preview: true }));
    if (!version) return;
    this.#previewed = body;
    this.add.disabled = false;
    setText(this.words, `It would be: ${this.describe(version)}`);
  }

  async #add() {
    const body = this.#previewed;
    if (body === null) return;
    const version = await attempt(this.add, () => this.api.post(this.path, body));
    if (!version) return;
    this.#forget();
    setText(this.words, `Added: ${this.describe(version)}`);
    showToast("Added, and in force.");
    this.added();
  }

  #forget() {
    this.#previewed = null;
    this.add.disabled = true;
    setText(this.words, "");
  }

  /** @returns {Record<string, unknown>|null} null when the JSON cannot be read */
  #body() {
    try {
      return Object.fromEntries(this.fields.map((field) => [field.name, valueOf(field, this.#input(field))]));
    } catch {
      return null;
    }
  }

  /** @param {OfferField} field */
  #input({ name }) {
    return /** @type {HTMLInputElement|HTMLSelectElement} */ (this.inputs.get(name));
  }
}

/** @param {string} id @param {OfferField} field */
function control(id, { kind, first, choices = [], min }) {
  if (kind === "choice") return element("select", { class: "input", attrs: { id } }, ...choices.map((text) => element("option", { text })));
  if (kind === "switch") return element("input", { attrs: { id, type: "checkbox", checked: first === true } });
  const attrs = kind === "number" ? { type: "number", step: 1, min } : { autocomplete: "off", spellcheck: "false" };
  return element("input", { class: "input", attrs: { id, required: true, value: first, ...attrs } });
}

/** @param {OfferField} field @param {HTMLElement} input */
function labelled({ kind, label }, input) {
  if (kind === "switch") return element("label", { class: "switch" }, input, label);
  return element("div", { class: kind === "json" ? "field field-wide" : "field" }, element("label", { text: label, attrs: { for: input.id } }), input);
}

/** @param {OfferField} field @param {HTMLInputElement|HTMLSelectElement} input */
function valueOf({ kind }, input) {
  if (kind === "switch") return /** @type {HTMLInputElement} */ (input).checked;
  if (kind === "number") return Number(input.value);
  return kind === "json" ? JSON.parse(input.value) : input.value.trim();
}
