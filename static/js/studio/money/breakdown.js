/**
 * What the last days brought by room, by gifter and by gift: three tables behind tabs, each as CSV too.
 */

import { element, setText, userText } from "../../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../../lib/format.js";
import { artUrl } from "../../lib/gifts.js";
import { explain } from "../../lib/problems.js";
import { markChosen, rovingFocus } from "../../lib/roving_focus.js";
import { saveBlob } from "../../lib/save_file.js";
import { showToast } from "../../lib/toasts.js";

/** @typedef {import("../../lib/api.js").ApiError} ApiError */
/** @typedef {{head: string[], rows: (HTMLElement|string)[][], value: number[]}} Table value: of each row, for its bar */

const ROWS = 20;
const percent = new Intl.NumberFormat(navigator.languages, { style: "percent", maximumFractionDigits: 0, signDisplay: "exceptZero" });

/** @type {Readonly<Record<string, {name: string, path: string, read: (answer: any) => Table}>>} */
const KINDS = {
  rooms: { name: "Rooms", path: "/creator/analytics/rooms", read: ({ rooms }) => roomTable(rooms) },
  gifters: { name: "Gifters", path: "/creator/analytics/gifters", read: ({ gifters }) => gifterTable(gifters) },
  gifts: { name: "Gifts", path: "/creator/analytics/gifts", read: ({ gifts }) => giftTable(gifts.slice(0, ROWS)) },
};

export class Breakdown {
  #kind = "rooms";

  /** @param {import("../../lib/api.js").Api} api @param {number} days */
  constructor(api, days) {
    this.api = api;
    this.days = days;
    this.tabs = Object.entries(KINDS).map(([kind, { name }]) => element("button", {
      class: "tab", text: name, testid: `by-${kind}`, attrs: { type: "button", role: "tab", "data-kind": kind, "aria-controls": "breakdown-panel", id: `tab-${kind}` },
      on: { click: () => this.#choose(kind) },
    }));
    const bar = element("div", { class: "tabs", attrs: { role: "tablist", "aria-label": "Earned by" } }, ...this.tabs);
    rovingFocus(bar, { selector: "[role=tab]", choose: (tab) => this.#choose(tab.dataset.kind ?? "rooms") });
    this.export = element("button", { class: "button button-quiet", text: "CSV", testid: "export-csv", attrs: { type: "button" }, on: { click: () => this.#save() } });
    this.table = element("table", { class: "breakdown-table", testid: "breakdown" });
    this.status = element("p", { class: "empty", attrs: { role: "status" } });
    this.panel = element("div", { class: "table-wide", attrs: { role: "tabpanel", id: "breakdown-panel", tabindex: 0 } }, this.table, this.status);
    this.node = element("section", { class: "card breakdown", attrs: { "aria-label": "Earned by room, gifter and gift" } },
      element("header", { class: "card-head" }, bar, this.export), this.panel);
    this.#mark();
  }

  /** @param {number} [days] */
  async load(days = this.days) {
    this.days = days;
    const kind = this.#kind;
    try {
      const answer = await this.api.get(KINDS[kind].path, { days, limit: kind === "gifts" ? undefined : ROWS });
      if (kind === this.#kind && days === this.days) this.#render(KINDS[kind].read(answer));
    } catch (problem) {
      const { code, message } = /** @type {ApiError} */ (problem);
      setText(this.status, explain(code, message));
    }
  }

  /** @param {string} kind */
  #choose(kind) {
    if (kind === this.#kind) return;
    this.#kind = kind;
    this.#mark();
    this.table.replaceChildren();
    this.load();
  }

  #mark() {
    const chosen = /** @type {HTMLElement} */ (this.tabs.find((tab) => tab.dataset.kind === this.#kind));
    markChosen(this.tabs, chosen, "aria-selected");
    this.panel.setAttribute("aria-labelledby", chosen.id);
    this.export.setAttribute("aria-label", `${KINDS[this.#kind].name} as CSV`);
  }

  /** @param {Table} table */
  #render({ head, rows, value }) {
    const most = Math.max(1, ...value);
    setText(this.status, rows.length === 0 ? "Nothing in this time." : "");
    this.table.hidden = rows.length === 0;
    this.table.replaceChildren(
      element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { text: name, attrs: { scope: "col" } })))),
      element("tbody", {}, ...rows.map(([first, ...cells], place) => {
        const row = element("tr", { testid: "breakdown-row" },
          element("th", { attrs: { scope: "row" } }, first), ...cells.map((each) => element("td", { class: "number" }, each)));
        row.style.setProperty("--share", `${(100 * value[place]) / most}%`);
        return row;
      })));
  }

  async #save() {
    const kind = this.#kind;
    try {
      saveBlob(`${kind}-${this.days}-days.csv`, await this.api.getFile(`${KINDS[kind].path}.csv`, { days: this.days }));
    } catch (problem) {
      showToast(/** @type {Error} */ (problem).message, { kind: "problem" });
    }
  }
}

/** @param {any[]} rooms @returns {Table} */
function roomTable(rooms) {
  return {
    head: ["Room", "Diamonds", "Against the ten before", "Gifters"],
    value: rooms.map(({ diamonds }) => diamonds),
    rows: rooms.map((room) => [
      element("span", { class: "cell-words" }, userText(room.title, "truncate"), element("span", { class: "muted fine", text: formatMoment(toMicroseconds(room.started_at)) })),
      formatNumber(room.diamonds), against(room.diamonds, room.earlier_diamonds), formatNumber(room.gifters),
    ]),
  };
}

/** @param {any[]} gifters @returns {Table} */
function gifterTable(gifters) {
  return {
    head: ["Gifter", "Diamonds", "Coins", "Gifts"],
    value: gifters.map(({ coins }) => coins),
    rows: gifters.map(({ user, diamonds, coins, gifts }) => [userText(user.name, "truncate"), formatNumber(diamonds), formatNumber(coins), formatNumber(gifts)]),
  };
}

/** @param {any[]} gifts @returns {Table} */
function giftTable(gifts) {
  return {
    head: ["Gift", "Diamonds", "Coins", "Gifts"],
    value: gifts.map(({ diamonds }) => diamonds),
    rows: gifts.map(({ gift, name, diamonds, coins, gifts: pieces }) => [
      element("span", { class: "cell-gift" }, art(gift), name),
      formatNumber(diamonds), formatNumber(coins), formatNumber(pieces),
    ]),
  };
}

/** @param {number} now @param {number|null} earlier */
function against(now, earlier) {
  if (earlier === null) return "first room";
  return earlier === 0 ? "none before" : percent.format(now / earlier - 1);
}

/** What has no picture of its own shows the common one. @param {string} gift */
function art(gift) {
  return element("img", {
    attrs: { src: artUrl(gift), alt: "", width: 28, height: 28, loading: "lazy" },
    on: { error: (event) => { /** @type {HTMLImageElement} */ (event.currentTarget).src = artUrl("unknown"); } },
  });
}
