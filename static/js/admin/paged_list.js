/**
 * A list that comes in pages, as the server keeps it: the first page at once, more when asked for.
 */

import { ApiError } from "../lib/api.js";
import { element, setText } from "../lib/element.js";
import { deed } from "./doing.js";

/** Rows kept on screen. */
const ROWS_MAX = 500;

export class PagedList {
  /** @type {string|null} */
  #cursor = null;
  /** Answers to a question that was put anew come too late. */
  #turn = 0;

  /**
   * @param {object} parts
   * @param {import("../lib/api.js").Api} parts.api
   * @param {string} parts.path
   * @param {string} parts.field of the answer, which has the rows
   * @param {(one: any) => HTMLElement} parts.row
   * @param {string} parts.empty what it says when there is nothing
   * @param {Record<string, string|null>} [parts.query]
   */
  constructor({ api, path, field, row, empty, query = {} }) {
    this.api = api;
    this.path = path;
    this.field = field;
    this.row = row;
    this.empty = empty;
    this.query = query;
    this.list = element("ul", { class: "cases" });
    this.status = element("p", { class: "muted", attrs: { role: "status" } });
    this.more = deed("Show more", () => this.#next());
    this.root = element("div", { class: "paged", attrs: { tabindex: -1 } }, this.list, this.status, this.more);
  }

  /** From the first page on. */
  load() {
    this.#cursor = null;
    return this.#next();
  }

  async #next() {
    const turn = ++this.#turn;
    const first = this.#cursor === null;
    this.more.hidden = true;
    if (first && this.list.children.length === 0) setText(this.status, "Loading…");
    try {
      const answer = await this.api.get(this.path, { ...this.query, cursor: this.#cursor });
      if (turn !== this.#turn) return;
      const rows = answer[this.field].map(this.row);
      if (first) this.list.replaceChildren(...rows);
      else this.list.append(...rows);
      this.#cursor = answer.next ?? null;
      this.more.hidden = this.#cursor === null || this.list.children.length >= ROWS_MAX;
      setText(this.status, this.list.children.length === 0 ? this.empty : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (turn !== this.#turn) return;
      setText(this.status, error.message);
      this.more.hidden = false;
    }
  }
}
