/**
 * What was bought for the room's screen, from first to last: which of it is not over yet, by the server's time, goes to
 * the pinned comments, the effects and the stickers; the next end is waited for with one timer.
 */

/** @typedef {import("../lib/items.js").ShownItem} ShownItem */

/** A timer of a browser holds no longer than this; a later end is looked at again. */
const TIMER_MS_MAX = 3_600_000;

/** What is not over at a moment. @param {ShownItem[]} items @param {number} nowUs @returns {ShownItem[]} */
export function running(items, nowUs) {
  return items.filter(({ until }) => until > nowUs);
}

export class ShownScreen {
  /** @type {ShownItem[]} */
  #items = [];
  #timer = 0;

  /**
   * @param {object} parts
   * @param {import("../lib/server_clock.js").ServerClock} parts.clock
   * @param {import("./pinned_comments.js").PinnedComments} parts.pins
   * @param {import("./room_effects.js").RoomEffects} parts.effects
   * @param {import("./sticker_board.js").StickerBoard} parts.stickers
   */
  constructor({ clock, pins, effects, stickers }) {
    this.clock = clock;
    this.pins = pins;
    this.effects = effects;
    this.stickers = stickers;
  }

  /** @param {ShownItem[]} items everything that a frame says is shown */
  show(items) {
    if (items === this.#items) return;
    this.#items = items;
    this.#render();
  }

  #render() {
    clearTimeout(this.#timer);
    const nowUs = this.clock.nowUs();
    this.#items = running(this.#items, nowUs);
    const of = (/** @type {string} */ kind) => this.#items.filter((item) => item.kind === kind);
    this.pins.render(of("highlight"), nowUs);
    this.effects.render(of("effect"));
    this.stickers.render(of("sticker"));
    if (this.#items.length === 0) return;
    const nextUs = Math.min(...this.#items.map(({ until }) => until));
    this.#timer = window.setTimeout(() => this.#render(), Math.min(TIMER_MS_MAX, (nextUs - nowUs) / 1000 + 50));
  }
}
