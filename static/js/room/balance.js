/**
 * The balance to show: what the server last said, less the gifts that are on their way. No screen, no socket.
 */

export class Balance extends EventTarget {
  #coins = 0;
  #asOfUs = 0;
  #known = false;
  /** @type {Map<number, number>} price of each unanswered gift */
  #unanswered = new Map();
  #nextTicket = 0;

  /** @returns {number} coins */
  get coins() {
    let shown = this.#coins;
    for (const price of this.#unanswered.values()) shown -= price;
    return Math.max(0, shown);
  }

  /** @returns {number} coins that were taken back after they were spent */
  get owed() {
    return Math.max(0, -this.#coins);
  }

  /** @returns {boolean} false until the server has said something */
  get known() {
    return this.#known;
  }

  /** @returns {number} gifts without an answer */
  get unanswered() {
    return this.#unanswered.size;
  }

  /**
   * A gift leaves; its price is taken off at once.
   * @param {number} priceCoins
   * @returns {number} ticket for settle()
   */
  spend(priceCoins) {
    this.#nextTicket += 1;
    this.#unanswered.set(this.#nextTicket, priceCoins);
    this.#changed();
    return this.#nextTicket;
  }

  /**
   * The answer to a gift: the server's balance replaces the guess. An answer repeated after a reconnect carries an old
   * balance and an old time, and does not overwrite a newer one.
   * @param {number} ticket
   * @param {{coins?: number, at?: number}} answer
   */
  settle(ticket, { coins, at }) {
    this.#unanswered.delete(ticket);
    if (coins !== undefined && (at === undefined || at >= this.#asOfUs)) {
      this.#coins = coins;
      this.#known = true;
      if (at !== undefined) this.#asOfUs = at;
    }
    this.#changed();
  }

  /** What the server says outside of an answer. @param {number} coins */
  correct(coins) {
    this.#coins = coins;
    this.#known = true;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
