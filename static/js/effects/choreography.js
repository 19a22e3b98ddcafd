/**
 * How a gift's picture moves over the stage, by kind: keyframes of transform and opacity, and the moments at which its
 * particles are let go. Offsets and moments are parts of the whole duration.
 */

import { emitBurst, emitRain, emitStardust, emitTrail } from "./emitters.js";

/** @typedef {import("./particles.js").Particles} Particles */
/** @typedef {import("../lib/gifts.js").Gift} Gift */
/** @typedef {import("./emitters.js").Point} Point */

/**
 * @typedef {object} Scene
 * @property {Particles} particles
 * @property {Gift} gift
 * @property {Point} centre of the picture when it rests
 * @property {() => Point} art where the picture is now
 */

/**
 * @typedef {object} Choreography
 * @property {Keyframe[]} art
 * @property {boolean} [rays] light turning behind the picture
 * @property {boolean} [satellites] small copies circling it
 * @property {Array<{at: number, run: (scene: Scene) => void}>} cues
 * @property {{from: number, to: number, run: (scene: Scene) => void}} [stream] run again and again between the two moments
 */

/** @param {number} at @param {number} part @returns {{at: number, run: (scene: Scene) => void}} */
const burst = (at, part) => ({ at, run: ({ particles, gift, centre }) => emitBurst(particles, gift, centre, part) });

/** @param {number} at @param {number} part @returns {{at: number, run: (scene: Scene) => void}} */
const dust = (at, part) => ({ at, run: ({ particles, gift }) => emitStardust(particles, gift, part) });

/** @param {number} at @param {number} part @returns {{at: number, run: (scene: Scene) => void}} */
const rain = (at, part) => ({ at, run: ({ particles, gift }) => emitRain(particles, gift, part) });

const ENTER = "cubic-bezier(0.16, 1, 0.3, 1)";
const LEAVE = "cubic-bezier(0.6, 0, 0.9, 0.3)";
const GENTLE = "ease-in-out";

