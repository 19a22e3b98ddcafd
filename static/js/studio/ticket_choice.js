/**
 * What a new room asks of its viewers: nothing, or a ticket at one of the catalogue's prices, now or at a time to come.
 */

import { element } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { Items } from "../lib/items.js";
import { byId } from "./page.js";

export class TicketChoice {
  /** @param {import("../lib/api.js").Api} api */
  constructor(api) {
    this.select = /** @type {HTMLSelectElement} */ (byId("room-ticket"));
    this.starts = /** @type {HTMLInputElement} */ (byId("room-starts"));
    this.select.addEventListener("change", () => this.#render());
    this.#load(api);
  }

  /** @returns {{ticket?: string, starts_at?: string}} for the call that opens the room */
  chosen() {
    const ticket = this.select.value;
    if (ticket === "") return {};
    return this.starts.value === "" ? { ticket } : { ticket, starts_at: new Date(this.starts.value).toISOString() };
  }

  reset() {
    this.select.value = "";
    this.starts.value = "";
    this.#render();
  }

  /** Without an answer there is only the room for everybody. @param {import("../lib/api.js").Api} api */
  async #load(api) {
    const items = await Items.load(api).catch(() => null);
    for (const { id, coins } of items?.ofKind("ticket") ?? []) {
      this.select.append(element("option", { text: `With a ticket for ${formatNumber(coins)} coins`, attrs: { value: id } }));
    }
  }

  #render() {
    const exclusive = this.select.value !== "";
    byId("starts-field").hidden = !exclusive;
    byId("ticket-hint").hidden = !exclusive;
  }
}
