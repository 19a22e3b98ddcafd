/**
 * Items to choose one of: effects for the room, or stickers.
 */

import { element, icon } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { formatLasting, stickerUrl } from "../../lib/items.js";
import { markChosen, rovingFocus } from "../../lib/roving_focus.js";

/** @typedef {import("../../lib/items.js").Item} Item */

export class ItemPanel {
  changed = () => {};

  /** @param {string} name @param {Item[]} items */
  constructor(name, items) {
    this.name = name;
    this.items = items;
    /** @type {Item|undefined} */
    this.chosen = items[0];
    this.cards = items.map((item) => itemCard(item, () => this.#choose(item.id)));
    const grid = element("div", { class: "gift-grid item-grid", attrs: { role: "radiogroup", "aria-label": name } }, ...this.cards);
    rovingFocus(grid, { selector: "[role=radio]", choose: (card) => this.#choose(card.dataset.item ?? "") });
    this.node = element("div", {}, grid);
    this.#choose(this.chosen?.id ?? "");
  }

  opened() {}

  /** @returns {{item: Item}|null} */
  order() {
    return this.chosen ? { item: this.chosen } : null;
  }

  /** @param {Item} item @returns {string} */
  bought(item) {
    return `${item.name} is on, for ${formatLasting(item.effect.seconds ?? 0)}.`;
  }

  /** @param {string} id */
  #choose(id) {
    this.chosen = this.items.find((item) => item.id === id);
    const card = this.cards.find((other) => other.dataset.item === id);
    if (card) markChosen(this.cards, card, "aria-checked");
    this.changed();
  }
}

/**
 * A card to choose an item by.
 * @param {Item} item
 * @param {() => void} choose
 * @param {string} [lasting] in words; else how long one lasts
 * @returns {HTMLButtonElement}
 */
export function itemCard(item, choose, lasting = formatLasting(item.effect.seconds ?? 0)) {
  return element("button", {
    class: "gift-card", testid: item.id,
    attrs: {
      type: "button", role: "radio", "data-item": item.id, "data-tier": item.tier,
      "aria-label": `${item.name}, ${formatNumber(item.coins)} coins, ${lasting}`,
    },
    on: { click: choose },
  }, picture(item), element("span", { class: "gift-name", text: item.name }),
  element("span", { class: "gift-price number" }, icon("coin"), formatNumber(item.coins)),
  element("span", { class: "item-time", text: lasting }));
}

/** @param {Item} item */
function picture(item) {
  if (item.kind === "sticker") {
    return element("img", { class: "gift-art", attrs: { src: stickerUrl(item.effect.look ?? ""), alt: "", width: 60, height: 60, loading: "lazy", draggable: "false" } });
  }
  const node = element("span", { class: "item-swatch", attrs: { "data-look": item.effect.look, "data-slot": item.effect.slot, "aria-hidden": "true" } },
    item.effect.slot === "badge" && icon(`badge-${item.effect.look}`), item.effect.slot === "entrance" && icon("sparkles"));
  (item.effect.colors ?? []).forEach((color, i) => node.style.setProperty(`--color-${i + 1}`, color));
  return node;
}
