/**
 * The choice from which price on a gift is asked about first.
 */

import { confirmAbove, setConfirmAbove } from "../../lib/confirm_above.js";
import { element } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";

const CHOICES = [0, 100, 1_000, 5_000, 20_000];

export class ConfirmAbove {
  constructor() {
    const select = element("select", { class: "input", testid: "confirm-above", attrs: { id: "confirm-above" }, on: {
      change: () => setConfirmAbove(Number(select.value)),
    } }, ...CHOICES.map((coins) => element("option", {
      text: coins === 0 ? "Never ask" : `${formatNumber(coins)} coins and more`, attrs: { value: coins, selected: coins === confirmAbove() },
    })));
    this.node = element("section", { class: "panel-card", attrs: { "aria-labelledby": "confirm-above-title" } },
      element("h2", { text: "Ask me first", attrs: { id: "confirm-above-title" } }),
      element("div", { class: "field limits-form" },
        element("label", { text: "Ask before I send a gift of", attrs: { for: "confirm-above" } }), select));
  }
}
