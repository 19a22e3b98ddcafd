/**
 * What can be bought beside gifts: highlighted comments, effects, stickers, tickets, promotion and upgrades.
 */

/** @typedef {"highlight"|"effect"|"sticker"|"ticket"|"promote"|"upgrade"} ItemKind */

/**
 * @typedef {object} Item
 * @property {string} id
 * @property {ItemKind} kind
 * @property {string} name
 * @property {number} coins price of one
 * @property {number} diamonds
 * @property {string} tier
 * @property {{color?: string, colors?: string[], look?: string, seconds?: number, slot?: "frame"|"badge"|"entrance", impressions?: number}} effect
 */

/**
 * @typedef {object} ShownItem what stands on a room's screen
 * @property {string} id of the gift that paid for it
 * @property {"highlight"|"effect"|"sticker"} kind
 * @property {string} item
 * @property {import("./room_state.js").User} from
 * @property {string} [text]
 * @property {number} coins
 * @property {number} at microseconds
 * @property {number} until microseconds
 */

/** @param {string} look @returns {string} address of a sticker's picture */
export function stickerUrl(look) {
  return `/static/stickers/${encodeURIComponent(look)}.svg`;
}

/** @param {number} seconds @returns {string} such as "30 s", "2 min", "1 h" or "30 days" */
export function formatLasting(seconds) {
  if (seconds >= 2 * 86_400) return `${Math.round(seconds / 86_400)} days`;
  if (seconds >= 3_600) return `${Math.round(seconds / 3_600)} h`;
  return seconds >= 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
}

export class Items {
  /** @param {Item[]} items */
  constructor(items) {
    this.byId = new Map(items.map((item) => [item.id, item]));
  }

  /** @param {import("./api.js").Api} api @returns {Promise<Items>} */
  static async load(api) {
    const answer = await api.get("/items");
    return new Items(answer.items);
  }

  /** @param {string} id @returns {Item|undefined} */
  get(id) {
    return this.byId.get(id);
  }

  /** @param {ItemKind} kind @returns {Item[]} cheapest first */
  ofKind(kind) {
    return [...this.byId.values()].filter((item) => item.kind === kind).sort((a, b) => a.coins - b.coins);
  }
}
