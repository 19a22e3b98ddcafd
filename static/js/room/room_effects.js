/**
 * Effects over the whole stage for as long as they last: light as layers of their own, things that fall as particles.
 * Without motion, or on a device that is busy, the light stays and nothing falls.
 */

import { sprite } from "../effects/sprites.js";
import { element, icon, userText } from "../lib/element.js";

/** @typedef {import("../lib/items.js").ShownItem} ShownItem */
/** @typedef {import("../effects/particles.js").Particles} Particles */

/** Part of the pool that these may fill: gifts come first. */
const SHARE = 0.3;

/** @param {number} low @param {number} high */
const between = (low, high) => low + Math.random() * (high - low);

/** @typedef {{perSecond: number, start: (width: number, height: number, color: string, turn: number) => any}} Fall */

/** @type {Readonly<Record<string, Fall>>} what falls or rises, by look */
const FALLS = {
  confetti: {
    perSecond: 22,
    start: (width, _height, color) => ({
      sprite: sprite("confetti", color), x: between(0, width), y: -20, vx: between(-30, 30), vy: between(120, 220),
      sway: between(6, 22), size: between(9, 17), angle: between(0.1, 6), spin: between(-5, 5), lifeS: between(3, 4.5),
    }),
  },
  snow: {
    perSecond: 18,
    start: (width, _height, color) => ({
      sprite: sprite("glow", color), x: between(0, width), y: -16, vx: between(-14, 14), vy: between(50, 110),
      sway: between(8, 26), size: between(7, 18), grow: 0.9, lifeS: between(5, 8),
    }),
  },
  hearts: {
    perSecond: 10,
    start: (width, height, color, turn) => ({
      sprite: sprite(turn % 2 ? "glow" : "star", color), x: between(0, width), y: height + 20, vx: between(-16, 16), vy: between(-150, -80),
      sway: between(8, 24), size: between(12, 26), grow: 1.2, lifeS: between(4, 6),
    }),
  },
};

export class RoomEffects {
  /** @type {Map<string, {layer: HTMLElement, chip: HTMLElement, colors: string[], fall: Fall|undefined, owed: number}>} by item */
  #running = new Map();
  #turn = 0;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.host the stage's layer for light
   * @param {HTMLElement} parts.chips where it says in words what is going on
   * @param {import("../lib/items.js").Items} parts.items
   * @param {Particles} parts.particles
   * @param {import("../effects/frame_loop.js").FrameLoop} parts.loop
   */
  constructor({ host, chips, items, particles, loop }) {
    this.host = host;
    this.chips = chips;
    this.items = items;
    this.particles = particles;
    this.wake = loop.add((_nowMs, stepMs) => this.#frame(stepMs / 1000));
  }

  /** @param {ShownItem[]} shown that are not over */
  render(shown) {
    const kept = new Set(shown.map(({ item }) => item));
    for (const [item, { layer, chip }] of this.#running) {
      if (kept.has(item)) continue;
      layer.remove();
      chip.remove();
      this.#running.delete(item);
    }
    for (const effect of shown) if (!this.#running.has(effect.item)) this.#start(effect);
    this.chips.hidden = this.#running.size === 0;
    this.wake();
  }

  /** @param {ShownItem} effect */
  #start(effect) {
    const item = this.items.get(effect.item);
    if (!item?.effect.look) return;
    const colors = item.effect.colors ?? ["#ffffff"];
    const layer = element("div", { class: "room-effect", testid: "room-effect", attrs: { "data-look": item.effect.look } });
    colors.forEach((color, i) => layer.style.setProperty(`--color-${i + 1}`, color));
    const chip = element("li", { class: "effect-chip" }, icon("sparkles"), element("span", { text: item.name }),
      element("span", { class: "effect-by" }, " by ", userText(effect.from.name)));
    this.host.append(layer);
    this.chips.append(chip);
    this.#running.set(effect.item, { layer, chip, colors, fall: FALLS[item.effect.look], owed: 0 });
  }

  /** @param {number} stepS @returns {boolean} */
  #frame(stepS) {
    let falling = false;
    for (const effect of this.#running.values()) {
      if (!effect.fall) continue;
      falling = true;
      effect.owed += effect.fall.perSecond * stepS;
      const wanted = Math.floor(effect.owed);
      effect.owed -= wanted;
      for (let i = this.particles.allowance(wanted, SHARE); i > 0; i -= 1) {
        this.#turn += 1;
        const color = effect.colors[this.#turn % effect.colors.length];
        this.particles.add(effect.fall.start(this.particles.width, this.particles.height, color, this.#turn));
      }
    }
    return falling && !document.hidden;
  }
}
