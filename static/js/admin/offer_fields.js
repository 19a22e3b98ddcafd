/**
 * What a version of an item and of a package consists of.
 */

/**
 * @typedef {{name: string, label: string, kind: "text"|"number"|"choice"|"switch"|"json", first?: string|number|boolean,
 *   choices?: string[], min?: number}} OfferField
 */

/** @type {OfferField[]} */
export const ITEM_FIELDS = [
  { name: "id", label: "Id", kind: "text" },
  { name: "name", label: "Name", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", choices: ["gift", "highlight", "effect", "sticker", "ticket", "promote", "upgrade"] },
  { name: "tier", label: "Tier", kind: "choice", choices: ["small", "medium", "large", "epic", "legendary"] },
  { name: "coins", label: "Coins", kind: "number", min: 1 },
  { name: "diamonds", label: "Diamonds", kind: "number", min: 0 },
  { name: "effect", label: "Effect (JSON)", kind: "json", first: "{}" },
  { name: "streakable", label: "In streaks", kind: "switch", first: false },
  { name: "active", label: "On sale", kind: "switch", first: true },
];

/** @type {OfferField[]} */
export const PACKAGE_FIELDS = [
  { name: "id", label: "Id", kind: "text" },
  { name: "platform", label: "Platform", kind: "choice", choices: ["web", "ios", "android"] },
  { name: "region", label: "Region, or * for everywhere else", kind: "text", first: "*" },
  { name: "coins", label: "Coins", kind: "number", min: 1 },
  { name: "amount", label: "Price in minor units", kind: "number", min: 1 },
  { name: "currency", label: "Currency", kind: "text", first: "USD" },
  { name: "active", label: "On sale", kind: "switch", first: true },
];
