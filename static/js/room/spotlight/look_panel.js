/**
 * One's own look: the level as a gifter and how far the next one is, and upgrades for a time.
 */

import { element, setText } from "../../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../../lib/format.js";
import { formatLasting } from "../../lib/items.js";
import { lookBadge, paintLook } from "../../lib/looks.js";
import { markChosen, rovingFocus } from "../../lib/roving_focus.js";
import { itemCard } from "./item_panel.js";

/** @typedef {import("../../lib/items.js").Item} Item */

/** How long after a purchase it is settled, as a rule: then it can be seen. */
const SETTLED_AFTER_MS = 2_500;
/** @type {Array<["frame"|"badge"|"entrance", string]>} */
const SLOTS = [["frame", "Frames"], ["badge", "Badges"], ["entrance", "Entrances"]];

export class LookPanel {
  name = "Look";
  changed = () => {};

  /** @param {{api: import("../../lib/api.js").Api, items: import("../../lib/items.js").Items}} parts */
  constructor({ api, items }) {
    this.api = api;
    this.upgrades = items.ofKind("upgrade");
    /** @type {Item|undefined} */
    this.chosen = undefined;
    this.badge = lookBadge();
    this.words = element("p", { class: "level-words", testid: "level-words" });
    this.bar = element("span", { class: "level-done" });
    this.held = element("ul", { class: "held-upgrades", testid: "held-upgrades" });
    this.cards = this.upgrades.map((item) => itemCard(item, () => this.#choose(item.id)));
    const groups = SLOTS.map(([slot, title]) => element("div", { attrs: { role: "group", "aria-label": title } },
      element("h3", { class: "section-title", text: title }),
      element("div", { class: "gift-grid item-grid" }, ...this.cards.filter((_, i) => this.upgrades[i].effect.slot === slot))));
    const all = element("div", { attrs: { role: "radiogroup", "aria-label": "Upgrades" } }, ...groups);
    rovingFocus(all, { selector: "[role=radio]", choose: (card) => this.#choose(card.dataset.item ?? "") });
    this.node = element("div", { class: "spotlight-look" },
      element("div", { class: "level-card" }, this.badge, this.words, element("span", { class: "level-bar", attrs: { "aria-hidden": "true" } }, this.bar)),
      this.held, all);
    this.cards.forEach((card, i) => {
      card.setAttribute("aria-checked", "false");
      card.tabIndex = i === 0 ? 0 : -1;
    });
  }

  /** Asks how one stands. */
  async opened() {
    const gifter = await this.api.get("/gifter").catch(() => null);
    if (!gifter) return;
    paintLook(this.badge, { id: "", name: "", level: gifter.level });
    const next = gifter.next_level_at;
    setText(this.words, next === undefined ? "You are on the highest level." : `${formatNumber(next - gifter.coins)} coins to level ${gifter.level + 1}`);
    const span = next === undefined ? 1 : (gifter.coins - gifter.level_at) / (next - gifter.level_at);
    this.bar.style.transform = `scaleX(${Math.min(1, Math.max(0, span))})`;
    this.held.replaceChildren(...gifter.upgrades.map((/** @type {{item: string, until: string}} */ { item, until }) => element("li", {
      text: `${this.upgrades.find(({ id }) => id === item)?.name ?? item} until ${formatMoment(toMicroseconds(until))}`,
    })));
  }

  /** @returns {{item: Item}|null} */
  order() {
    return this.chosen ? { item: this.chosen } : null;
  }

  /** @param {Item} item @returns {string} */
  bought(item) {
    setTimeout(() => this.opened(), SETTLED_AFTER_MS);
    return `${item.name} is yours for ${formatLasting(item.effect.seconds ?? 0)}. It shows in a moment.`;
  }

  /** @param {string} id */
  #choose(id) {
    this.chosen = this.upgrades.find((item) => item.id === id);
    const card = this.cards.find((other) => other.dataset.item === id);
    if (card) markChosen(this.cards, card, "aria-checked");
    this.changed();
  }
}
