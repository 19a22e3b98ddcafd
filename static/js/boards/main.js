/**
 * The boards' page: whom, how long, which time; the places, and where one stands oneself.
 */

import { Api, ApiError } from "../lib/api.js";
import { avatar } from "../lib/avatar.js";
import { element, setText, userText } from "../lib/element.js";
import { explain } from "../lib/problems.js";
import { markChosen, rovingFocus } from "../lib/roving_focus.js";
import { Session } from "../lib/session.js";
import { amount, placeRow } from "./board_list.js";
import { addDays, spanInWords } from "./span.js";

/** @typedef {import("./span.js").Period} Period */
/** @typedef {"creators"|"gifters"} Board */

const BOARDS = /** @type {const} */ ([["creators", "Creators"], ["gifters", "Gifters"]]);
const PERIODS = /** @type {const} */ ([["day", "Day"], ["week", "Week"], ["month", "Month"]]);
const PLACES_MAX = 500;

const session = Session.fromPage();
const api = new Api(session);
/** @type {{board: Board, period: Period, at: string|null}} at: a day of the time that is shown; null: today */
const chosen = { board: "creators", period: "week", at: null };
/** @type {{starts: string, ends: string, next: string|null}} */
let shown = { starts: "", ends: "", next: null };
/** Counts what was asked for: an answer to an earlier question is dropped. */
let asked = 0;

/** @param {string} name @returns {HTMLElement} */
function part(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-part=${name}]`));
}

/**
 * @template {string} T
 * @param {string} name
 * @param {ReadonlyArray<readonly [T, string]>} options
 * @param {T} first
 * @param {(choice: T) => void} choose
 */
function segments(name, options, first, choose) {
  const group = part(name);
  const pick = (/** @type {HTMLElement} */ button) => {
    markChosen(buttons, button, "aria-checked");
    choose(/** @type {T} */ (button.dataset.choice));
  };
  const buttons = options.map(([choice, label]) => element("button", {
    class: "segment", text: label, testid: `${name}-${choice}`, attrs: { type: "button", role: "radio", "data-choice": choice },
    on: { click: (event) => pick(/** @type {HTMLElement} */ (event.currentTarget)) },
  }));
  group.append(...buttons);
  rovingFocus(group, { selector: "[role=radio]", choose: pick });
  markChosen(buttons, buttons[options.findIndex(([choice]) => choice === first)], "aria-checked");
}

/** @param {string|null} [cursor] goes on with the list; else it begins anew */
async function load(cursor = null) {
  asked += 1;
  const mine = asked;
  const list = part("places");
  list.setAttribute("aria-busy", "true");
  try {
    const page = await api.get(`/boards/${chosen.board}`, { period: chosen.period, at: chosen.at, cursor, limit: 50 });
    if (mine !== asked) return;
    shown = page;
    if (cursor === null) list.replaceChildren();
    list.append(...page.places.map(placeRow));
    setText(part("span"), spanInWords(chosen.period, page.starts, page.ends));
    setText(part("status"), list.children.length === 0 ? "Nobody is on this board yet." : "");
    part("more").hidden = page.next === null || list.children.length >= PLACES_MAX;
    part("later").toggleAttribute("disabled", page.ends > new Date().toISOString().slice(0, 10));
    showOwn(page.own);
  } catch (error) {
    if (!(error instanceof ApiError) || mine !== asked) return;
    setText(part("status"), explain(error.code, error.message));
  } finally {
    if (mine === asked) list.setAttribute("aria-busy", "false");
  }
}

/** @param {{rank?: number, coins?: number, diamonds?: number}|undefined} own */
function showOwn(own) {
  const { user } = session;
  const node = part("own");
  node.hidden = !own || !user;
  if (!own || !user) return;
  const rank = own.rank === undefined ? "–" : String(own.rank);
  node.replaceChildren(element("span", { class: "board-rank number", text: rank }), avatar(user),
    element("span", { class: "board-who" }, userText(user.name, "truncate"), element("span", { class: "muted", text: "you" })), amount(own));
}

segments("boards", BOARDS, chosen.board, (board) => {
  chosen.board = board;
  load();
});
segments("periods", PERIODS, chosen.period, (period) => {
  chosen.period = period;
  chosen.at = null;
  load();
});
part("earlier").addEventListener("click", () => {
  chosen.at = addDays(shown.starts, -1);
  load();
});
part("later").addEventListener("click", () => {
  chosen.at = shown.ends;
  load();
});
part("more").addEventListener("click", () => load(shown.next));
session.addEventListener("change", () => load());
load();
