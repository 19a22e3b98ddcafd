/**
 * Likes by tapping the stage or pressing the heart, sent together a few times a second.
 */

/** Taps are gathered for this long. */
const SEND_EVERY_MS = 400;
/** Likes one frame carries at most; faster fingers than that are not counted. */
export const LIKES_PER_FRAME_MAX = 15;

export class Likes {
  #waiting = 0;
  #timer = 0;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.surface taps on it are likes
   * @param {HTMLElement} parts.button the same for keyboards
   * @param {HTMLElement} parts.origin where hearts rise from
   * @param {import("../effects/hearts.js").Hearts} parts.hearts
   * @param {import("../lib/socket.js").RoomSocket} parts.socket
   */
  constructor({ surface, button, origin, hearts, socket }) {
    this.hearts = hearts;
    this.socket = socket;
    surface.addEventListener("click", (event) => {
      const box = origin.getBoundingClientRect();
      this.#like({ x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 });
    });
    button.addEventListener("click", () => this.#like(null));
  }

  /** @param {{x: number, y: number}|null} from */
  #like(from) {
    this.hearts.tap(from);
    this.#waiting = Math.min(LIKES_PER_FRAME_MAX, this.#waiting + 1);
    if (this.#timer !== 0) return;
    this.#timer = window.setTimeout(() => {
      this.socket.like(this.#waiting);
      this.#waiting = 0;
      this.#timer = 0;
    }, SEND_EVERY_MS);
  }
}
