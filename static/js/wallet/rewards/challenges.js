/**
 * Challenges, contests and events: how far one is, what there is for it, and taking part.
 */

import { element, icon, setText } from "../../lib/element.js";
import { formatNumber } from "../../lib/format.js";
import { RankingSheet } from "./ranking_sheet.js";
import { Section } from "./section.js";
import { startsText, untilText } from "./until.js";

/**
 * @typedef {{id: string, kind: "challenge"|"contest"|"event", title: string, metric: string, side: string,
 *   state: "coming"|"open"|"closing"|"ended", starts_at: string, ends_at: string, goal: number|null, least: number,
 *   reward_coins: number|null, winners: number, winners_max: number|null, prizes: number[]|null, total: number, amount: number,
 *   opt_in: boolean, taking_part: boolean, outcome: string|null, place: number|null}} Challenge
 */

/** @type {Record<string, string>} kind → icon */
const ICONS = { challenge: "bolt", contest: "trophy", event: "people" };
/** @type {Record<string, string>} metric → what is counted */
const COUNTED = { gifts: "gifts", coins: "coins", rooms_gifted: "rooms", rooms_watched: "rooms" };

export class Challenges extends Section {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    super({ title: "Challenges", lead: "Take part, and what you do anyway pays off. Gifts count once they are settled.", testid: "challenges" });
    this.api = api;
    this.ranking = new RankingSheet(api);
    /** @type {Map<string, ChallengeCard>} */
    this.cards = new Map();
    this.list = element("ul", { class: "challenges" });
    this.body.append(this.list);
  }

  async load() {
    /** @type {{challenges: Challenge[]}} */
    const { challenges } = await this.api.get("/challenges");
    const here = new Set(challenges.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      if (here.has(id)) continue;
      card.node.remove();
      this.cards.delete(id);
    }
    challenges.forEach((challenge, place) => {
      const card = this.cards.get(challenge.id) ?? this.#card(challenge);
      card.render(challenge);
      if (this.list.children[place] !== card.node) this.list.insertBefore(card.node, this.list.children[place] ?? null);
    });
    if (challenges.length === 0) setText(this.status, "There is nothing to win right now.");
  }

  /** @param {Challenge} challenge */
  #card(challenge) {
    const card = new ChallengeCard(challenge, {
      join: () => this.attempt(async () => {
        card.render(await this.api.post(`/challenges/${challenge.id}/join`));
      }),
      rank: () => this.ranking.show(challenge),
    });
    this.cards.set(challenge.id, card);
    return card;
  }
}

class ChallengeCard {
  /** @param {Challenge} challenge @param {{join: () => void, rank: () => void}} on */
  constructor(challenge, { join, rank }) {
    this.when = element("span", { class: "reward-small" });
    this.worth = element("span", { class: "challenge-worth" });
    this.bar = element("progress", { class: "challenge-bar", attrs: { "aria-label": challenge.title } });
    this.progress = element("span", { class: "challenge-progress number", testid: "challenge-progress" });
    this.outcome = element("strong", { class: "challenge-outcome", testid: "challenge-outcome" });
    this.join = element("button", { class: "button challenge-join", text: "Take part", testid: "challenge-join", attrs: { type: "button" }, on: { click: join } });
    this.rank = element("button", { class: "button", text: "Ranking", testid: "challenge-ranking", attrs: { type: "button", "aria-haspopup": "dialog" }, on: { click: rank } });
    this.rank.hidden = challenge.kind !== "contest";
    this.node = element("li", { class: "challenge", testid: "challenge", attrs: { "data-id": challenge.id, "data-kind": challenge.kind } },
      element("span", { class: "challenge-icon" }, icon(ICONS[challenge.kind])),
      element("div", { class: "challenge-words" },
        element("h3", {}, element("bdi", { text: challenge.title })),
        element("span", { class: "challenge-facts" }, this.worth, this.when)),
      element("div", { class: "challenge-state" }, this.bar, this.progress, this.outcome),
      element("div", { class: "challenge-actions" }, this.join, this.rank));
  }

  /** @param {Challenge} challenge */
  render(challenge) {
    const { kind, state, goal, amount, total, taking_part, outcome, winners, winners_max } = challenge;
    this.node.dataset.state = state;
    setText(this.when, state === "coming" ? startsText(challenge.starts_at) : state === "ended" ? "ended" : untilText(challenge.ends_at));
    this.worth.replaceChildren(icon("coin"), worthOf(challenge));
    const gone = winners_max !== null && winners >= winners_max && outcome !== "rewarded";
    this.join.hidden = taking_part || state === "ended" || state === "closing" || gone;
    this.bar.hidden = kind === "contest";
    const reached = kind === "event" ? total : amount;
    this.bar.max = goal ?? 1;
    this.bar.value = Math.min(reached, goal ?? 1);
    setText(this.progress, progressOf(challenge, reached));
    setText(this.outcome, outcomeOf(challenge, gone));
    this.outcome.dataset.outcome = outcome ?? "";
  }
}

/** @param {Challenge} challenge */
function worthOf({ prizes, reward_coins }) {
  if (prizes === null) return `${formatNumber(reward_coins ?? 0)} coins`;
  const first = prizes.slice(0, 3).map(formatNumber).join(" · ");
  return prizes.length > 3 ? `${first} … for ${prizes.length} places` : `${first} coins`;
}

/** @param {Challenge} challenge @param {number} reached */
function progressOf({ kind, goal, metric, amount, least }, reached) {
  const counted = COUNTED[metric];
  if (kind === "contest") return `You: ${formatNumber(amount)} ${counted}`;
  const share = kind === "event" ? ` together · you: ${formatNumber(amount)}, ${formatNumber(least)} to share` : "";
  return `${formatNumber(Math.min(reached, goal ?? 0))} of ${formatNumber(goal ?? 0)} ${counted}${share}`;
}

/** @param {Challenge} challenge @param {boolean} gone @returns {string} */
function outcomeOf({ kind, state, outcome, place, taking_part, prizes }, gone) {
  if (outcome === "rewarded") return "Done: the coins are yours";
  if (outcome === "too_late" || gone) return "All rewards are gone";
  if (outcome === "blocked") return "Not with a blocked wallet";
  if (kind === "contest" && place !== null) {
    const won = state === "ended" && place <= (prizes?.length ?? 0);
    return won ? `Place ${place}: the coins are yours` : `You are on place ${place}`;
  }
  if (state === "closing") return "The last gifts are being counted";
  return taking_part && state === "open" ? "You take part" : "";
}
