/**
 * The light behind a big gift, painted once when it starts: a halo, and rays if the gift's kind has them. As one
 * finished picture it turns and grows without being painted again.
 */

const SIZE_PX = 280;
const RAYS = 14;
const RAY_PART = 0.4;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {string} halo "#rrggbb"
 * @param {string|null} rays "#rrggbb", null for none
 */
export function paintGlow(canvas, halo, rays) {
  canvas.width = canvas.height = SIZE_PX;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const middle = SIZE_PX / 2;
  if (rays !== null) paintRays(context, middle, rays);
  const light = context.createRadialGradient(middle, middle, 0, middle, middle, middle);
  light.addColorStop(0, `${halo}d0`);
  light.addColorStop(0.45, `${halo}60`);
  light.addColorStop(1, `${halo}00`);
  context.fillStyle = light;
  context.fillRect(0, 0, SIZE_PX, SIZE_PX);
}

/** @param {CanvasRenderingContext2D} context @param {number} middle @param {string} color */
function paintRays(context, middle, color) {
  const fade = context.createRadialGradient(middle, middle, middle * 0.1, middle, middle, middle);
  fade.addColorStop(0, `${color}b0`);
  fade.addColorStop(1, `${color}00`);
  context.fillStyle = fade;
  context.beginPath();
  for (let ray = 0; ray < RAYS; ray += 1) {
    const angle = (ray / RAYS) * Math.PI * 2;
    context.moveTo(middle, middle);
    context.arc(middle, middle, middle, angle, angle + (RAY_PART / RAYS) * Math.PI * 2);
  }
  context.fill();
}
