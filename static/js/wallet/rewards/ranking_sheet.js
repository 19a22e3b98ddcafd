/**
 * The first places of a contest, in a sheet.
 */

import { ApiError } from "../../lib/api.js";
import { avatar } from "../../lib/avatar.js";
import { element, icon, setText, userText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { explain } from "../../lib/problems.js";
import { Sheet } from "../../lib/sheet.js";

const PLACES = 50;

export class RankingSheet {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.api = api;
    this.list = element("ol", { class: "contest-ranking", testid: "contest-ranking" });
    this.status = element("p", { class: "reward-status", attrs: { role: "status" } });
    this.sheet = new Sheet({ title: "Ranking", class: "contest-sheet", testid: "contest-sheet" }, this.list, this.status);
  }

  /** @param {{id: string, title: string}} challenge */
  async show({ id, title }) {
    setText(this.sheet.title, title);
    this.list.replaceChildren();
    setText(this.status, "Loading…");
    this.sheet.open();
    try {
      const { ranking } = await this.api.get(`/challenges/${id}/ranking`, { limit: PLACES });
      this.list.replaceChildren(...ranking.map(placeRow));
      setText(this.status, ranking.length === 0 ? "Nobody is ranked yet." : "");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setText(this.status, explain(error.code, error.message));
    }
  }
}

/** @param {{place: number, user: {id: string, name: string}, amount: number, coins: number}} ranked */
function placeRow({ place, user, amount, coins }) {
  return element("li", { class: "contest-row", testid: "contest-row", attrs: { "data-place": place } },
    element("strong", { class: "contest-place number", text: String(place) }),
    avatar(user), userText(user.name, "truncate contest-name"),
    element("span", { class: "number", text: formatNumber(amount) }),
    coins > 0 && element("span", { class: "contest-prize number" }, icon("coin"), element("span", { class: "visually-hidden", text: "prize" }), formatNumber(coins)));
}
