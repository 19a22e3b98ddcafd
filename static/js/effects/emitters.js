/**
 * What the particles of each gift do, from the gift's effect data.
 */

import { sprite } from "./sprites.js";

/** @typedef {import("./particles.js").Particles} Particles */
/** @typedef {import("../lib/gifts.js").Gift} Gift */
/** @typedef {{x: number, y: number}} Point CSS pixels from the stage's top left corner */

/** Part of the pool that the small gifts in the tray may fill, so that the stage keeps room. */
const TRAY_SHARE = 0.35;
const TRAY_PARTICLES_MAX = 10;

/** @param {number} low @param {number} high */
const between = (low, high) => low + Math.random() * (high - low);

/** @template T @param {readonly T[]} items @returns {T} */
const anyOf = (items) => items[Math.floor(Math.random() * items.length)];

/**
 * A few sparks or copies of the gift, where its lane is.
 * @param {Particles} particles
 * @param {Gift} gift
 * @param {Point} at
 */
export function emitFromTray(particles, gift, at) {
  const { kind, colors, particles: wanted } = gift.effect;
  const count = particles.allowance(Math.min(wanted, TRAY_PARTICLES_MAX), TRAY_SHARE);
  for (let i = 0; i < count; i += 1) {
    if (kind === "float" || kind === "rise") {
      particles.add({
        sprite: sprite("art", gift.id), x: at.x + between(-10, 40), y: at.y,
        vx: between(-12, 24), vy: between(-190, -110), drag: 0.35, sway: between(6, 16),
        size: between(18, 34), grow: 1.2, angle: between(-0.4, 0.4) || 0.1, spin: between(-0.6, 0.6), lifeS: between(1.3, 2.2),
      });
    } else {
      const direction = between(-Math.PI, 0);
      const speed = between(60, 210);
      particles.add({
        sprite: sprite(i % 3 === 0 ? "star" : "glow", anyOf(colors)), x: at.x, y: at.y,
        vx: Math.cos(direction) * speed, vy: Math.sin(direction) * speed, gravity: 240, drag: 1.2,
        size: between(8, 20), grow: 0.3, spin: i % 3 === 0 ? between(-3, 3) : 0, lifeS: between(0.6, 1.1),
      });
    }
  }
}

/**
 * An explosion of light and confetti.
 * @param {Particles} particles
 * @param {Gift} gift
 * @param {Point} at
 * @param {number} [part] of the effect's particles
 */
export function emitBurst(particles, gift, at, part = 1) {
  const count = particles.allowance(Math.round(gift.effect.particles * part));
  for (let i = 0; i < count; i += 1) {
    const direction = between(0, Math.PI * 2);
    const speed = between(120, 620);
    const paper = i % 2 === 0;
    particles.add({
      sprite: sprite(paper ? "confetti" : "glow", anyOf(gift.effect.colors)), x: at.x, y: at.y,
      vx: Math.cos(direction) * speed, vy: Math.sin(direction) * speed - 120, gravity: paper ? 420 : 160, drag: 1.5,
      size: paper ? between(10, 20) : between(14, 46), grow: paper ? 1 : 0.2,
      angle: paper ? between(0.1, 6) : 0, spin: paper ? between(-7, 7) : 0, lifeS: between(1.2, 2.4),
    });
  }
}

/**
 * The gift itself falling over the whole width.
 * @param {Particles} particles
 * @param {Gift} gift
 * @param {number} part of the effect's particles
 */
export function emitRain(particles, gift, part) {
  const count = particles.allowance(Math.ceil(gift.effect.particles * part));
  for (let i = 0; i < count; i += 1) {
    particles.add({
      sprite: i % 3 === 2 ? sprite("star", anyOf(gift.effect.colors)) : sprite("art", gift.id),
      x: between(0, particles.width), y: between(-120, -20),
      vx: between(-24, 24), vy: between(140, 320), gravity: 160, sway: between(4, 18),
      size: between(22, 46), angle: between(0.1, 6), spin: between(-2.4, 2.4), lifeS: between(2.2, 3.4),
    });
  }
}

/**
 * What a moving gift leaves behind it.
 * @param {Particles} particles
 * @param {Gift} gift
 * @param {Point} at
 * @param {{vx: number, vy: number}} push
 */
export function emitTrail(particles, gift, at, push) {
  const count = particles.allowance(3);
  for (let i = 0; i < count; i += 1) {
    particles.add({
      sprite: sprite("glow", anyOf(gift.effect.colors)), x: at.x + between(-26, 26), y: at.y + between(-18, 18),
      vx: push.vx * between(0.4, 1) + between(-30, 30), vy: push.vy * between(0.4, 1) + between(-30, 30),
      drag: 1, size: between(18, 54), grow: 0.1, lifeS: between(0.5, 1.1),
    });
  }
}

/**
 * Slow points of light around the middle.
 * @param {Particles} particles
 * @param {Gift} gift
 * @param {number} part of the effect's particles
 */
export function emitStardust(particles, gift, part) {
  const count = particles.allowance(Math.ceil(gift.effect.particles * part));
  for (let i = 0; i < count; i += 1) {
    particles.add({
      sprite: sprite(i % 2 ? "glow" : "star", anyOf(gift.effect.colors)),
      x: between(0, particles.width), y: between(particles.height * 0.2, particles.height),
      vx: between(-14, 14), vy: between(-90, -30), sway: between(4, 20),
      size: between(6, 22), grow: 0.4, spin: i % 2 ? 0 : between(-2, 2), lifeS: between(1.4, 2.8),
    });
  }
}
