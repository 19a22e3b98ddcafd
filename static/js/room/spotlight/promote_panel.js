/**
 * A place for the room in the list of rooms, until the impressions that were paid for are delivered.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { markChosen, rovingFocus } from "../../lib/roving_focus.js";

/** @typedef {import("../../lib/items.js").Item} Item */
/** @typedef {{id: string, coins: number, impressions: number, delivered: number, returned: number, state: "open"|"ended"}} Placement */

const REFRESH_MS = 4_000;

export class PromotePanel {
  name = "Promote";
  changed = () => {};
  #timer = 0;

  /** @param {{api: import("../../lib/api.js").Api, room: string, items: import("../../lib/items.js").Items}} parts */
  constructor({ api, room, items }) {
    this.api = api;
    this.room = room;
    this.choices = items.ofKind("promote");
    /** @type {Item|undefined} */
    this.chosen = this.choices[0];
    this.cards = this.choices.map((item) => this.#card(item));
    const group = element("div", { class: "promote-choices", attrs: { role: "radiogroup", "aria-label": "Impressions" } }, ...this.cards);
    rovingFocus(group, { selector: "[role=radio]", choose: (card) => this.#choose(card.dataset.item ?? "") });
    this.list = element("ul", { class: "placements", testid: "placements" });
    this.node = element("div", { class: "spotlight-promote" },
      element("p", { class: "spotlight-lead", text: "The room gets a place near the top of the list, marked as promoted. Each viewer counts once in ten minutes; if the room ends sooner, the rest of the coins comes back." }),
      group, this.list);
    this.#choose(this.chosen?.id ?? "");
  }

  /** Asks how placements are getting on, again and again while the panel is seen. */
  async opened() {
    clearTimeout(this.#timer);
    const answer = await this.api.get(`/rooms/${encodeURIComponent(this.room)}/placements`).catch(() => null);
    if (answer) this.list.replaceChildren(...answer.placements.map(placementRow));
    if (this.node.checkVisibility?.()) this.#timer = window.setTimeout(() => this.opened(), REFRESH_MS);
  }

  /** @returns {{item: Item}|null} */
  order() {
    return this.chosen ? { item: this.chosen } : null;
  }

  /** @param {Item} item @returns {string} */
  bought(item) {
    return `${item.name} for this room are on their way.`;
  }

  /** @param {Item} item */
  #card(item) {
    return element("button", {
      class: "promote-choice", testid: item.id,
      attrs: { type: "button", role: "radio", "data-item": item.id, "aria-label": `${item.name}, ${formatNumber(item.coins)} coins` },
      on: { click: () => this.#choose(item.id) },
    }, icon("megaphone"), element("span", { class: "promote-words number" }, element("strong", { text: formatNumber(item.effect.impressions ?? 0) }), " impressions"),
    element("span", { class: "number gift-price" }, icon("coin"), formatNumber(item.coins)));
  }

  /** @param {string} id */
  #choose(id) {
    this.chosen = this.choices.find((item) => item.id === id);
    const card = this.cards.find((other) => other.dataset.item === id);
    if (card) markChosen(this.cards, card, "aria-checked");
    this.changed();
  }
}

/** @param {Placement} placement @returns {HTMLElement} */
export function placementRow({ impressions, delivered, returned, state }) {
  const words = element("span", { class: "number" });
  setText(words, `${formatNumber(delivered)} of ${formatNumber(impressions)} impressions`);
  const done = element("span", { class: "level-done" });
  done.style.transform = `scaleX(${delivered / impressions})`;
  return element("li", { class: "placement", testid: "placement" }, words,
    element("span", { class: "placement-state", text: state === "open" ? "running" : returned > 0 ? `ended, ${formatNumber(returned)} coins returned` : "delivered" }),
    element("span", { class: "level-bar", attrs: { "aria-hidden": "true" } }, done));
}
