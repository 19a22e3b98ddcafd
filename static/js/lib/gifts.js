/**
 * The gift catalogue: prices, tiers and effect data, by id.
 */

import { Items, stickerUrl } from "./items.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {"small"|"medium"|"large"|"epic"|"legendary"} Tier */
/** @typedef {"pop"|"float"|"rain"|"burst"|"ride"|"orbit"|"rise"|"stage"} EffectKind */

/**
 * @typedef {object} Effect
 * @property {EffectKind} kind
 * @property {string[]} colors "#rrggbb"
 * @property {number} duration_ms
 * @property {number} particles
 * @property {boolean} stage whether the gift takes the whole stage
 */

/**
 * @typedef {object} Gift
 * @property {string} id
 * @property {string} name
 * @property {number} coins price of one
 * @property {number} diamonds what one earns its creator
 * @property {Tier} tier
 * @property {boolean} streakable
 * @property {Effect} effect
 */

/** @type {readonly Tier[]} cheapest first */
export const TIERS = ["small", "medium", "large", "epic", "legendary"];

/** The gift everybody knows: chosen first, and first where only a few gifts fit. */
export const FAVOURITE_GIFT = "rose";

/** @type {Effect} stands in where the catalogue does not know a gift */
const PLAIN_EFFECT = { kind: "pop", colors: ["#ff5c8a", "#ffd166"], duration_ms: 900, particles: 6, stage: false };

/** Items that are no gifts begin with their kind, or an upgrade with its slot. @type {Readonly<Record<string, string>>} */
const ITEM_ART = {
  highlight: "highlight", effect: "effect", ticket: "ticket", promote: "promote", frame: "upgrade", badge: "upgrade", entrance: "upgrade",
};

/** @param {string} giftId a gift's, or another item's @returns {string} address of its picture */
export function artUrl(giftId) {
  const [kind, ...look] = giftId.split("_");
  if (kind === "sticker") return stickerUrl(look.join("_"));
  return ITEM_ART[kind] ? `/static/items/${ITEM_ART[kind]}.svg` : `/static/gifts/${encodeURIComponent(giftId)}.svg`;
}

export class Catalogue {
  /** @param {Gift[]} gifts @param {Items} [items] what else can be bought */
  constructor(gifts, items = new Items([])) {
    this.items = items;
    this.gifts = [...gifts].sort((a, b) => a.coins - b.coins);
    this.byId = new Map(this.gifts.map((gift) => [gift.id, gift]));
  }

  /** @param {Api} api @returns {Promise<Catalogue>} */
  static async load(api) {
    const [{ gifts }, items] = await Promise.all([api.get("/gifts"), Items.load(api)]);
    return new Catalogue(gifts, items);
  }

  /**
   * A gift the catalogue no longer lists still has a name and an effect, so that history and deltas can show it; as does
   * an item that is no gift.
   * @param {string} giftId
   * @returns {Gift}
   */
  get(giftId) {
    return this.byId.get(giftId) ?? {
      id: giftId, name: this.items.get(giftId)?.name ?? giftId, coins: 0, diamonds: 0, tier: "small", streakable: false, effect: PLAIN_EFFECT,
    };
  }

  /** @param {Tier} tier @returns {Gift[]} cheapest first */
  inTier(tier) {
    return this.gifts.filter((gift) => gift.tier === tier);
  }
}
