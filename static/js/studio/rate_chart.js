/**
 * Diamonds per minute as bars in SVG, with the same figures as a table for those who cannot see it.
 */

import { element, setText } from "../lib/element.js";
import { formatCompact, formatNumber } from "../lib/format.js";
import { axisTop, MINUTES_KEPT } from "./rate_series.js";

/** @typedef {import("./rate_series.js").MinuteBar} MinuteBar */

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { top: 10, right: 4, bottom: 22, left: 44 };
const GRID_LINES = 4;
const LABEL_EVERY_MIN = 15;
const BAR_FILL = 0.72;
const BAR_HEIGHT_MIN_PX = 2;
const MS_PER_MINUTE = 60_000;
const clock = new Intl.DateTimeFormat(navigator.languages, { hour: "2-digit", minute: "2-digit" });

/** @param {number} minute since the epoch @returns {string} */
export function formatMinute(minute) {
  return clock.format(minute * MS_PER_MINUTE);
}

export class RateChart {
  /** @type {MinuteBar[]} */
  #bars = [];
  /** @type {number|null} index under the pointer */
  #pointed = null;
  #drawn = "";

  /** @param {HTMLElement} container @param {HTMLElement} readout @param {HTMLDetailsElement} table filled while it is open */
  constructor(container, readout, table) {
    this.container = container;
    this.readout = readout;
    this.table = table;
    this.rows = /** @type {HTMLElement} */ (table.querySelector("tbody"));
    table.addEventListener("toggle", () => table.open && this.#tabulate());
    this.svg = svg("svg", { role: "img", class: "chart-svg" });
    this.grid = svg("g", { class: "chart-grid" });
    this.plot = svg("g", { class: "chart-bars" });
    this.svg.append(this.grid, this.plot);
    container.replaceChildren(this.svg);
    new ResizeObserver(() => this.#draw()).observe(container);
    container.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    container.addEventListener("pointerleave", () => this.#point(null));
  }

  /** @param {MinuteBar[]} bars oldest first */
  render(bars) {
    const key = JSON.stringify(bars);
    if (key === this.#drawn) return;
    this.#drawn = key;
    this.#bars = bars;
    this.#draw();
    if (this.table.open) this.#tabulate();
    this.#readOut();
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.container;
    if (width === 0 || this.#bars.length === 0) return;
    const top = axisTop(Math.max(...this.#bars.map((bar) => bar.diamonds)));
    const plotWidth = width - MARGIN.left - MARGIN.right;
    const plotHeight = height - MARGIN.top - MARGIN.bottom;
    const step = plotWidth / MINUTES_KEPT;
    set(this.svg, { width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": this.#summary() });
    this.grid.replaceChildren(...gridLines(top, width, plotHeight), ...this.#timeLabels(step, height));
    const bars = this.#bars.map((bar, index) => {
      const barHeight = bar.diamonds > 0 ? Math.max(BAR_HEIGHT_MIN_PX, (bar.diamonds / top) * plotHeight) : 0;
      const unseen = !bar.seen && bar.diamonds === 0;
      const drawnHeight = unseen ? BAR_HEIGHT_MIN_PX : barHeight;
      return svg("rect", {
        class: unseen ? "bar bar-unseen" : index === MINUTES_KEPT - 1 ? "bar bar-now" : "bar",
        x: MARGIN.left + index * step + (step * (1 - BAR_FILL)) / 2,
        y: MARGIN.top + plotHeight - drawnHeight,
        width: step * BAR_FILL,
        height: drawnHeight,
        rx: Math.min(3, step * BAR_FILL / 2),
        "data-pointed": index === this.#pointed ? "" : null,
      });
    });
    this.plot.replaceChildren(...bars);
  }

  /** @param {number} step px per minute @param {number} height */
  #timeLabels(step, height) {
    const labels = [];
    for (let index = MINUTES_KEPT - 1; index >= 0; index -= LABEL_EVERY_MIN) {
      const last = index === MINUTES_KEPT - 1;
      labels.push(text(last ? "now" : formatMinute(this.#bars[index].minute), {
        x: MARGIN.left + (index + (last ? 1 : 0.5)) * step, y: height - 5, "text-anchor": last ? "end" : "middle",
      }));
    }
    return labels;
  }

  #tabulate() {
    const rows = this.#bars.filter((bar) => bar.seen || bar.diamonds > 0).reverse();
    this.rows.replaceChildren(...rows.map((bar) => element("tr", {},
      element("th", { text: formatMinute(bar.minute), attrs: { scope: "row" } }),
      element("td", { class: "number", text: formatNumber(bar.diamonds) }),
    )));
  }

  /** @returns {string} */
  #summary() {
    const sum = this.#bars.reduce((total, bar) => total + bar.diamonds, 0);
    const best = this.#bars.reduce((a, b) => (b.diamonds > a.diamonds ? b : a));
    if (sum === 0) return "Diamonds per minute over the last hour: none seen yet.";
    return `Diamonds per minute over the last hour: ${formatNumber(sum)} in all, `
      + `at most ${formatNumber(best.diamonds)}, at ${formatMinute(best.minute)}.`;
  }

  /** @param {number|null} x px within the container */
  #point(x) {
    const step = (this.container.clientWidth - MARGIN.left - MARGIN.right) / MINUTES_KEPT;
    const index = x === null ? -1 : Math.floor((x - MARGIN.left) / step);
    const pointed = index >= 0 && index < MINUTES_KEPT ? index : null;
    if (pointed === this.#pointed) return;
    this.#pointed = pointed;
    this.plot.querySelector("[data-pointed]")?.removeAttribute("data-pointed");
    if (pointed !== null) this.plot.children[pointed]?.setAttribute("data-pointed", "");
    this.#readOut();
  }

  #readOut() {
    const bar = this.#pointed === null ? null : this.#bars[this.#pointed];
    const sum = this.#bars.reduce((total, each) => total + each.diamonds, 0);
    if (!bar) setText(this.readout, `${formatNumber(sum)} in the last hour`);
    else if (!bar.seen && bar.diamonds === 0) setText(this.readout, `${formatMinute(bar.minute)} · not watched`);
    else setText(this.readout, `${formatMinute(bar.minute)} · ${formatNumber(bar.diamonds)}`);
  }
}

/** @param {number} top @param {number} width @param {number} plotHeight @returns {SVGElement[]} */
function gridLines(top, width, plotHeight) {
  return Array.from({ length: GRID_LINES + 1 }, (_, index) => {
    const y = MARGIN.top + plotHeight - (plotHeight * index) / GRID_LINES;
    const line = svg("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y, y2: y });
    const label = text(formatCompact((top * index) / GRID_LINES), { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" });
    return [line, label];
  }).flat();
}

/** @param {string} content @param {Record<string, string|number>} attributes */
function text(content, attributes) {
  const node = svg("text", attributes);
  node.textContent = content;
  return node;
}

/** @param {string} tag @param {Record<string, string|number|null>} attributes @returns {SVGElement} */
function svg(tag, attributes) {
  const node = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  set(node, attributes);
  return node;
}

/** @param {SVGElement} node @param {Record<string, string|number|null>} attributes null ones are left out */
function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, String(value));
}
