/**
 * Plays one big gift at a time over the whole stage, from a bounded queue. With reduced motion a still card stands in.
 */

import { element, icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";
import { prefersReducedMotion } from "../lib/motion.js";
import { paintAvatar } from "../lib/avatar.js";
import { CHOREOGRAPHIES } from "./choreography.js";
import { paintGlow } from "./glow.js";
import { StageQueue } from "./stage_queue.js";

/** @typedef {import("./stage_queue.js").StageItem} StageItem */

const DURATION_MS_MIN = 1_800;
const DURATION_MS_MAX = 9_000;
const STILL_MS = 3_500;
/** With this many waiting, each plays faster, down to FASTEST of its time. */
const HURRY_FROM = 3;
const FASTEST = 0.55;
const SATELLITES = 6;

export class StagePlayer {
  #queue = new StageQueue();
  /** @type {{item: StageItem, endsMs: number, startMs: number, durationMs: number, cue: number}|null} */
  #playing = null;
  /** @type {Animation[]} */
  #animations = [];

  /**
   * @param {HTMLElement} host the positioned stage
   * @param {import("./frame_loop.js").FrameLoop} loop
   * @param {import("./particles.js").Particles} particles over the same stage
   * @param {import("./governor.js").Governor} governor below its best quality the light behind the gift is left out
   */
  constructor(host, loop, particles, governor) {
    this.particles = particles;
    this.governor = governor;
    this.veil = element("div", { class: "stage-veil" });
    this.glow = element("canvas", { class: "stage-glow" });
    this.art = element("img", { class: "stage-art", attrs: { alt: "", draggable: "false" } });
    this.moons = Array.from({ length: SATELLITES }, () => element("img", { class: "stage-moon", attrs: { alt: "" } }));
    this.moons.forEach((moon, i) => moon.style.setProperty("--turn", `${i / SATELLITES}turn`));
    this.orbit = element("div", { class: "stage-orbit" }, ...this.moons);
    this.face = element("span", { class: "avatar", attrs: { "aria-hidden": "true" } });
    this.sender = userText("", "stage-sender truncate");
    this.label = element("span", { class: "stage-label" });
    this.coins = element("span", { class: "number" });
    this.banner = element("div", { class: "stage-banner" }, this.face,
      element("span", { class: "stage-words" }, this.sender, this.label),
      element("span", { class: "stage-coins" }, icon("coin"), this.coins));
    this.node = element("div", { class: "stage-animation", testid: "stage-animation", attrs: { "aria-hidden": "true" } },
      this.veil, this.glow, this.orbit, this.art, this.banner);
    this.node.hidden = true;
    host.append(this.node);
    this.wake = loop.add((nowMs) => this.#frame(nowMs));
  }

  /** @param {StageItem} item */
  add(item) {
    if (document.hidden) return;
    this.#queue.add(item);
    if (!this.#playing) this.wake();
  }

  /** Empties the stage and the queue. */
  clear() {
    this.#queue.clear();
    this.#end();
  }

  /** @param {number} nowMs @returns {boolean} */
  #frame(nowMs) {
    if (this.#playing && nowMs >= this.#playing.endsMs) this.#end();
    if (!this.#playing) {
      const item = this.#queue.take();
      if (!item) return false;
      this.#start(item, nowMs);
    }
    this.#runCues(nowMs);
    return true;
  }

  /** @param {StageItem} item @param {number} nowMs */
  #start(item, nowMs) {
    const { gift, entry } = item;
    const still = prefersReducedMotion();
    const hurry = Math.max(FASTEST, 1 - Math.max(0, this.#queue.length - HURRY_FROM) * 0.1);
    const wantedMs = Math.min(DURATION_MS_MAX, Math.max(DURATION_MS_MIN, gift.effect.duration_ms));
    const durationMs = still ? STILL_MS : wantedMs * hurry;
    this.#playing = { item, startMs: nowMs, endsMs: nowMs + durationMs, durationMs, cue: 0 };
    paintAvatar(this.face, entry.from);
    setText(this.sender, entry.from.name);
    setText(this.label, item.count > 1 ? `sent ${gift.name} ×${formatNumber(item.count)}` : `sent ${gift.name}`);
    setText(this.coins, formatNumber(item.coins));
    this.art.src = artUrl(gift.id);
    this.node.dataset.gift = gift.id;
    this.node.dataset.tier = gift.tier;
    this.node.classList.toggle("is-still", still);
    this.node.hidden = false;
    if (!still) this.#animate(gift, durationMs);
  }

  /** @param {import("../lib/gifts.js").Gift} gift @param {number} durationMs */
  #animate(gift, durationMs) {
    const plan = CHOREOGRAPHIES[gift.effect.kind] ?? CHOREOGRAPHIES.pop;
    const whole = { duration: durationMs, fill: /** @type {const} */ ("both") };
    const fadeInOut = [{ opacity: 0 }, { offset: 0.1, opacity: 1 }, { offset: 0.88, opacity: 1 }, { opacity: 0 }];
    const [first, second = first] = gift.effect.colors;
    this.glow.hidden = this.governor.quality < 2;
    if (!this.glow.hidden) paintGlow(this.glow, second, plan.rays ? first : null);
    this.orbit.hidden = !plan.satellites;
    this.#animations = [
      this.veil.animate(fadeInOut, whole),
      this.glow.animate([
        { transform: "scale(0.3) rotate(0turn)", opacity: 0 }, { offset: 0.2, transform: "scale(1) rotate(0.07turn)", opacity: 1 },
        { offset: 0.84, transform: "scale(1.15) rotate(0.3turn)", opacity: 0.9 }, { transform: "scale(1.4) rotate(0.35turn)", opacity: 0 },
      ], whole),
      this.art.animate(plan.art, whole),
      this.banner.animate([
        { transform: "translateY(28px) scale(0.9)", opacity: 0, easing: "cubic-bezier(0.16, 1, 0.3, 1)" },
        { offset: 0.14, transform: "none", opacity: 1 }, { offset: 0.9, transform: "none", opacity: 1 },
        { transform: "translateY(-12px)", opacity: 0 },
      ], whole),
    ];
    if (plan.satellites) {
      for (const moon of this.moons) moon.src = artUrl(gift.id);
      this.#animations.push(this.orbit.animate([
        { transform: "scale(0.2) rotate(0turn)", opacity: 0 }, { offset: 0.25, transform: "scale(1) rotate(0.35turn)", opacity: 1 },
        { offset: 0.84, transform: "scale(1) rotate(1.2turn)", opacity: 1 }, { transform: "scale(1.8) rotate(1.4turn)", opacity: 0 },
      ], whole));
    }
  }

  /** @param {number} nowMs */
  #runCues(nowMs) {
    if (!this.#playing || this.node.classList.contains("is-still")) return;
    const { item, startMs, durationMs } = this.#playing;
    const plan = CHOREOGRAPHIES[item.gift.effect.kind] ?? CHOREOGRAPHIES.pop;
    const part = (nowMs - startMs) / durationMs;
    /** @type {import("./choreography.js").Scene} */
    const scene = {
      particles: this.particles,
      gift: item.gift,
      centre: { x: this.art.offsetLeft, y: this.art.offsetTop },
      art: () => this.#artCentre(),
    };
    while (this.#playing.cue < plan.cues.length && part >= plan.cues[this.#playing.cue].at) {
      plan.cues[this.#playing.cue].run(scene);
      this.#playing.cue += 1;
    }
    if (plan.stream && part >= plan.stream.from && part <= plan.stream.to) plan.stream.run(scene);
  }

  /** @returns {import("./emitters.js").Point} */
  #artCentre() {
    const stage = this.node.getBoundingClientRect();
    const box = this.art.getBoundingClientRect();
    return { x: box.x + box.width / 2 - stage.x, y: box.y + box.height / 2 - stage.y };
  }

  #end() {
    for (const animation of this.#animations) animation.cancel();
    this.#animations = [];
    this.#playing = null;
    this.node.hidden = true;
    delete this.node.dataset.gift;
  }
}
