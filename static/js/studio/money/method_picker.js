/**
 * Where a cash-out goes: one of the creator's accounts, or one that is added here.
 */

import { element, icon } from "../../lib/element.js";

/** @typedef {import("../../lib/api.js").Api} Api */
/** @typedef {{id: string, kind: "bank"|"paypal", holder: string, destination: string}} Method */

/** @type {Readonly<Record<string, {name: string, label: string, hint: string, placeholder: string}>>} */
const KINDS = {
  bank: { name: "Bank account", label: "IBAN, or US routing and account number", hint: "Such as 021000021-123456 in the US.", placeholder: "DE89 3704 0044 0532 0130 00" },
  paypal: { name: "PayPal", label: "Email address of the account", hint: "The one that you sign in to PayPal with.", placeholder: "you@example.com" },
};

/** Fires "change" when another account is chosen, added or removed. */
export class MethodPicker extends EventTarget {
  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
    /** @type {Method[]} */
    this.methods = [];
    this.list = element("div", { class: "methods", testid: "payout-methods" });
    this.form = this.#form();
    this.details = element("details", { class: "add-method" }, element("summary", { text: "Add an account", testid: "add-method" }), this.form);
    this.node = element("fieldset", { class: "method-picker" }, element("legend", { class: "label", text: "To" }), this.list, this.details);
  }

  /** @returns {Method|undefined} */
  get chosen() {
    const id = /** @type {HTMLInputElement|null} */ (this.list.querySelector("input:checked"))?.value;
    return this.methods.find((method) => method.id === id);
  }

  /** @param {Method[]} methods */
  render(methods) {
    const chosen = this.chosen?.id ?? methods.at(-1)?.id;
    this.methods = methods;
    this.list.replaceChildren(...methods.map((method) => this.#row(method, method.id === chosen)));
    if (methods.length === 0) this.details.open = true;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Method} method @param {boolean} chosen */
  #row(method, chosen) {
    return element("div", { class: "method", testid: "payout-method" },
      element("label", { class: "method-choice" },
        element("input", { attrs: { type: "radio", name: "method", value: method.id, checked: chosen }, on: { change: () => this.dispatchEvent(new Event("change")) } }),
        element("span", { class: "method-words" },
          element("span", { class: "method-name", text: `${KINDS[method.kind].name} ${method.destination}` }),
          element("bdi", { class: "muted fine", text: method.holder }))),
      element("button", {
        class: "icon-button", attrs: { type: "button", "aria-label": `Remove ${KINDS[method.kind].name} ${method.destination}` }, on: { click: () => this.#remove(method) },
      }, icon("close")));
  }

  #form() {
    const error = element("p", { class: "field-error", testid: "method-error", attrs: { role: "alert" } });
    const kind = element("select", { class: "input", testid: "method-kind", attrs: { id: "method-kind" } },
      ...Object.entries(KINDS).map(([value, { name }]) => element("option", { text: name, attrs: { value } })));
    const holder = element("input", { class: "input", testid: "method-holder", attrs: { id: "method-holder", autocomplete: "name", maxlength: 80 } });
    const destination = element("input", { class: "input", testid: "method-destination", attrs: { id: "method-destination", autocomplete: "off", spellcheck: "false", maxlength: 254, "aria-describedby": "method-hint" } });
    const label = element("label", { attrs: { for: "method-destination" } });
    const hint = element("p", { class: "muted fine", attrs: { id: "method-hint" } });
    const describe = () => {
      const { label: text, hint: more, placeholder } = KINDS[kind.value];
      label.textContent = text;
      hint.textContent = more;
      destination.placeholder = placeholder;
    };
    kind.addEventListener("change", describe);
    describe();
    const add = element("button", { class: "button", text: "Add this account", testid: "method-save", attrs: { type: "button" } });
    add.addEventListener("click", async () => {
      error.textContent = "";
      const missing = [holder, destination].find((input) => input.value.trim() === "");
      if (missing) {
        error.textContent = missing === holder ? "Please enter the holder's name." : "Please say which account it is.";
        missing.focus();
        return;
      }
      add.disabled = true;
      try {
        const added = await this.api.post("/creator/payout-methods", { kind: kind.value, holder: holder.value, destination: destination.value });
        destination.value = "";
        this.details.open = false;
        this.render([...this.methods.filter(({ id }) => id !== added.id), added]);
        this.#choose(added.id);
      } catch (problem) {
        error.textContent = /** @type {Error} */ (problem).message;
      } finally {
        add.disabled = false;
      }
    });
    return element("div", { class: "method-form" },
      element("div", { class: "field" }, element("label", { text: "Kind", attrs: { for: "method-kind" } }), kind),
      element("div", { class: "field" }, element("label", { text: "Name of the holder", attrs: { for: "method-holder" } }), holder),
      element("div", { class: "field" }, label, destination, hint),
      error, add);
  }

  /** @param {string} id */
  #choose(id) {
    const input = /** @type {HTMLInputElement|null} */ (this.list.querySelector(`input[value="${CSS.escape(id)}"]`));
    if (input) input.checked = true;
    input?.focus();
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Method} method */
  async #remove(method) {
    await this.api.delete(`/creator/payout-methods/${encodeURIComponent(method.id)}`).catch(() => null);
    this.render(this.methods.filter(({ id }) => id !== method.id));
    /** @type {HTMLElement|null} */ (this.list.querySelector("input") ?? this.details.querySelector("summary"))?.focus();
  }
}
