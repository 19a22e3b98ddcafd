/**
 * A comment to be pinned over the chat: its words, and how much it is worth: the dearer, the longer it stays.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { formatLasting } from "../../lib/items.js";
import { markChosen, rovingFocus } from "../../lib/roving_focus.js";
import { CHAT_LENGTH_MAX } from "../chat.js";

/** @typedef {import("../../lib/items.js").Item} Item */

export class CommentPanel {
  name = "Comment";
  changed = () => {};

  /** @param {import("../../lib/items.js").Items} items */
  constructor(items) {
    this.choices = items.ofKind("highlight");
    /** @type {Item|undefined} */
    this.chosen = this.choices[0];
    this.input = element("textarea", {
      class: "input spotlight-words", testid: "highlight-text",
      attrs: { rows: 2, maxlength: CHAT_LENGTH_MAX, placeholder: "What should everybody read?", "aria-label": "Your comment", dir: "auto" },
      on: { input: () => this.#render() },
    });
    this.preview = element("p", { class: "pin pin-preview", attrs: { "aria-hidden": "true" } }, element("span", { class: "pin-text" }));
    this.cards = this.choices.map((item) => this.#card(item));
    const group = element("div", { class: "highlight-choices", attrs: { role: "radiogroup", "aria-label": "How long it stays" } }, ...this.cards);
    rovingFocus(group, { selector: "[role=radio]", choose: (card) => this.#choose(card.dataset.item ?? "") });
    this.node = element("div", { class: "spotlight-comment" }, this.input, this.preview, group);
    this.#choose(this.chosen?.id ?? "");
  }

  opened() {
    this.#render();
  }

  /** @returns {{item: Item, note: string}|null} */
  order() {
    const note = this.input.value.trim();
    return this.chosen && note !== "" ? { item: this.chosen, note } : null;
  }

  /** @returns {string} */
  bought() {
    this.input.value = "";
    return "";
  }

  /** @param {Item} item */
  #card(item) {
    const card = element("button", {
      class: "highlight-choice", testid: item.id,
      attrs: {
        type: "button", role: "radio", "data-item": item.id,
        "aria-label": `${item.name}, ${formatNumber(item.coins)} coins, ${formatLasting(item.effect.seconds ?? 0)}`,
      },
      on: { click: () => this.#choose(item.id) },
    }, element("span", { class: "highlight-swatch" }), element("span", { class: "number" }, icon("coin"), formatNumber(item.coins)),
    element("span", { class: "highlight-time", text: formatLasting(item.effect.seconds ?? 0) }));
    card.style.setProperty("--pin", item.effect.color ?? "");
    return card;
  }

  /** @param {string} id */
  #choose(id) {
    this.chosen = this.choices.find((item) => item.id === id);
    const card = this.cards.find((other) => other.dataset.item === id);
    if (card) markChosen(this.cards, card, "aria-checked");
    this.#render();
  }

  #render() {
    this.preview.style.setProperty("--pin", this.chosen?.effect.color ?? "");
    const words = this.input.value.trim();
    this.preview.classList.toggle("is-empty", words === "");
    setText(/** @type {Node} */ (this.preview.firstChild), words || "Your comment, pinned over the chat");
    this.changed();
  }
}
