/**
 * The newest look of each user that a room's frames told of: a ranking keeps the look of somebody's last gift, and
 * chat, comments and entrances know better.
 */

/** @typedef {import("./room_state.js").User} User */

/** Users remembered; the one longest unheard of goes first. */
export const USERS_MAX = 300;

export class KnownLooks {
  /** @type {Map<string, User>} longest unheard of first */
  #users = new Map();

  /** @param {Iterable<User>} users as a frame just had them */
  learn(users) {
    for (const user of users) {
      this.#users.delete(user.id);
      this.#users.set(user.id, user);
      if (this.#users.size > USERS_MAX) this.#users.delete(/** @type {string} */ (this.#users.keys().next().value));
    }
  }

  /**
   * @template {{user: User}} T
   * @param {T[]} places
   * @returns {T[]} each with the newest look of its user
   */
  on(places) {
    return places.map((place) => {
      const known = this.#users.get(place.user.id);
      return known ? { ...place, user: { ...known, name: place.user.name } } : place;
    });
  }
}
