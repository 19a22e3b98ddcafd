/**
 * A titled part of the tab that loads itself, and says so when it cannot.
 */

import { ApiError } from "../../lib/api.js";
import { element, setText } from "../../lib/element.js";
import { explain } from "../../lib/problems.js";

let nextId = 0;

export class Section {
  /** @param {{title: string, lead?: string, testid: string}} options */
  constructor({ title, lead, testid }) {
    nextId += 1;
    const titleId = `reward-section-${nextId}`;
    this.body = element("div", { class: "reward-body" });
    this.status = element("p", { class: "reward-status", attrs: { role: "status" } });
    this.node = element("section", { class: "panel-card reward-section", testid, attrs: { "aria-labelledby": titleId } },
      element("header", { class: "reward-head" },
        element("h2", { text: title, attrs: { id: titleId } }), lead ? element("p", { class: "muted", text: lead }) : null),
      this.body, this.status);
  }

  /** Loads and shows anew. */
  async refresh() {
    await this.attempt(async () => {
      await this.load();
      setText(this.status, "");
    });
  }

  /** @returns {Promise<void>} */
  async load() {}

  /** Does something with the server, and shows its refusal. @param {() => Promise<void>} work */
  async attempt(work) {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, error.code === "unavailable" ? explain(error.code, error.message) : error.message);
    }
  }
}
