/**
 * Small pictures the particles are drawn from, rendered once each and kept up to a limit.
 */

import { artUrl } from "../lib/gifts.js";

/** Sprites kept; the one unused for longest goes first. */
export const SPRITES_MAX = 48;
const SIZE_PX = 64;

/** @typedef {"glow"|"confetti"|"star"|"art"} SpriteShape */

/** @type {Map<string, HTMLCanvasElement>} least recently used first */
const sprites = new Map();

/**
 * @param {SpriteShape} shape
 * @param {string} source a colour, or a gift id for "art"
 * @returns {HTMLCanvasElement} square; empty until a gift's picture has loaded
 */
export function sprite(shape, source) {
  const key = `${shape} ${source}`;
  let canvas = sprites.get(key);
  if (canvas) sprites.delete(key);
  else canvas = shape === "art" ? artSprite(source) : PAINTERS[shape](source);
  sprites.set(key, canvas);
  if (sprites.size > SPRITES_MAX) sprites.delete(/** @type {string} */ (sprites.keys().next().value));
  return canvas;
}

/** @returns {[HTMLCanvasElement, CanvasRenderingContext2D]} */
function blank() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE_PX;
  return [canvas, /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"))];
}

/** @type {Record<Exclude<SpriteShape, "art">, (color: string) => HTMLCanvasElement>} */
const PAINTERS = {
  glow(color) {
    const [canvas, context] = blank();
    const centre = SIZE_PX / 2;
    const gradient = context.createRadialGradient(centre, centre, 0, centre, centre, centre);
    gradient.addColorStop(0, "#fff");
    gradient.addColorStop(0.18, color);
    gradient.addColorStop(1, `${color}00`);
    context.fillStyle = gradient;
    context.fillRect(0, 0, SIZE_PX, SIZE_PX);
    return canvas;
  },
  confetti(color) {
    const [canvas, context] = blank();
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(SIZE_PX * 0.3, SIZE_PX * 0.1, SIZE_PX * 0.4, SIZE_PX * 0.8, SIZE_PX * 0.08);
    context.fill();
    return canvas;
  },
  star(color) {
    const [canvas, context] = blank();
    context.translate(SIZE_PX / 2, SIZE_PX / 2);
    context.fillStyle = color;
    context.beginPath();
    for (let tip = 0; tip < 4; tip += 1) {
      const angle = (tip * Math.PI) / 2;
      context.lineTo(Math.cos(angle) * SIZE_PX * 0.48, Math.sin(angle) * SIZE_PX * 0.48);
      context.lineTo(Math.cos(angle + Math.PI / 4) * SIZE_PX * 0.12, Math.sin(angle + Math.PI / 4) * SIZE_PX * 0.12);
    }
    context.fill();
    return canvas;
  },
};

/** @param {string} giftId @returns {HTMLCanvasElement} */
function artSprite(giftId) {
  const [canvas, context] = blank();
  const image = new Image(SIZE_PX, SIZE_PX);
  image.onload = () => context.drawImage(image, 0, 0, SIZE_PX, SIZE_PX);
  image.src = artUrl(giftId);
  return canvas;
}
