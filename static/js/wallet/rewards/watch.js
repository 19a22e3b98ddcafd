/**
 * Ads and surveys that there are coins for, so many in a day.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { SandboxPlayer } from "./sandbox_player.js";
import { Section } from "./section.js";

/** @typedef {{kind: "ad"|"survey", provider: string, coins: number, per_day: number, left: number}} Offer */

const WORDS = {
  ad: { title: "Watch an ad", begin: "Watch", icon: "play" },
  survey: { title: "Answer a survey", begin: "Answer", icon: "chat" },
};

export class Watch extends Section {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super({ title: "Watch and answer", testid: "rewarded" });
    this.api = api;
    this.player = new SandboxPlayer(api, (message) => {
      setText(this.status, message);
      this.#show();
    });
    this.node.hidden = true;
  }

  async load() {
    await this.#show();
  }

  async #show() {
    /** @type {{offers: Offer[]}} */
    const { offers } = await this.api.get("/rewarded");
    this.node.hidden = offers.length === 0;
    this.body.replaceChildren(element("ul", { class: "rewarded" }, ...offers.map((offer) => this.#card(offer))));
  }

  /** @param {Offer} offer */
  #card({ kind, coins, per_day, left }) {
    const words = WORDS[kind];
    return element("li", { class: "rewarded-offer", testid: `rewarded-${kind}` },
      element("span", { class: "challenge-icon" }, icon(words.icon)),
      element("span", { class: "rewarded-words" },
        element("strong", { text: words.title }),
        element("span", { class: "reward-small" }, icon("coin"), `${formatNumber(coins)} coins · ${left} of ${per_day} left today`)),
      element("button", {
        class: "button", text: words.begin, testid: `rewarded-begin-${kind}`, attrs: { type: "button", disabled: left === 0 },
        on: { click: () => this.#begin(kind) },
      }));
  }

  /** @param {"ad"|"survey"} kind */
  #begin(kind) {
    return this.attempt(async () => {
      const session = await this.api.post(`/rewarded/${kind}`);
      setText(this.status, "");
      if (session.url === "") this.player.play(session);
      else window.open(session.url, "_blank", "noopener");
    });
  }
}
