/**
 * The top gifters, three or five of them.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { element, setText } from "../lib/element.js";
import { formatCompact } from "../lib/format.js";

/** @typedef {import("../lib/room_state.js").TopGifter} TopGifter */

export class Ranking {
  /** @param {HTMLElement} list an empty <ol> @param {number} size */
  constructor(list, size) {
    this.list = list;
    this.rows = Array.from({ length: size }, (_, index) => row(index + 1));
    list.append(...this.rows.map((each) => each.node));
  }

  /** @param {TopGifter[]} top the best first */
  render(top) {
    this.list.hidden = top.length === 0;
    this.rows.forEach((each, index) => {
      const gifter = top[index];
      each.node.hidden = gifter === undefined;
      if (!gifter) return;
      paintAvatar(each.face, gifter.user);
      setText(each.name, gifter.user.name);
      setText(each.coins, formatCompact(gifter.coins));
    });
  }
}

/** @param {number} rank */
function row(rank) {
  const face = avatar(null);
  const name = element("bdi", { class: "ranking-name" });
  const coins = element("span", { class: "ranking-coins" });
  const place = element("span", { class: "ranking-place", text: String(rank) });
  const node = element("li", { testid: "overlay-rank", attrs: { "data-rank": rank, hidden: true } }, place, face, name, coins);
  return { node, face, name, coins };
}
