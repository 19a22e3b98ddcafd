/**
 * Wires the studio: session → lobby or live room, earnings beside both.
 */

import { Api } from "../lib/api.js";
import { backoffMs } from "../lib/backoff.js";
import { setText } from "../lib/element.js";
import { Catalogue } from "../lib/gifts.js";
import { Session } from "../lib/session.js";
import { showToast } from "../lib/toasts.js";
import { Dashboard } from "./dashboard.js";
import { EarningsPanel, EarningsPoll } from "./earnings.js";
import { currentRoom, Lobby } from "./lobby.js";
import { MoneyPage } from "./money/money_page.js";
import { byId, showView } from "./page.js";
import { forget } from "./room_memory.js";
import { SignIn } from "./sign_in.js";
import { ViewSwitch } from "./view_switch.js";

/** @typedef {import("./earnings.js").Earnings} Earnings */

const FORBIDDEN = 403;
const REFUSED = "This token is wrong or expired: a creator token is needed.";
const NOT_A_CREATOR = "This token is not a creator's: a creator token is needed.";

const session = Session.fromPage();
const api = new Api(session);
/** Gifts are shown under their ids until the catalogue is here. */
let catalogue = new Catalogue([]);
const signIn = new SignIn(session, api);
const lobby = new Lobby(api);
const dashboard = new Dashboard({ api, session, giftName: (giftId) => catalogue.get(giftId).name });
const earnings = new EarningsPoll(api);
const earningsPanel = new EarningsPanel();
const views = new ViewSwitch(new MoneyPage(api, byId("money")));
/** What the sign-in says when the session ends by itself. */
let signedOutReason = REFUSED;
let retryTimer = 0;

earnings.addEventListener("earnings", (event) => {
  /** @type {Earnings} */
  const answer = /** @type {CustomEvent} */ (event).detail;
  earningsPanel.render(answer);
  lobby.render(answer.rooms);
});
lobby.addEventListener("open", (event) => openRoom(/** @type {CustomEvent} */ (event).detail));
dashboard.addEventListener("identified", (event) => {
  session.identify(/** @type {CustomEvent} */ (event).detail);
  showUser();
});
dashboard.addEventListener("left", (event) => {
  const reason = /** @type {CustomEvent} */ (event).detail;
  if (reason) showToast(reason, { kind: "problem" });
  openLobby();
  earnings.ask().catch(() => undefined);
});
session.addEventListener("change", () => (session.signedIn ? enter(0) : signOut(signedOutReason)));
byId("sign-out").addEventListener("click", () => {
  signedOutReason = "";
  session.signOut();
  forget();
});

loadCatalogue(0);
if (session.signedIn) enter(0);
else signOut("");

/**
 * Opens the creator's live room, or the lobby when there is none. Tries for ever while the server cannot be reached.
 * @param {number} attempt
 */
async function enter(attempt) {
  clearTimeout(retryTimer);
  signedOutReason = REFUSED;
  showUser();
  showView("loading");
  try {
    const { rooms } = await earnings.ask();
    const room = currentRoom(rooms);
    if (room === undefined) openLobby();
    else openRoom(room);
    earnings.start();
  } catch (problem) {
    const { status } = /** @type {import("../lib/api.js").ApiError} */ (problem);
    if (!session.signedIn) return;
    if (status === FORBIDDEN) {
      signedOutReason = NOT_A_CREATOR;
      session.signOut();
      return;
    }
    setText(byId("loading"), "The server cannot be reached. Trying again…");
    retryTimer = setTimeout(() => enter(attempt + 1), backoffMs(attempt + 1));
  }
}

/** @param {string} room */
function openRoom(room) {
  byId("live-earnings").append(earningsPanel.node);
  dashboard.open(room);
  views.home("live");
}

function openLobby() {
  byId("lobby-earnings").append(earningsPanel.node);
  views.home("lobby");
}

/** @param {string} reason */
function signOut(reason) {
  clearTimeout(retryTimer);
  earnings.stop();
  dashboard.close();
  views.leave();
  showUser();
  signIn.show(reason);
}

function showUser() {
  setText(byId("who"), session.user?.name ?? "");
  byId("sign-out").hidden = !session.signedIn;
}

/** Tries for ever, with full-jitter backoff. @param {number} attempt */
async function loadCatalogue(attempt) {
  try {
    catalogue = await Catalogue.load(api);
  } catch {
    setTimeout(() => loadCatalogue(attempt + 1), backoffMs(attempt));
  }
}
