/**
 * The form for a new version of something that is sold: first a preview, then adding exactly what was previewed.
 */

import { element, setText } from "../lib/element.js";
import { showToast } from "../lib/toasts.js";
import { attempt } from "./doing.js";

/** @typedef {import("./offer_fields.js").OfferField} OfferField */

export class OfferForm {
  /** What was previewed, and may be added. @type {Record<string, any>|null} */
  #previewed = null;

  /**
   * @param {object} parts
   * @param {string} parts.name of the form, for ids
   * @param {OfferField[]} parts.fields
   * @param {(terms: Record<string, any>) => Promise<string>} parts.preview what it would be, in words
   * @param {(terms: Record<string, any>) => Promise<string>} parts.add what it is now, in words
   */
  constructor({ name, fields, preview, add }) {
    this.fields = fields;
    this.previewing = preview;
    this.adding = add;
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
      else input.value = written(field, value);
    }
    this.#forget();
    this.root.scrollIntoView({ block: "center" });
    this.#input(this.fields[0]).focus();
  }

  async #preview() {
    const body = this.#body();
    if (body === null) return setText(this.words, "A field does not hold what its label says.");
    const words = await attempt(this.preview, () => this.previewing(body));
    if (words === undefined) return;
    this.#previewed = body;
    this.add.disabled = false;
    setText(this.words, words);
  }

  async #add() {
    const body = this.#previewed;
    if (body === null) return;
    const words = await attempt(this.add, () => this.adding(body));
    if (words === undefined) return;
    this.#forget();
    setText(this.words, words);
    showToast("Added, and written into the record.");
  }

  #forget() {
    this.#previewed = null;
    this.add.disabled = true;
    setText(this.words, "");
  }

  /** @returns {Record<string, any>|null} null when a field cannot be read */
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
function control(id, { kind, first, choices = [], min, optional }) {
  if (kind === "choice") return element("select", { class: "input", attrs: { id } }, ...choices.map((text) => element("option", { text })));
  if (kind === "switch") return element("input", { attrs: { id, type: "checkbox", checked: first === true } });
  const types = { number: { type: "number", step: 1, min }, moment: { type: "datetime-local" } };
  const attrs = kind === "number" || kind === "moment" ? types[kind] : { autocomplete: "off", spellcheck: "false" };
  return element("input", { class: "input", attrs: { id, required: !optional, value: first, ...attrs } });
}

/** @param {OfferField} field @param {HTMLElement} input */
function labelled({ kind, label }, input) {
  if (kind === "switch") return element("label", { class: "switch" }, input, label);
  return element("div", { class: kind === "json" || kind === "moment" ? "field field-wide" : "field" }, element("label", { text: label, attrs: { for: input.id } }), input);
}

/** @param {OfferField} field @param {any} value @returns {string} as it stands in the field */
function written({ kind }, value) {
  if (kind === "json") return typeof value === "string" ? value : JSON.stringify(value);
  if (kind === "moment" && value) return new Date(value).toISOString().slice(0, 16);
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** @param {OfferField} field @param {HTMLInputElement|HTMLSelectElement} input @returns {unknown} as the server wants it */
function valueOf({ kind, optional }, input) {
  if (kind === "switch") return /** @type {HTMLInputElement} */ (input).checked;
  const value = input.value.trim();
  if (optional && value === "") return null;
  if (kind === "number") return Number(value);
  if (kind === "moment") return `${value}:00Z`;
  if (kind === "list") return value.split(/[\s,]+/);
  if (kind === "numbers") return value.split(/[\s,]+/).map(Number);
  return kind === "json" ? JSON.parse(value) : value;
}
