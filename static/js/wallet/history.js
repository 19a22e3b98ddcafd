/**
 * The tab "History": every movement of coins, what was spent on whom, and a search for what seems to be missing.
 */

import { ApiError } from "../lib/api.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { Catalogue } from "../lib/gifts.js";
import { explain } from "../lib/problems.js";
import { saveBlob } from "../lib/save_file.js";
import { DayRange } from "./day_range.js";
import { movementRow } from "./movement_row.js";
import { traceCard } from "./trace_card.js";

export const id = "history";
export const title = "History";

/** Rows kept on screen; older ones are a matter for the export. */
const ROWS_MAX = 500;
const SPENDING_DAYS = 30;
const SPENDING_SHOWN = 5;

/** What each filter asks for. */
const FILTERS = /** @type {const} */ ([
  ["All", null],
  ["Spent", "gift"],
  ["Bought", "purchase"],
  ["Given", "promotion,return,correction"],
  ["Taken back", "refund,forfeit"],
]);

/** @param {HTMLElement} root @param {import("./tabs.js").TabContext} context */
export function show(root, { api, path }) {
  const list = new MovementList(api);
  root.append(lookUp(api, path), list.root, spendingCard(api));
  list.load();
}

class MovementList {
  /** @type {string|null} */
  #cursor = null;
  /** @type {string|null} */
  #kind = null;
  /** Answers to a filter that was left come too late. */
  #turn = 0;

  /** @param {import("../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.catalogue = new Catalogue([]);
    this.list = element("ol", { class: "movements", testid: "movements" });
    this.status = element("p", { class: "muted", attrs: { role: "status" } });
    this.more = element("button", { class: "button", text: "Show older", attrs: { type: "button" }, on: { click: () => this.#next() } });
    this.filters = element("div", { class: "filters", attrs: { role: "group", "aria-label": "Show" } },
      ...FILTERS.map(([text, kind]) => element("button", {
        class: "filter", text, attrs: { type: "button", "aria-pressed": String(kind === null) }, on: { click: () => this.#filter(text, kind) },
      })));
    this.days = new DayRange(() => this.#again());
    const download = element("button", { class: "button button-quiet", text: "Download as table", testid: "download-movements", attrs: { type: "button" }, on: { click: () => this.#download() } });
    this.root = element("section", { class: "panel-card", attrs: { "aria-labelledby": "movements-title" } },
      element("header", { class: "panel-head" }, element("h2", { text: "Movements", attrs: { id: "movements-title" } }), download),
      this.filters, this.days.root, this.list, this.status, this.more);
  }

  async load() {
    this.more.hidden = true;
    this.catalogue = (await Catalogue.load(this.api).catch(() => null)) ?? this.catalogue;
    await this.#next();
  }

  /** @param {string} text @param {string|null} kind */
  #filter(text, kind) {
    for (const button of this.filters.children) button.setAttribute("aria-pressed", String(button.textContent === text));
    this.#kind = kind;
    this.#again();
  }

  #again() {
    this.#cursor = null;
    this.list.replaceChildren();
    this.#next();
  }

  /** What the list and its table ask for. */
  get #query() {
    return { kind: this.#kind, ...this.days.query };
  }

  async #next() {
    const turn = ++this.#turn;
    this.more.hidden = true;
    setText(this.status, "Loading…");
    try {
      const { movements, next } = await this.api.get("/wallet/movements", { ...this.#query, cursor: this.#cursor });
      if (turn !== this.#turn) return;
      this.list.append(...movements.map((/** @type {import("./movement_row.js").Movement} */ movement) =>
        movementRow(movement, this.api, (giftId) => this.catalogue.get(giftId).name)));
      this.#cursor = next;
      this.more.hidden = next === null || this.list.children.length >= ROWS_MAX;
      setText(this.status, this.list.children.length === 0 ? this.days.isSet ? "Nothing in these days." : "Nothing here yet." : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.#turn) return;
      setText(this.status, explain(error.code, error.message));
      this.more.hidden = false;
    }
  }

  async #download() {
    try {
      saveBlob("giftstream-movements.csv", await this.api.getFile("/wallet/movements.csv", this.#query));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, explain(error.code, error.message));
    }
  }
}

/** @param {import("../lib/api.js").Api} api @param {string} reference */
function lookUp(api, reference) {
  const input = element("input", { class: "input", testid: "trace-input", attrs: { id: "trace-input", type: "search", maxlength: 255, autocomplete: "off", value: reference } });
  const found = element("div", { attrs: { "aria-live": "polite" } });
  const ask = async () => {
    if (!input.value.trim()) return;
    try {
      found.replaceChildren(traceCard(await api.get(`/wallet/trace/${encodeURIComponent(input.value.trim())}`)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const text = error.code === "not_found" ? "Nothing of yours has this reference, so nothing was charged under it." : explain(error.code, error.message);
      found.replaceChildren(element("p", { class: "notice" }, icon("alert"), element("span", { text })));
    }
  };
  const form = element("form", { class: "look-up" },
    element("label", { text: "Reference of a gift, a purchase or a payment", attrs: { for: "trace-input" } }),
    element("div", { class: "look-up-row" }, input, element("button", { class: "button button-primary", text: "Find", attrs: { type: "submit" } })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  if (reference) ask();
  return element("section", { class: "panel-card", attrs: { "aria-labelledby": "look-up-title" } },
    element("h2", { text: "Is something missing?", attrs: { id: "look-up-title" } }),
    element("p", { class: "muted", text: "Open a movement below to see where it is, or look up its reference." }), form, found);
}

/** @param {import("../lib/api.js").Api} api */
function spendingCard(api) {
  const card = element("section", { class: "panel-card", attrs: { "aria-labelledby": "spending-title", hidden: true } });
  api.get("/wallet/spending", { days: SPENDING_DAYS, limit: SPENDING_SHOWN }).then(({ coins, spent }) => {
    if (spent.length === 0) return;
    const most = Math.max(...spent.map((/** @type {{coins: number}} */ one) => one.coins));
    card.append(
      element("h2", { text: `Spent in ${SPENDING_DAYS} days`, attrs: { id: "spending-title" } }),
      element("p", { class: "spending-total" }, icon("coin"), element("strong", { class: "number", text: formatNumber(coins) })),
      element("ul", { class: "spending", testid: "spending" }, ...spent.map((/** @type {{creator: {name: string}, purpose: string, coins: number}} */ one) =>
        element("li", {},
          element("span", { class: "spending-name" }, userText(one.creator.name || "giftstream", "truncate"), element("span", { class: "muted", text: one.purpose })),
          element("span", { class: "number", text: formatNumber(one.coins) }),
          element("meter", { attrs: { min: 0, max: most, value: one.coins, "aria-hidden": "true" } })))));
    card.hidden = false;
  }).catch(() => {});
  return card;
}
