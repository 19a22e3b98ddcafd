/**
 * Stickers around the host: each has a place of its own, which follows from its picture.
 */

import { element, setText, userText } from "../lib/element.js";
import { stickerUrl } from "../lib/items.js";
import { prefersReducedMotion } from "../lib/motion.js";

/** @typedef {import("../lib/items.js").ShownItem} ShownItem */

/** Per cent of the stage, and a tilt in degrees; the first sticker takes the first place that is free. */
const PLACES = [
  { x: 17, y: 38, tilt: -9 }, { x: 83, y: 34, tilt: 8 }, { x: 20, y: 20, tilt: 6 },
  { x: 80, y: 49, tilt: -6 }, { x: 50, y: 13, tilt: 3 }, { x: 26, y: 52, tilt: -4 },
];

export class StickerBoard {
  /** @type {Map<string, {node: HTMLElement, place: number, name: HTMLElement}>} by item */
  #stickers = new Map();

  /** @param {HTMLElement} host @param {import("../lib/items.js").Items} items */
  constructor(host, items) {
    this.host = host;
    this.items = items;
  }

  /** @param {ShownItem[]} shown that are not over */
  render(shown) {
    const kept = new Set(shown.map(({ item }) => item));
    for (const [item, { node }] of this.#stickers) {
      if (kept.has(item)) continue;
      node.remove();
      this.#stickers.delete(item);
    }
    for (const sticker of shown) {
      const known = this.#stickers.get(sticker.item);
      if (known) setText(known.name, sticker.from.name);
      else this.#add(sticker);
    }
  }

  /** @param {ShownItem} sticker */
  #add(sticker) {
    const taken = new Set([...this.#stickers.values()].map(({ place }) => place));
    const place = PLACES.findIndex((_, i) => !taken.has(i));
    const look = this.items.get(sticker.item)?.effect.look;
    if (place === -1 || look === undefined) return;
    const name = userText(sticker.from.name, "sticker-name truncate");
    const art = element("img", { class: "sticker-art", attrs: { src: stickerUrl(look), alt: "", width: 84, height: 84, draggable: "false" } });
    const node = element("div", { class: "sticker", testid: "sticker", attrs: { "data-item": sticker.item } }, art, name);
    const { x, y, tilt } = PLACES[place];
    node.style.left = `${x}%`;
    node.style.top = `${y}%`;
    node.style.setProperty("--tilt", `${tilt}deg`);
    this.host.append(node);
    this.#stickers.set(sticker.item, { node, place, name });
    if (prefersReducedMotion()) return;
    art.animate([
      { transform: "scale(0) rotate(-40deg)" },
      { offset: 0.7, transform: "scale(1.15) rotate(6deg)" }, { transform: "none" },
    ], { duration: 560, easing: "cubic-bezier(0.2, 0.9, 0.3, 1)" });
  }
}
