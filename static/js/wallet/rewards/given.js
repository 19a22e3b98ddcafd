/**
 * Coins that were given to one, and how much of all one ever got was bought and given.
 */

import { element, icon } from "../../lib/element.js";
import { formatNumber, formatRelativeTime, toMicroseconds } from "../../lib/format.js";
import { Section } from "./section.js";

/** Rows kept on screen. */
const ROWS_MAX = 300;

/** @typedef {{id: string, source: string, coins: number, message: string, at: string}} Reward */

export class Given extends Section {
  /** @type {string|null} */
  #next = null;

  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super({ title: "What you were given", testid: "rewards-given" });
    this.api = api;
    this.issued = element("dl", { class: "issued", testid: "issued" });
    this.list = element("ul", { class: "given" });
    this.more = element("button", { class: "button", text: "Show older rewards", attrs: { type: "button" }, on: { click: () => this.attempt(() => this.#older()) } });
    this.more.hidden = true;
    this.body.append(this.issued, this.list, this.more);
  }

  async load() {
    const { rewards, issued, next } = await this.api.get("/rewards");
    this.issued.replaceChildren(...fact("Coins you bought", issued.purchased), ...fact("Coins you were given", issued.promotional));
    this.list.replaceChildren(...rewards.map(rewardRow));
    this.#goOn(next);
  }

  async #older() {
    const { rewards, next } = await this.api.get("/rewards", { cursor: this.#next });
    this.list.append(...rewards.map(rewardRow));
    this.#goOn(next);
  }

  /** @param {string|null} next */
  #goOn(next) {
    this.#next = next;
    this.more.hidden = next === null || this.list.children.length >= ROWS_MAX;
  }
}

/** @param {string} name @param {number} coins */
function fact(name, coins) {
  return [element("div", {}, element("dt", { text: name }), element("dd", { class: "number" }, icon("coin"), formatNumber(coins)))];
}

/** @param {Reward} reward */
function rewardRow({ id, source, coins, message, at }) {
  return element("li", { class: "given-row", testid: "reward", attrs: { "data-id": id, "data-source": source } },
    element("span", { class: "notice-words" }, element("bdi", { text: message }), element("span", { class: "notice-time", text: formatRelativeTime(toMicroseconds(at)) })),
    element("strong", { class: "given-coins number" }, icon("coin"), `+${formatNumber(coins)}`));
}
