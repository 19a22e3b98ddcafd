/**
 * One package: how many coins, what they cost, what 1,000 of them would cost at that price, and what promotions do to it.
 */

import { element, icon } from "../../lib/element.js";
import { formatMoney, formatNumber } from "../../lib/format.js";

/**
 * @typedef {import("./purchase_words.js").Money} Money
 * @typedef {{promotions: string[], bonus_coins: number, price: Money, per_1000_coins: Money}} Deal
 * @typedef {{id: string, version: number, coins: number, price: Money, per_1000_coins: Money, best_value: boolean,
 *   deal: Deal|null, coins_min?: number, coins_max?: number}} Offer
 * @typedef {{offer: Offer, version: number, coins: number, bonus: number, price: Money, full: Money, promotions: string[]}} Choice
 *   what somebody wants to buy: version of its price, coins on top, what is left to pay, and what it is without promotions
 */

/**
 * @param {Offer} offer
 * @param {(choice: Choice) => void} choose
 * @returns {HTMLElement}
 */
export function packageCard(offer, choose) {
  const { deal } = offer;
  const price = deal?.price ?? offer.price;
  const bonus = deal?.bonus_coins ?? 0;
  return element("button", {
    class: "package", testid: `package-${offer.id}`,
    attrs: { type: "button", "aria-haspopup": "dialog" },
    on: { click: () => choose({ offer, version: offer.version, coins: offer.coins, bonus, price, full: offer.price, promotions: deal?.promotions ?? [] }) },
  },
  element("span", { class: "package-coins number" }, icon("coin"), formatNumber(offer.coins), element("span", { class: "visually-hidden", text: " coins for " })),
  bonus > 0 && element("span", { class: "package-bonus number", text: `+ ${formatNumber(bonus)} on top` }),
  element("span", { class: "package-price number" },
    price.amount < offer.price.amount && element("s", {}, element("span", { class: "visually-hidden", text: "instead of " }), formatMoney(offer.price)), " ", formatMoney(price)),
  element("span", { class: "package-unit number", text: `${formatMoney((deal ?? offer).per_1000_coins)} per 1,000` }),
  deal && element("span", { class: "package-deal", text: deal.promotions.join(", ") }),
  offer.best_value && element("span", { class: "package-best", text: "Best value" }));
}
