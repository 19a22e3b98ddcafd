/**
 * The top gifters, live: name, coins, and a bar against the first.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { element, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";

/** @typedef {import("../lib/room_state.js").TopGifter} TopGifter */

const ROWS_MAX = 10;

export class TopPanel {
  /** @type {ReturnType<typeof row>[]} */
  #rows = [];

  /** @param {HTMLElement} list @param {HTMLElement} empty shown while nobody gave anything */
  constructor(list, empty) {
    this.list = list;
    this.empty = empty;
  }

  /** @param {TopGifter[]} top the best first */
  render(top) {
    const shown = top.slice(0, ROWS_MAX);
    this.empty.hidden = shown.length > 0;
    while (this.#rows.length < shown.length) {
      const added = row();
      this.#rows.push(added);
      this.list.append(added.node);
    }
    while (this.#rows.length > shown.length) this.#rows.pop()?.node.remove();
    shown.forEach(({ user, coins, rank }, index) => {
      const each = this.#rows[index];
      each.node.dataset.user = user.id;
      setText(each.rank, String(rank));
      paintAvatar(each.face, user);
      setText(each.name, user.name);
      setText(each.coins, formatNumber(coins));
      each.bar.style.transform = `scaleX(${coins / Math.max(1, shown[0].coins)})`;
    });
  }
}

function row() {
  const rank = element("span", { class: "top-rank number" });
  const face = avatar(null);
  const name = element("bdi", { class: "top-name truncate" });
  const coins = element("span", { class: "top-coins number" });
  const bar = element("span", { class: "top-bar-fill" });
  const node = element("li", { class: "top-item", testid: "studio-top-item" }, rank, face,
    element("div", { class: "top-main" }, name, element("span", { class: "top-track", attrs: { "aria-hidden": "true" } }, bar)), coins);
  return { node, rank, face, name, coins, bar };
}
