/**
 * What a version of an item, a package, a promotion and a challenge consists of.
 */

/**
 * moment: a minute of UTC. list, numbers: separated by commas. optional: null when it is left empty.
 * @typedef {{name: string, label: string, kind: "text"|"number"|"choice"|"switch"|"json"|"moment"|"list"|"numbers",
 *   first?: string|number|boolean, choices?: string[], min?: number, optional?: boolean}} OfferField
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
  { name: "coins_min", label: "Custom amount: least", kind: "number", min: 1, optional: true },
  { name: "coins_max", label: "Custom amount: most", kind: "number", min: 1, optional: true },
  { name: "active", label: "On sale", kind: "switch", first: true },
];

/** @type {OfferField[]} */
const PERIOD = [
  { name: "starts_at", label: "From (UTC)", kind: "moment" },
  { name: "ends_at", label: "To before (UTC)", kind: "moment" },
];

/** @type {OfferField} */
const ANNOUNCE = { name: "announce", label: "Tell everybody", kind: "switch", first: true };

/** @type {OfferField[]} */
export const PROMOTION_FIELDS = [
  { name: "id", label: "Id", kind: "text" },
  { name: "name", label: "Name", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", choices: ["bonus", "discount"] },
  { name: "percent", label: "Percent", kind: "number", min: 1, optional: true },
  { name: "coins", label: "Or coins on top", kind: "number", min: 1, optional: true },
  ...PERIOD,
  { name: "uses_max", label: "Uses at most", kind: "number", min: 1 },
  { name: "per_user_max", label: "Uses of one user", kind: "number", min: 1, first: 1 },
  { name: "budget_coins", label: "Budget of a bonus", kind: "number", min: 1, optional: true },
  { name: "regions", label: "Regions (empty: all)", kind: "list", optional: true },
  { name: "platforms", label: "Platforms (discount: web)", kind: "list", optional: true },
  { name: "packages", label: "Packages (empty: all)", kind: "list", optional: true },
  { name: "first_purchase_only", label: "First purchase only", kind: "switch", first: false },
  ANNOUNCE,
];

/** @type {OfferField[]} */
export const CHALLENGE_FIELDS = [
  { name: "id", label: "Id", kind: "text" },
  { name: "title", label: "Title", kind: "text" },
  { name: "kind", label: "Kind", kind: "choice", choices: ["challenge", "contest", "event"] },
  { name: "metric", label: "Counts", kind: "choice", choices: ["gifts", "coins", "rooms_gifted", "rooms_watched"] },
  { name: "side", label: "Of", kind: "choice", choices: ["viewer", "creator"] },
  ...PERIOD,
  { name: "goal", label: "Goal (not of contests)", kind: "number", min: 1, optional: true },
  { name: "reward_coins", label: "Coins as reward", kind: "number", min: 1, optional: true },
  { name: "winners_max", label: "Winners at most", kind: "number", min: 1, optional: true },
  { name: "prizes", label: "Prizes of a contest", kind: "numbers", optional: true },
  { name: "least", label: "Least that counts", kind: "number", min: 1, first: 1 },
  { name: "gifts", label: "Gifts (empty: all)", kind: "list", optional: true },
  { name: "opt_in", label: "Only who joins", kind: "switch", first: false },
  ANNOUNCE,
];
