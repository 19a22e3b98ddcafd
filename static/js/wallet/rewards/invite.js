/**
 * Inviting others by a code, and entering the code of who invited one.
 */

import { element, icon, setText, userText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { Section } from "./section.js";

/**
 * @typedef {{code: string, state: "open"|"entered"|"rewarded"|"refused"|"closed", invited_by: {id: string, name: string}|null,
 *   invited: number, rewarded: number, coins: {invited: number, inviter: number}, per_month_max: number}} Referrals
 */

/** @type {Record<string, string>} */
const ENDS = { rewarded: ": both of you were rewarded.", refused: ": both accounts are one person's, so there is no reward." };

export class Invite extends Section {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super({ title: "Invite friends", testid: "referrals" });
    this.api = api;
    this.terms = element("p", { class: "muted" });
    this.code = element("code", { class: "invite-code", testid: "referral-code" });
    this.copy = element("button", { class: "button", text: "Copy", attrs: { type: "button" }, on: { click: () => this.#copy() } });
    this.counts = element("p", { class: "reward-small" });
    this.by = element("p", { testid: "invited-by" });
    this.field = element("input", { class: "input", testid: "referral-input", attrs: { id: "referral-input", maxlength: 12, autocomplete: "off", autocapitalize: "characters", spellcheck: "false" } });
    this.form = element("form", { class: "invite-form" },
      element("div", { class: "field" }, element("label", { text: "Who invited you? Enter their code before your first purchase", attrs: { for: "referral-input" } }), this.field),
      element("button", { class: "button", text: "Enter", testid: "referral-enter", attrs: { type: "submit" } }));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(() => this.#enter());
    });
    this.body.append(this.terms,
      element("div", { class: "invite-own" }, element("span", { text: "Your code" }), this.code, this.copy), this.counts, this.by, this.form);
  }

  async load() {
    this.#render(await this.api.get("/referrals"));
  }

  async #enter() {
    this.#render(await this.api.post("/referrals", { code: this.field.value.trim() }));
    setText(this.status, "Entered. After your first purchase both of you get your coins.");
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.code.textContent ?? "");
      setText(this.status, "Copied.");
    } catch {
      getSelection()?.selectAllChildren(this.code);
      setText(this.status, "Your browser does not let this page copy: the code is selected.");
    }
  }

  /** @param {Referrals} referrals */
  #render({ code, state, invited_by, invited, rewarded, coins, per_month_max }) {
    setText(this.terms, `After the first purchase of somebody you invited, you get ${formatNumber(coins.inviter)} coins and they get ${formatNumber(coins.invited)}: for up to ${per_month_max} people in 30 days.`);
    setText(this.code, code);
    this.counts.replaceChildren(icon("people"), `${formatNumber(invited)} entered your code, ${formatNumber(rewarded)} rewarded`);
    this.form.hidden = state !== "open";
    this.by.hidden = invited_by === null;
    if (invited_by === null) return;
    this.by.replaceChildren("You were invited by ", userText(invited_by.name), ENDS[state] ?? ".");
  }
}