/** @type {Record<import("../lib/gifts.js").EffectKind, Choreography>} */
export const CHOREOGRAPHIES = {
  pop: {
    art: [
      { offset: 0, transform: "scale(0)", opacity: 0, easing: ENTER },
      { offset: 0.22, transform: "scale(1.12)", opacity: 1, easing: GENTLE },
      { offset: 0.34, transform: "scale(1)", opacity: 1, easing: GENTLE },
      { offset: 0.86, transform: "scale(1.05)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "scale(1.3)", opacity: 0 },
    ],
    cues: [burst(0.16, 1)],
  },
  float: {
    art: [
      { offset: 0, transform: "translateY(70%) rotate(-8deg) scale(0.7)", opacity: 0, easing: ENTER },
      { offset: 0.3, transform: "translateY(0) rotate(5deg)", opacity: 1, easing: GENTLE },
      { offset: 0.55, transform: "translateY(-6%) rotate(-4deg)", opacity: 1, easing: GENTLE },
      { offset: 0.8, transform: "translateY(-12%) rotate(4deg)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "translateY(-90%) rotate(-3deg) scale(0.9)", opacity: 0 },
    ],
    cues: [dust(0.1, 0.5), dust(0.4, 0.5)],
  },
  rain: {
    art: [
      { offset: 0, transform: "translateY(-120%) rotate(-12deg)", opacity: 0, easing: ENTER },
      { offset: 0.2, transform: "translateY(0) rotate(4deg)", opacity: 1, easing: GENTLE },
      { offset: 0.84, transform: "translateY(3%) rotate(-4deg)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "translateY(30%) scale(0.8)", opacity: 0 },
    ],
    cues: [rain(0.05, 0.3), rain(0.2, 0.3), rain(0.4, 0.25), rain(0.55, 0.15)],
  },
  burst: {
    art: [
      { offset: 0, transform: "scale(0.2) rotate(-20deg)", opacity: 0, easing: ENTER },
      { offset: 0.2, transform: "scale(0.92) rotate(6deg)", opacity: 1 },
      { offset: 0.26, transform: "scale(0.86) rotate(-5deg)", opacity: 1 },
      { offset: 0.3, transform: "scale(0.82)", opacity: 1, easing: ENTER },
      { offset: 0.42, transform: "scale(1.2)", opacity: 1, easing: GENTLE },
      { offset: 0.84, transform: "scale(1.06) rotate(2deg)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "scale(1.6)", opacity: 0 },
    ],
    rays: true,
    cues: [burst(0.31, 0.7), burst(0.5, 0.3)],
  },
  ride: {
    art: [
      { offset: 0, transform: "translateX(-190%) skewX(6deg)", opacity: 1, easing: "cubic-bezier(0.1, 0.8, 0.3, 1)" },
      { offset: 0.34, transform: "translateX(-6%) skewX(-3deg) scale(1.1)", opacity: 1, easing: "linear" },
      { offset: 0.7, transform: "translateX(6%) scale(1.14)", opacity: 1, easing: "cubic-bezier(0.7, 0, 0.9, 0.5)" },
      { offset: 1, transform: "translateX(210%) skewX(10deg)", opacity: 1 },
    ],
    cues: [dust(0.05, 0.2), burst(0.34, 0.4)],
    stream: {
      from: 0.02,
      to: 0.98,
      run: ({ particles, gift, art }) => {
        const at = art();
        emitTrail(particles, gift, { x: at.x - 90, y: at.y + 46 }, { vx: -260, vy: -14 });
      },
    },
  },
  orbit: {
    art: [
      { offset: 0, transform: "scale(0) rotate(-120deg)", opacity: 0, easing: ENTER },
      { offset: 0.28, transform: "scale(1) rotate(0deg)", opacity: 1, easing: "linear" },
      { offset: 0.84, transform: "scale(1.08) rotate(14deg)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "scale(0.1) rotate(120deg)", opacity: 0 },
    ],
    rays: true,
    satellites: true,
    cues: [dust(0.1, 0.35), dust(0.4, 0.35), burst(0.84, 0.3)],
  },
  rise: {
    art: [
      { offset: 0, transform: "translateY(160%) scale(0.9)", opacity: 1, easing: ENTER },
      { offset: 0.28, transform: "translateY(26%)", opacity: 1 },
      { offset: 0.34, transform: "translate(-1.5%, 27%)", opacity: 1 },
      { offset: 0.4, transform: "translate(1.5%, 26%)", opacity: 1 },
      { offset: 0.46, transform: "translate(-1.5%, 28%)", opacity: 1 },
      { offset: 0.52, transform: "translate(0, 30%)", opacity: 1, easing: "cubic-bezier(0.7, 0, 0.8, 0.5)" },
      { offset: 1, transform: "translateY(-320%) scale(1.1)", opacity: 1 },
    ],
    cues: [dust(0.08, 0.3), burst(0.54, 0.4)],
    stream: {
      from: 0.1,
      to: 0.95,
      run: ({ particles, gift, art }) => {
        const at = art();
        emitTrail(particles, gift, { x: at.x, y: at.y + 110 }, { vx: 0, vy: 300 });
      },
    },
  },
  stage: {
    art: [
      { offset: 0, transform: "scale(0.1) rotate(-10deg)", opacity: 0, easing: ENTER },
      { offset: 0.2, transform: "scale(1.04) rotate(2deg)", opacity: 1, easing: GENTLE },
      { offset: 0.5, transform: "scale(1.14) rotate(-2deg)", opacity: 1, easing: GENTLE },
      { offset: 0.84, transform: "scale(1.2) rotate(1deg)", opacity: 1, easing: LEAVE },
      { offset: 1, transform: "scale(2.2)", opacity: 0 },
    ],
    rays: true,
    cues: [dust(0.02, 0.2), burst(0.14, 0.5), dust(0.35, 0.2), burst(0.5, 0.3), burst(0.82, 0.3)],
  },
};
