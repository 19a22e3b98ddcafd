/**
 * What is known of a room, as a pure function of the frames that arrived. No DOM, no clock, no socket.
 */

/** @typedef {{id: string, name: string, level?: number, frame?: string, badge?: string}} User */
/** @typedef {{user: User, coins: number, rank: number}} TopGifter */
/** @typedef {{from: User, text: string, at: number}} ChatLine */
/** @typedef {{from: User, look: string, at: number}} Entrance */
/** @typedef {import("./items.js").ShownItem} ShownItem */

/**
 * @typedef {object} GiftEntry
 * @property {string} gift_id
 * @property {User} from
 * @property {string} gift catalogue id
 * @property {number} count gifts this entry adds
 * @property {number} coins coins this entry adds
 * @property {number} [combo] running number of the combo
 * @property {string} [combo_id]
 * @property {number} at microseconds
 */

/**
 * @typedef {object} RoomState
 * @property {string|null} room
 * @property {string} title
 * @property {User|null} creator
 * @property {number} diamonds running total
 * @property {number} gifts_total running total
 * @property {number} viewers
 * @property {TopGifter[]} top
 * @property {ShownItem[]} effects what stands on the screen, some of it past its end
 * @property {boolean} ended
 */

/**
 * @typedef {object} Step
 * @property {RoomState} state
 * @property {GiftEntry[]} gifts entries to show, the most valuable first
 * @property {{gifts: number, count: number, coins: number}} more what the delta counted without listing it
 * @property {ChatLine[]} chat
 * @property {number} likes
 * @property {Entrance[]} entrances
 * @property {boolean} fresh the state was replaced by a snapshot: forget what was on screen
 */

const NOTHING_MORE = Object.freeze({ gifts: 0, count: 0, coins: 0 });

/** @returns {RoomState} */
export function emptyRoomState() {
  return { room: null, title: "", creator: null, diamonds: 0, gifts_total: 0, viewers: 0, top: [], effects: [], ended: false };
}

/**
 * The state after one frame. Frames of other types leave it as it is.
 * @param {RoomState} state
 * @param {any} frame `joined`, `delta` or `room_ended`
 * @returns {Step}
 */
export function applyFrame(state, frame) {
  switch (frame.type) {
    case "joined": return frame.recovered ? resumed(state, frame) : snapshot(frame);
    case "delta": return delta(state, frame);
    case "room_ended": return step({ ...state, ended: true });
    default: return step(state);
  }
}

/** @param {RoomState} state @param {Partial<Step>} [news] @returns {Step} */
function step(state, news = {}) {
  return { state, gifts: [], more: NOTHING_MORE, chat: [], likes: 0, entrances: [], fresh: false, ...news };
}

/** @param {any} frame @returns {Step} */
function snapshot(frame) {
  return step({
    room: frame.room,
    title: frame.title ?? "",
    creator: frame.creator ?? null,
    diamonds: frame.diamonds ?? 0,
    gifts_total: frame.gifts ?? 0,
    viewers: frame.viewers ?? 0,
    top: frame.top ?? [],
    effects: frame.effects ?? [],
    ended: false,
  }, { fresh: true });
}

/**
 * After a resume the missed deltas follow and bring the totals up step by step; taking the snapshot's totals first
 * would make the counter jump ahead and fall back.
 * @param {RoomState} state
 * @param {any} frame
 * @returns {Step}
 */
function resumed(state, frame) {
  return step({
    ...state,
    room: frame.room,
    title: frame.title ?? state.title,
    creator: frame.creator ?? state.creator,
    viewers: frame.viewers ?? state.viewers,
  });
}

/** @param {RoomState} state @param {any} frame @returns {Step} */
function delta(state, frame) {
  const next = {
    ...state,
    diamonds: frame.diamonds ?? state.diamonds,
    gifts_total: frame.gifts_total ?? state.gifts_total,
    viewers: frame.viewers ?? state.viewers,
    top: frame.top ?? state.top,
    effects: frame.effects ?? state.effects,
  };
  return step(next, {
    gifts: frame.gifts ?? [],
    more: frame.more ?? NOTHING_MORE,
    chat: frame.chat ?? [],
    likes: frame.likes ?? 0,
    entrances: frame.entrances ?? [],
  });
}
