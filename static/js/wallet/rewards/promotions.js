/**
 * What one's next purchase may have on top or off its price.
 */

import { element, icon } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { untilText } from "./until.js";
import { Section } from "./section.js";

/**
 * @typedef {{id: string, name: string, kind: "bonus"|"discount", percent: number|null, coins: number|null, ends_at: string,
 *   platforms: string[]|null, first_purchase_only: boolean}} Offered
 */

export class PromotionCards extends Section {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super({ title: "For your next purchase", testid: "promotions" });
    this.api = api;
    this.node.hidden = true;
  }

  async load() {
    /** @type {{promotions: Offered[]}} */
    const { promotions } = await this.api.get("/promotions");
    this.node.hidden = promotions.length === 0;
    this.body.replaceChildren(element("ul", { class: "promotions" }, ...promotions.map(promotionCard)));
  }
}

/** @param {Offered} offered */
function promotionCard({ id, name, kind, percent, coins, ends_at, first_purchase_only }) {
  const worth = kind === "discount" ? `−${percent} %` : `+${percent === null ? formatNumber(coins ?? 0) : `${percent} %`}`;
  return element("li", { class: "promotion", testid: "promotion", attrs: { "data-id": id } },
    element("strong", { class: "promotion-worth number", text: worth }),
    element("span", { class: "promotion-words" },
      element("bdi", { text: name }),
      element("span", { class: "reward-small" }, icon("clock"), untilText(ends_at),
        first_purchase_only ? " · once, with your first purchase" : "")),
    element("a", { class: "button", text: "Get coins", attrs: { href: "#coins" } }));
}
