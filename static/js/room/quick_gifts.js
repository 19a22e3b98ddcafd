/**
 * A few gifts that are sent with one press, where the screen has room for them.
 */

import { element, icon } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { FAVOURITE_GIFT, TIERS, artUrl } from "../lib/gifts.js";

/** How many of each tier, cheapest tier first. */
const PER_TIER = [2, 1, 1, 1, 0];

export class QuickGifts {
  /**
   * @param {HTMLElement} host
   * @param {{catalogue: import("../lib/gifts.js").Catalogue, sender: import("./gift_sender.js").GiftSender}} parts
   */
  constructor(host, { catalogue, sender }) {
    const gifts = TIERS.flatMap((tier, i) => {
      const inTier = catalogue.inTier(tier).sort((a, b) => Number(b.id === FAVOURITE_GIFT) - Number(a.id === FAVOURITE_GIFT));
      return inTier.slice(0, PER_TIER[i]);
    });
    host.append(...gifts.map((gift) => element("button", {
      class: "quick-gift", testid: `quick-gift-${gift.id}`,
      attrs: { type: "button", "aria-label": `Send ${gift.name} for ${formatNumber(gift.coins)} coins`, title: gift.name },
      on: { click: () => sender.send(gift, 1) },
    },
    element("img", { attrs: { src: artUrl(gift.id), alt: "", width: 36, height: 36, draggable: "false" } }),
    element("span", { class: "quick-price number" }, icon("coin"), formatNumber(gift.coins)))));
  }
}
