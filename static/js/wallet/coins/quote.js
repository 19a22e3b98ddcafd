/**
 * What so many coins cost now, as the server says: prices and promotions may depend on the amount and on the region.
 */

import { formatMoney, formatNumber } from "../../lib/format.js";

/** @typedef {import("./package_card.js").Offer} Offer */
/** @typedef {import("./package_card.js").Choice} Choice */

/**
 * @param {import("../../lib/api.js").Api} api
 * @param {Offer} offer
 * @param {number} coins
 * @param {string|null} [region] of an account that is not bound to one
 * @returns {Promise<Choice>}
 * @throws {import("../../lib/api.js").ApiError}
 */
export async function quoteOf(api, offer, coins, region = null) {
  const size = offer.coins_min === undefined ? null : coins;
  const { version, price, deal } = await api.get(`/packages/${encodeURIComponent(offer.id)}`, { coins: size, region });
  return { offer, version, coins, bonus: deal?.bonus_coins ?? 0, price: deal?.price ?? price, full: price, promotions: deal?.promotions ?? [] };
}

/** @param {Choice} choice @returns {string} what promotions make of it; "" for nothing */
export function dealWords({ bonus, price, full, promotions }) {
  const gains = [
    price.amount < full.amount && `${formatMoney(price)} instead of ${formatMoney(full)}`,
    bonus > 0 && `${formatNumber(bonus)} coins on top`,
  ].filter(Boolean);
  return gains.length === 0 ? "" : `${gains.join(" and ")}: ${promotions.join(", ")}`;
}
