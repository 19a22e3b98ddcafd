/**
 * Draws a LiveRoom into the panels, at a pace that does not depend on the number of gifts.
 */

import { setText } from "../lib/element.js";
import { formatCompact, formatDuration, formatNumber } from "../lib/format.js";
import { Paced } from "../lib/paced.js";
import { RollingNumber } from "../lib/rolling_number.js";
import { byId } from "./page.js";
import { RateChart } from "./rate_chart.js";
import { ThankPanel } from "./thank_panel.js";
import { TopPanel } from "./top_panel.js";

/** @typedef {import("./live_room.js").LiveRoom} LiveRoom */

const TOTALS_PAUSE_MS = 100;
const LISTS_PAUSE_MS = 300;

export class LiveView {
  /** @type {LiveRoom|null} */
  #room = null;
  #totals = new Paced(() => this.#drawTotals(), TOTALS_PAUSE_MS);
  #lists = new Paced(() => this.#drawLists(), LISTS_PAUSE_MS);

  /** @param {(giftId: string) => string} giftName */
  constructor(giftName) {
    /** When the room began, in ms since the epoch; null while it is not known. @type {number|null} */
    this.startedAtMs = null;
    this.diamonds = new RollingNumber({ testid: "studio-diamonds" });
    byId("diamonds").append(this.diamonds.node);
    this.chart = new RateChart(byId("chart"), byId("readout"), /** @type {HTMLDetailsElement} */ (byId("chart-table")));
    this.thanks = new ThankPanel(giftName);
    this.top = new TopPanel(byId("top"), byId("top-empty"));
  }

  /** @param {LiveRoom|null} room null draws nothing more */
  attach(room) {
    this.#room = room;
    this.startedAtMs = null;
    this.#totals.now();
    this.#lists.now();
    this.tick();
  }

  /** Something of the room changed. */
  changed() {
    this.#totals.request();
    this.#lists.request();
  }

  /** The creator did something: shown at once. */
  acted() {
    this.#lists.now();
  }

  /** A second has passed. */
  tick() {
    this.#lists.request();
    const room = this.#room;
    if (!room) return;
    this.chart.render(room.minutes());
    if (room.state.ended) return;
    const onAir = this.startedAtMs === null ? "" : formatDuration(room.clock.nowUs() / 1000 - this.startedAtMs);
    setText(byId("on-air"), onAir);
  }

  #drawTotals() {
    if (!this.#room) return;
    const { state } = this.#room;
    this.diamonds.set(state.diamonds);
    setText(byId("room-name"), state.title);
    setText(byId("viewers"), formatNumber(state.viewers));
    setText(byId("gifts"), formatNumber(state.gifts_total));
  }

  #drawLists() {
    const room = this.#room;
    if (!room) return;
    this.thanks.render(room.queue);
    this.top.render(room.state.top);
    const minutes = room.minutes();
    setText(byId("this-minute"), formatCompact(minutes.at(-1)?.diamonds ?? 0));
    setText(byId("best-minute"), formatCompact(Math.max(...minutes.map((bar) => bar.diamonds))));
  }
}
