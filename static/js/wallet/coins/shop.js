/**
 * What coins cost: the packages, a custom amount, and the purchases so far.
 */

import { ApiError } from "../../lib/api.js";
import { element, icon, setText } from "../../lib/element.js";
import { explain } from "../../lib/problems.js";
import { showToast } from "../../lib/toasts.js";
import { ConfirmSheet } from "./confirm_sheet.js";
import { CustomAmount } from "./custom_amount.js";
import { packageCard } from "./package_card.js";
import { PurchasesList } from "./purchases_list.js";

/** @typedef {import("./package_card.js").Offer} Offer */
/** @typedef {import("./package_card.js").Choice} Choice */

export class Shop {
  #stopped = false;
  /** Where the buyer said to live, before the account is bound to it. @type {string|null} */
  #region = null;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.root
   * @param {import("../../lib/api.js").Api} parts.api
   */
  constructor({ root, api }) {
    this.api = api;
    this.offers = element("div", { class: "packages", testid: "packages", attrs: { "aria-busy": "true" } });
    this.custom = element("div", {});
    this.status = element("p", { class: "muted", text: "Loading…", attrs: { role: "status" } });
    this.purchases = new PurchasesList(api);
    root.append(this.offers, this.status, this.custom, this.purchases.node);
  }

  start() {
    this.#load();
    this.purchases.load();
  }

  stop() {
    this.#stopped = true;
  }

  async #load() {
    try {
      const terms = await this.api.get("/packages", { platform: "web", region: this.#region });
      if (this.#stopped) return;
      this.#render(terms);
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setText(this.status, explain(problem.code, problem.message));
    } finally {
      this.offers.setAttribute("aria-busy", "false");
    }
  }

  /** @param {{packages: Offer[]} & import("./confirm_sheet.js").Terms} terms */
  #render(terms) {
    const choose = (/** @type {Choice} */ choice) => new ConfirmSheet({
      api: this.api, choice, terms,
      changed: (problem, region) => {
        this.#region = region;
        showToast(problem.message, { kind: "problem" });
        this.#load();
      },
    }).open();
    const fixed = terms.packages.filter((offer) => offer.coins_min === undefined);
    const free = terms.packages.find((offer) => offer.coins_min !== undefined);
    this.offers.replaceChildren(...fixed.map((offer) => packageCard(offer, choose)));
    this.custom.replaceChildren(...(free ? [new CustomAmount({ api: this.api, offer: free, region: this.#region, choose }).node] : []));
    if (terms.packages.length > 0) setText(this.status, "");
    else this.status.replaceChildren(icon("alert"), " Buying coins is not switched on on this server. You can go on sending the coins you have.");
  }
}
