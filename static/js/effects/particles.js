/**
 * All particles of the page on one canvas, from one fixed pool. When the pool is used up, nothing is added: particles
 * are the first thing to go under load.
 */

import { onMotionPreference, prefersReducedMotion } from "../lib/motion.js";

export const PARTICLES_MAX = 260;
const PIXEL_RATIO_MAX = 1.5;
const FADE_IN_PART = 0.08;
const FADE_OUT_PART = 0.4;

/**
 * @typedef {object} Particle
 * @property {boolean} alive
 * @property {HTMLCanvasElement|null} sprite
 * @property {number} x @property {number} y CSS pixels
 * @property {number} vx @property {number} vy pixels per second
 * @property {number} gravity pixels per second squared
 * @property {number} drag part of the speed lost per second
 * @property {number} sway pixels it swings sideways
 * @property {number} size pixels
 * @property {number} grow size at the end, in parts of the size at the start
 * @property {number} spin @property {number} angle radians (per second)
 * @property {number} ageS @property {number} lifeS
 */

/** @typedef {Partial<Omit<Particle, "alive"|"ageS">> & {sprite: HTMLCanvasElement, x: number, y: number}} ParticleStart */

/** @returns {Particle} */
function idleParticle() {
  return {
    alive: false, sprite: null, x: 0, y: 0, vx: 0, vy: 0, gravity: 0, drag: 0, sway: 0,
    size: 20, grow: 1, spin: 0, angle: 0, ageS: 0, lifeS: 1,
  };
}

export class Particles {
  #pool = Array.from({ length: PARTICLES_MAX }, idleParticle);
  #living = 0;
  #cursor = 0;
  #scale = 1;
  width = 0;
  height = 0;

  /**
   * @param {HTMLCanvasElement} canvas fills its positioned parent
   * @param {import("./frame_loop.js").FrameLoop} loop
   * @param {import("./governor.js").Governor} governor
   */
  constructor(canvas, loop, governor) {
    this.canvas = canvas;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.governor = governor;
    this.wake = loop.add((_nowMs, stepMs) => this.#frame(stepMs / 1000));
    canvas.hidden = true;
    new ResizeObserver(([entry]) => this.#resize(entry.contentRect)).observe(/** @type {Element} */ (canvas.parentElement));
    onMotionPreference((reduced) => reduced && this.clear());
  }

  /**
   * How many of the wanted particles may be added now.
   * @param {number} wanted
   * @param {number} [share] part of the pool this emitter may fill at most
   * @returns {number}
   */
  allowance(wanted, share = 1) {
    if (prefersReducedMotion() || document.hidden || this.governor.quality === 0) return 0;
    const asked = this.governor.quality === 1 ? Math.ceil(wanted / 2) : wanted;
    return Math.max(0, Math.min(asked, Math.floor(PARTICLES_MAX * share) - this.#living));
  }

  /** @param {ParticleStart} start dropped when the pool is used up */
  add(start) {
    if (this.#living >= PARTICLES_MAX) return;
    while (this.#pool[this.#cursor].alive) this.#cursor = (this.#cursor + 1) % PARTICLES_MAX;
    const particle = this.#pool[this.#cursor];
    particle.vx = particle.vy = particle.gravity = particle.drag = particle.sway = particle.spin = particle.angle = 0;
    particle.size = 20;
    particle.grow = particle.lifeS = 1;
    particle.ageS = 0;
    Object.assign(particle, start);
    particle.alive = true;
    if (this.#living === 0) this.canvas.hidden = false;
    this.#living += 1;
    this.wake();
  }

  clear() {
    for (const particle of this.#pool) particle.alive = false;
    this.#living = 0;
    this.canvas.hidden = true;
  }

  /** @param {DOMRectReadOnly} box */
  #resize(box) {
    this.#scale = Math.min(PIXEL_RATIO_MAX, devicePixelRatio || 1);
    this.width = box.width;
    this.height = box.height;
    this.canvas.width = Math.round(box.width * this.#scale);
    this.canvas.height = Math.round(box.height * this.#scale);
  }

  /** @param {number} stepS @returns {boolean} */
  #frame(stepS) {
    const { context } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const particle of this.#pool) {
      if (!particle.alive) continue;
      particle.ageS += stepS;
      if (particle.ageS >= particle.lifeS || particle.y > this.height + particle.size) {
        particle.alive = false;
        particle.sprite = null;
        this.#living -= 1;
        continue;
      }
      this.#move(particle, stepS);
      this.#draw(particle);
    }
    context.globalAlpha = 1;
    if (this.#living === 0) this.canvas.hidden = true;
    return this.#living > 0;
  }

  /** @param {Particle} particle @param {number} stepS */
  #move(particle, stepS) {
    const kept = Math.max(0, 1 - particle.drag * stepS);
    particle.vx *= kept;
    particle.vy = particle.vy * kept + particle.gravity * stepS;
    particle.x += particle.vx * stepS;
    particle.y += particle.vy * stepS;
    particle.angle += particle.spin * stepS;
  }

  /** @param {Particle} particle */
  #draw(particle) {
    const part = particle.ageS / particle.lifeS;
    const size = particle.size * (1 + (particle.grow - 1) * part) * this.#scale;
    const x = (particle.x + (particle.sway ? Math.sin(particle.ageS * 3 + particle.size) * particle.sway : 0)) * this.#scale;
    const y = particle.y * this.#scale;
    this.context.globalAlpha = Math.min(1, part / FADE_IN_PART, (1 - part) / FADE_OUT_PART);
    if (particle.angle === 0) {
      this.context.setTransform(1, 0, 0, 1, x, y);
    } else {
      const cos = Math.cos(particle.angle);
      const sin = Math.sin(particle.angle);
      this.context.setTransform(cos, sin, -sin, cos, x, y);
    }
    this.context.drawImage(/** @type {HTMLCanvasElement} */ (particle.sprite), -size / 2, -size / 2, size, size);
  }
}
