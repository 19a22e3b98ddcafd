/**
 * The tray's lanes on screen: a fixed pool of nodes that follows the lane board.
 */

import { paintAvatar } from "../lib/avatar.js";
import { element, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";
import { prefersReducedMotion } from "../lib/motion.js";
import { emitFromTray } from "../effects/emitters.js";
import { LANES, LaneBoard } from "./lane_board.js";

/** @typedef {import("./lane_board.js").LaneItem} LaneItem */

const SPRING = "cubic-bezier(0.2, 1.25, 0.35, 1)";
/** A pulse grows with the combo up to this scale. */
const PULSE_SCALE_MAX = 1.9;

/**
 * @typedef {object} LaneNode
 * @property {HTMLElement} node @property {HTMLElement} face @property {HTMLElement} sender
 * @property {HTMLElement} label @property {HTMLImageElement} art @property {HTMLElement} times
 * @property {string|null} key @property {number} combo
 * @property {Animation|null} pulse
 */

export class GiftTray {
  #board = new LaneBoard();

  /**
   * @param {HTMLElement} host
   * @param {import("../effects/frame_loop.js").FrameLoop} loop
   * @param {import("../effects/particles.js").Particles} particles
   */
  constructor(host, loop, particles) {
    this.particles = particles;
    this.lanes = Array.from({ length: LANES }, laneNode);
    host.append(...this.lanes.map(({ node }) => node));
    this.wake = loop.add((nowMs) => this.#frame(nowMs));
  }

  /** @param {LaneItem} item */
  offer(item) {
    this.#board.offer(item, performance.now());
    this.wake();
  }

  clear() {
    this.#board.clear();
    this.wake();
  }

  /** @param {number} nowMs @returns {boolean} */
  #frame(nowMs) {
    const busy = this.#board.tick(nowMs);
    this.lanes.forEach((lane, i) => this.#render(lane, this.#board.lanes[i]));
    return busy;
  }

  /** @param {LaneNode} lane @param {LaneItem|null} item */
  #render(lane, item) {
    if (item === null) {
      if (lane.key !== null) this.#leave(lane);
    } else if (item.key !== lane.key) {
      this.#enter(lane, item);
    } else if (item.combo !== lane.combo) {
      lane.combo = item.combo;
      setText(lane.times, `×${formatNumber(item.combo)}`);
      lane.node.dataset.combo = String(item.combo);
      this.#pulse(lane, item);
    }
  }

  /** @param {LaneNode} lane @param {LaneItem} item */
  #enter(lane, item) {
    lane.key = item.key;
    lane.combo = item.combo;
    paintAvatar(lane.face, item.from);
    setText(lane.sender, item.from.name);
    setText(lane.label, `sent ${item.gift.name}`);
    setText(lane.times, `×${formatNumber(item.combo)}`);
    const url = artUrl(item.gift.id);
    if (lane.art.getAttribute("src") !== url) lane.art.src = url;
    Object.assign(lane.node.dataset, { gift: item.gift.id, tier: item.gift.tier, from: item.from.id, combo: String(item.combo) });
    lane.node.classList.toggle("is-own", item.own);
    lane.node.classList.add("is-shown");
    if (!prefersReducedMotion()) {
      lane.node.animate([{ transform: "translateX(-105%)", opacity: 0 }, { transform: "none", opacity: 1 }], { duration: 380, easing: SPRING });
      lane.art.animate([{ transform: "scale(0.3) rotate(-30deg)" }, { transform: "none" }], { duration: 620, easing: SPRING });
    }
    this.#pulse(lane, item);
  }

  /** @param {LaneNode} lane */
  #leave(lane) {
    lane.key = null;
    lane.node.classList.remove("is-shown");
    if (prefersReducedMotion()) return;
    lane.node.animate([{ transform: "none", opacity: 1 }, { transform: "translateY(-14px)", opacity: 0 }], { duration: 260, easing: "ease-in" });
  }

  /** @param {LaneNode} lane @param {LaneItem} item */
  #pulse(lane, item) {
    if (prefersReducedMotion() || document.hidden) return;
    lane.pulse?.cancel();
    const scale = Math.min(PULSE_SCALE_MAX, 1.35 + Math.log10(Math.max(1, item.combo)) * 0.2);
    lane.pulse = lane.times.animate([{ transform: `scale(${scale})` }, { transform: "scale(1)" }], { duration: 340, easing: SPRING });
    const stage = this.particles.canvas.getBoundingClientRect();
    const box = lane.node.getBoundingClientRect();
    if (stage.width > 0) emitFromTray(this.particles, item.gift, { x: box.x + box.width * 0.78 - stage.x, y: box.y + box.height / 2 - stage.y });
  }
}

/** @returns {LaneNode} */
function laneNode() {
  const face = element("span", { class: "avatar", attrs: { "aria-hidden": "true" } });
  const sender = userText("", "lane-sender truncate");
  const label = element("span", { class: "lane-label truncate" });
  const art = element("img", { class: "lane-art", attrs: { alt: "", draggable: "false" } });
  const times = element("span", { class: "lane-times number" });
  const node = element("div", { class: "lane", testid: "lane" },
    element("div", { class: "lane-pill" }, face, element("span", { class: "lane-words" }, sender, label), art), times);
  return { node, face, sender, label, art, times, key: null, combo: 0, pulse: null };
}
