/**
 * The stage's picture: slow light in colours that follow from the creator's id. It is drawn small and scaled up by the
 * compositor, a dozen times a second, so that it costs next to nothing.
 */

import { hashId } from "../lib/avatar.js";
import { onMotionPreference, prefersReducedMotion } from "../lib/motion.js";

const WIDTH = 90;
const HEIGHT = 160;
const DRAW_INTERVAL_MS = 80;
const TURN_MS = 26_000;
/** Where in its motion a still backdrop stands. */
const STILL_MS = 9_000;

/**
 * @typedef {object} Light
 * @property {string} color "h s% l%"
 * @property {number} alpha
 * @property {number} x @property {number} y centre, in parts of the canvas
 * @property {number} radius in parts of the height
 * @property {number} swing how far it wanders
 * @property {number} pace turns per TURN_MS
 * @property {number} phase
 */

/** @param {string} id @returns {number[]} three hues that go together */
export function huesOf(id) {
  const hash = hashId(id);
  const base = hash % 360;
  const spread = 34 + ((hash >>> 9) % 30);
  return [base, (base + spread) % 360, (base + 180 + ((hash >>> 14) % 60)) % 360];
}

/** @param {string} id @returns {Light[]} */
function lightsOf(id) {
  const [first, second, third] = huesOf(id);
  const hash = hashId(`${id}/lights`);
  const phase = (/** @type {number} */ bits) => ((hash >>> bits) % 64) / 10;
  return [
    { color: `${first} 85% 52%`, alpha: 0.72, x: 0.2, y: 0.16, radius: 0.58, swing: 0.16, pace: 1, phase: phase(0) },
    { color: `${second} 90% 48%`, alpha: 0.6, x: 0.9, y: 0.42, radius: 0.5, swing: 0.2, pace: -1.4, phase: phase(6) },
    { color: `${third} 75% 46%`, alpha: 0.5, x: 0.15, y: 0.78, radius: 0.5, swing: 0.18, pace: 1.7, phase: phase(12) },
    { color: `${second} 95% 70%`, alpha: 0.24, x: 0.55, y: 0.36, radius: 0.26, swing: 0.26, pace: -2.3, phase: phase(18) },
  ];
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
    const [base] = huesOf(this.#creatorId);
    context.globalCompositeOperation = "source-over";
    context.fillStyle = `hsl(${base} 55% 9%)`;
    context.fillRect(0, 0, WIDTH, HEIGHT);
    context.globalCompositeOperation = "screen";
    for (const light of this.#lights) {
      const angle = (timeMs / TURN_MS) * Math.PI * 2 * light.pace + light.phase;
      const x = (light.x + Math.cos(angle) * light.swing) * WIDTH;
      const y = (light.y + Math.sin(angle * 0.8) * light.swing * 0.7) * HEIGHT;
      const radius = light.radius * HEIGHT * (1 + 0.08 * Math.sin(angle * 1.3));
      const gradient = context.createRadialGradient(x, y, 0, x, y, radius);
      gradient.addColorStop(0, `hsl(${light.color} / ${light.alpha})`);
      gradient.addColorStop(0.5, `hsl(${light.color} / ${light.alpha * 0.36})`);
      gradient.addColorStop(1, `hsl(${light.color} / 0)`);
      context.fillStyle = gradient;
      context.fillRect(0, 0, WIDTH, HEIGHT);
    }
  }
}
