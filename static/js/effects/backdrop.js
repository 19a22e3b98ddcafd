/**
 * The stage's picture: slow light in colours that follow from the creator's id. It is drawn small and scaled up by the
 * compositor, a dozen times a second, so that it costs next to nothing.
 */

import { hashId } from "../lib/avatar.js";
import { onMotionPreference, prefersReducedMotion } from "../lib/motion.js";
import { paletteOf } from "./palettes.js";

const WIDTH = 90;
const HEIGHT = 160;
const DRAW_INTERVAL_MS = 80;
const TURN_MS = 26_000;
/** What the lights fall on. */
const NIGHT = "#140a20";
const RINGS = 3;
const RING_MS = 7_200;
const RING_RADIUS = 22;
/** Where in its motion a still backdrop stands. */
const STILL_MS = 9_000;

/**
 * @typedef {object} Light
 * @property {string} color "#rrggbb"
 * @property {number} alpha
 * @property {number} x @property {number} y centre, in parts of the canvas
 * @property {number} radius in parts of the height
 * @property {number} swing how far it wanders
 * @property {number} pace turns per TURN_MS
 * @property {number} phase
 */

/** @param {string} creatorId @returns {Light[]} */
function lightsOf(creatorId) {
  const [first, second, third] = paletteOf(creatorId);
  const hash = hashId(`${creatorId}/lights`);
  const phase = (/** @type {number} */ bits) => ((hash >>> bits) % 64) / 10;
  return [
    { color: first, alpha: 0.8, x: 0.18, y: 0.14, radius: 0.6, swing: 0.16, pace: 1, phase: phase(0) },
    { color: second, alpha: 0.7, x: 0.9, y: 0.42, radius: 0.54, swing: 0.2, pace: -1.4, phase: phase(6) },
    { color: third, alpha: 0.55, x: 0.15, y: 0.8, radius: 0.5, swing: 0.18, pace: 1.7, phase: phase(12) },
    { color: first, alpha: 0.3, x: 0.55, y: 0.36, radius: 0.28, swing: 0.26, pace: -2.3, phase: phase(18) },
  ];
}

/** Darker where text stands on the stage. @param {CanvasRenderingContext2D} context */
function shadeOf(context) {
  const shade = context.createLinearGradient(0, 0, 0, HEIGHT);
  shade.addColorStop(0, withAlpha(NIGHT, 0.55));
  shade.addColorStop(0.22, withAlpha(NIGHT, 0));
  shade.addColorStop(0.46, withAlpha(NIGHT, 0));
  shade.addColorStop(1, withAlpha(NIGHT, 0.72));
  return shade;
}

/** @param {string} color "#rrggbb" @param {number} alpha 0 to 1 @returns {string} "#rrggbbaa" */
function withAlpha(color, alpha) {
  return color + Math.round(alpha * 255).toString(16).padStart(2, "0");
}

export class Backdrop {
  /** @type {Light[]} */
  #lights = [];
  #creatorId = "";
  #drawnMs = -Infinity;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {import("./frame_loop.js").FrameLoop} loop
   * @param {import("./governor.js").Governor} governor at its lowest quality the light stands still
   */
  constructor(canvas, loop, governor) {
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    this.canvas = canvas;
    this.shade = shadeOf(this.context);
    /** How much narrower than high a circle must be drawn to look round on the stretched canvas. */
    this.aspect = 1;
    new ResizeObserver(([{ contentRect: box }]) => {
      if (box.width > 0) this.aspect = (box.height / HEIGHT) / (box.width / WIDTH);
    }).observe(canvas);
    this.governor = governor;
    this.wake = loop.add((nowMs) => this.#frame(nowMs));
    onMotionPreference(() => this.wake());
  }

  /** @param {string} creatorId */
  show(creatorId) {
    if (creatorId === this.#creatorId) return;
    this.#creatorId = creatorId;
    this.#lights = lightsOf(creatorId);
    this.#drawnMs = -Infinity;
    this.wake();
  }

  /** @param {number} nowMs @returns {boolean} */
  #frame(nowMs) {
    this.governor.frame(nowMs);
    const still = prefersReducedMotion();
    const first = this.#drawnMs === -Infinity;
    if (first || still || (this.governor.quality > 0 && nowMs - this.#drawnMs >= DRAW_INTERVAL_MS)) {
      this.#draw(still ? STILL_MS : nowMs);
      this.#drawnMs = nowMs;
    }
    return !still;
  }

  /** @param {number} timeMs */
  #draw(timeMs) {
    const { context } = this;
    context.globalCompositeOperation = "source-over";
    context.fillStyle = NIGHT;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.globalCompositeOperation = "screen";
    for (const light of this.#lights) {
      const angle = (timeMs / TURN_MS) * Math.PI * 2 * light.pace + light.phase;
      const x = (light.x + Math.cos(angle) * light.swing) * WIDTH;
      const y = (light.y + Math.sin(angle * 0.8) * light.swing * 0.7) * HEIGHT;
      const radius = light.radius * HEIGHT * (1 + 0.08 * Math.sin(angle * 1.3));
      const gradient = context.createRadialGradient(x, y, 0, x, y, radius);
      gradient.addColorStop(0, withAlpha(light.color, light.alpha));
      gradient.addColorStop(0.5, withAlpha(light.color, light.alpha * 0.36));
      gradient.addColorStop(1, withAlpha(light.color, 0));
      context.fillStyle = gradient;
      context.fillRect(0, 0, WIDTH, HEIGHT);
    }
    this.#drawRings(timeMs);
    context.globalCompositeOperation = "source-over";
    context.fillStyle = this.shade;
    context.fillRect(0, 0, WIDTH, HEIGHT);
  }

  /** Rings that spread from the host's face. @param {number} timeMs */
  #drawRings(timeMs) {
    const { context } = this;
    const y = parseFloat(getComputedStyle(this.canvas).getPropertyValue("--stage-y")) / 100;
    context.lineWidth = 5;
    for (let ring = 0; ring < RINGS; ring += 1) {
      const part = (timeMs / RING_MS + ring / RINGS) % 1;
      context.strokeStyle = withAlpha("#ffffff", 0.12 * (1 - part));
      context.beginPath();
      context.ellipse(WIDTH / 2, y * HEIGHT, RING_RADIUS * (0.4 + part) * this.aspect, RING_RADIUS * (0.4 + part), 0, 0, Math.PI * 2);
      context.stroke();
    }
  }
}
