/**
 * What a creator has: payable now, and where the rest of the diamonds is; with the way to cash out.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { formatFiat } from "./words.js";

/** @typedef {import("./words.js").Fiat} Fiat */
/**
 * @typedef {object} CashOutTerms
 * @property {boolean} open
 * @property {{available: number, held: number, paid: number, maturing: number, payable: number}} diamonds
 * @property {Fiat} worth
 * @property {string} rate
 * @property {Fiat} minimum
 * @property {Fiat} daily_maximum
 * @property {Fiat} left_today
 * @property {number} hold_days
 * @property {[number, number]} business_days
 * @property {{eligible: boolean, followers: number, followers_min: number, adult: boolean, blocked: boolean}} eligibility
 * @property {boolean} step_up
 * @property {import("./method_picker.js").Method[]} methods
 */

export class BalancePanel {
  /** @param {() => void} cashOut */
  constructor(cashOut) {
    this.worth = element("p", { class: "money-worth number", testid: "money-worth", text: "–" });
    this.payable = element("span", { class: "number", testid: "money-payable" });
    this.button = element("button", { class: "button button-primary", text: "Cash out", testid: "cash-out", attrs: { type: "button", disabled: true, "aria-haspopup": "dialog" }, on: { click: cashOut } });
    this.why = element("p", { class: "muted fine", testid: "cash-out-why" });
    this.figures = {
      maturing: figure("Not payable yet", "money-maturing"),
      held: figure("Reserved or held", "money-held"),
      paid: figure("Paid out", "money-paid"),
      followers: figure("Followers", "money-followers"),
    };
    this.node = element("section", { class: "card money-balance", attrs: { "aria-labelledby": "money-balance-title" } },
      element("div", { class: "money-now" },
        element("h2", { class: "label", text: "You can cash out", attrs: { id: "money-balance-title" } }),
        this.worth,
        element("p", { class: "muted fine" }, icon("diamond"), " ", this.payable, " diamonds")),
      element("dl", { class: "money-figures" }, ...Object.values(this.figures).map(({ node }) => node)),
      element("div", { class: "money-act" }, this.button, this.why));
  }

  /** @param {CashOutTerms} terms */
  render(terms) {
    const { diamonds, eligibility } = terms;
    setText(this.worth, formatFiat(terms.worth));
    setText(this.payable, formatNumber(diamonds.payable));
    setText(this.figures.maturing.value, formatNumber(diamonds.maturing));
    setText(this.figures.held.value, formatNumber(diamonds.held));
    setText(this.figures.paid.value, formatNumber(diamonds.paid));
    setText(this.figures.followers.value, formatNumber(eligibility.followers));
    const hurdle = hurdleOf(terms);
    this.button.disabled = hurdle !== null;
    setText(this.why, hurdle ?? `Paid within ${terms.business_days.join(" to ")} business days. ${formatFiat(terms.left_today)} more today.`);
  }
}

/** @param {CashOutTerms} terms @returns {string|null} what stands in the way */
function hurdleOf({ open, eligibility, worth, minimum, left_today: left, hold_days: holdDays, diamonds }) {
  if (!open) return "Cash-out is not switched on on this server.";
  if (eligibility.blocked) return "This account is blocked. Please contact support.";
  if (eligibility.followers < eligibility.followers_min) {
    return `Cash-outs begin at ${formatNumber(eligibility.followers_min)} followers; you have ${formatNumber(eligibility.followers)}.`;
  }
  if (!eligibility.adult) return "Cash-outs are for adults: your birth date is not known, or says otherwise.";
  if (left.amount < minimum.amount) return "You have cashed out all that one day allows. Come back after midnight UTC.";
  if (worth.amount < minimum.amount) {
    const later = diamonds.maturing > 0 ? ` Diamonds can be cashed out ${holdDays} days after their gift.` : "";
    return `The least that is cashed out is ${formatFiat(minimum)}.${later}`;
  }
  return null;
}

/** @param {string} name @param {string} testid */
function figure(name, testid) {
  const value = element("dd", { class: "number", testid, text: "–" });
  return { node: element("div", {}, element("dt", { text: name }), value), value };
}
