/**
 * Who is to be thanked next: one entry per sender, the largest sum first, then the one that waits longest.
 *
 * Gifts of a sender that arrive while they wait are added to their entry; after a thank-you a new gift opens a new entry.
 */

export const SENDERS_WAITING_MAX = 200;
export const SENDERS_THANKED_MAX = 50;
/** Kinds of gift listed per sender; further kinds count in the sum only. */
export const KINDS_PER_SENDER_MAX = 12;

/** @typedef {{id: string, name: string}} Person */
/** @typedef {{from: Person, gift: string, count: number, coins: number, at: number}} GiftEntry one entry of a delta's `gifts` */

/**
 * @typedef {object} Thanks
 * @property {string} key      of this entry alone, also over rooms
 * @property {Person} from
 * @property {{gift: string, count: number, coins: number}[]} gifts most valuable first
 * @property {number} coins    everything this sender gave since the last thank-you
 * @property {number} sinceUs  time of the first of these gifts
 */

/** @typedef {{waiting: Thanks[], thanked: Thanks[], dropped: number, unlisted: number, opened: number}} SavedQueue */

/** @param {Thanks} a @param {Thanks} b */
const byValueThenAge = (a, b) => b.coins - a.coins || a.sinceUs - b.sinceUs;

export class ThankQueue {
  constructor() {
    /** @type {Thanks[]} sorted */
    this.waiting = [];
    /** @type {Thanks[]} newest first */
    this.thanked = [];
    /** Senders that fell off the end of a full queue. */
    this.dropped = 0;
    /** Gifts that the server counted without listing them. */
    this.unlisted = 0;
    this.opened = 0;
  }

  /**
   * Takes the listed gifts of one delta.
   * @param {GiftEntry[]} gifts
   * @param {number} [unlistedGifts] the delta's `more.gifts`
   */
  add(gifts, unlistedGifts = 0) {
    this.unlisted += unlistedGifts;
    if (gifts.length === 0) return;
    const bySender = new Map(this.waiting.map((thanks) => [thanks.from.id, thanks]));
    for (const gift of gifts) {
      let thanks = bySender.get(gift.from.id);
      if (!thanks) {
        this.opened += 1;
        thanks = { key: `${this.opened}-${gift.from.id}`, from: gift.from, gifts: [], coins: 0, sinceUs: gift.at };
        bySender.set(gift.from.id, thanks);
      }
      addGift(thanks, gift);
    }
    const sorted = [...bySender.values()].sort(byValueThenAge);
    this.dropped += Math.max(0, sorted.length - SENDERS_WAITING_MAX);
    this.waiting = sorted.slice(0, SENDERS_WAITING_MAX);
  }

  /** @returns {Thanks|undefined} */
  next() {
    return this.waiting[0];
  }

  /**
   * Moves an entry to the thanked list.
   * @param {string} key
   * @returns {Thanks|undefined} undefined when it no longer waits
   */
  thank(key) {
    const index = this.waiting.findIndex((thanks) => thanks.key === key);
    if (index < 0) return undefined;
    const [thanks] = this.waiting.splice(index, 1);
    this.thanked = [thanks, ...this.thanked].slice(0, SENDERS_THANKED_MAX);
    return thanks;
  }

  /**
   * Takes a thank-you back; what the sender gave meanwhile joins it.
   * @param {string} key
   */
  putBack(key) {
    const index = this.thanked.findIndex((thanks) => thanks.key === key);
    if (index < 0) return;
    const [thanks] = this.thanked.splice(index, 1);
    const newer = this.waiting.find((other) => other.from.id === thanks.from.id);
    for (const gift of newer?.gifts ?? []) addGift(thanks, { ...gift, coins: 0, from: thanks.from, at: thanks.sinceUs });
    thanks.coins += newer?.coins ?? 0;
    this.waiting = [...this.waiting.filter((other) => other !== newer), thanks].sort(byValueThenAge);
  }

  /** @returns {SavedQueue} what `ThankQueue.restore` takes */
  save() {
    const { waiting, thanked, dropped, unlisted, opened } = this;
    return { waiting, thanked, dropped, unlisted, opened };
  }

  /**
   * @param {SavedQueue} saved
   * @returns {ThankQueue}
   */
  static restore(saved) {
    return Object.assign(new ThankQueue(), structuredClone(saved));
  }
}

/** @param {Thanks} thanks @param {GiftEntry} gift */
function addGift(thanks, gift) {
  thanks.coins += gift.coins;
  const kind = thanks.gifts.find((other) => other.gift === gift.gift);
  if (kind) {
    kind.count += gift.count;
    kind.coins += gift.coins;
  } else if (thanks.gifts.length < KINDS_PER_SENDER_MAX) {
    thanks.gifts.push({ gift: gift.gift, count: gift.count, coins: gift.coins });
  }
  thanks.gifts.sort((a, b) => b.coins - a.coins);
}
