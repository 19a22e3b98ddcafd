/**
 * One sender in a list of thanks: face, name, gifts, sum, and a button.
 */

import { avatar } from "../lib/avatar.js";
import { element, icon, setText, userText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { artUrl } from "../lib/gifts.js";

/** @typedef {import("./thank_queue.js").Thanks} Thanks */

const KINDS_SHOWN_MAX = 3;

export class ThankRow {
  #shown = "";

  /** @param {Thanks} thanks @param {{done: boolean, giftName: (giftId: string) => string}} options done: already thanked */
  constructor(thanks, { done, giftName }) {
    this.giftName = giftName;
    const { from } = thanks;
    const label = done ? `Put ${from.name} back` : `Thank ${from.name}`;
    this.gifts = element("span", { class: "thank-gifts" });
    this.sum = element("span", { class: "number" });
    this.button = element("button", {
      class: "icon-button", attrs: { type: "button", "aria-label": label, title: done ? "Put back" : "Thanked" },
    }, icon(done ? "back" : "check"));
    this.node = element("li", {
      class: "thank-item", testid: done ? "thanked-item" : "thank-item", attrs: { "data-key": thanks.key, "data-user": from.id },
    },
    avatar(from),
    element("div", { class: "thank-who" }, userText(from.name, "thank-name truncate"), this.gifts),
    element("span", { class: "coins" }, icon("coin"), this.sum, element("span", { class: "visually-hidden", text: " coins" })),
    this.button);
    this.update(thanks);
  }

  /** @param {Thanks} thanks the same entry, perhaps grown */
  update({ gifts, coins }) {
    setText(this.sum, formatNumber(coins));
    const version = JSON.stringify(gifts);
    if (version === this.#shown) return;
    this.#shown = version;
    const kinds = gifts.slice(0, KINDS_SHOWN_MAX).map(({ gift, count }) => element("span", { class: "thank-gift" },
      element("img", { attrs: { src: artUrl(gift), alt: "", width: 20, height: 20 } }),
      `${this.giftName(gift)} ×${formatNumber(count)}`));
    const rest = gifts.length - kinds.length;
    // Between them stands a space, so that a line can break there.
    this.gifts.replaceChildren(...kinds.flatMap((kind) => [kind, " "]), ...(rest > 0 ? [`+${rest} more`] : []));
  }
}
