/**
 * Wires the overlay: address → room → counter, ranking, alerts. Whatever fails, the stream sees nothing of it; the state
 * stands in the `data-connection` attribute of <html> alone.
 */

import { Api } from "../lib/api.js";
import { backoffMs } from "../lib/backoff.js";
import { Catalogue } from "../lib/gifts.js";
import { RollingNumber } from "../lib/rolling_number.js";
import { applyFrame, emptyRoomState } from "../lib/room_state.js";
import { Session } from "../lib/session.js";
import { AlertPlayer } from "./alert_player.js";
import { AlertScreen } from "./alert_screen.js";
import { EndlessRoom } from "./endless_room.js";
import { readOptions } from "./options.js";
import { Ranking } from "./ranking.js";

const page = document.documentElement;
const options = readOptions(new URL(location.href));
page.dataset.theme = options.theme;
page.dataset.position = options.position;
page.dataset.show = [...options.show].join(" ");

/** Gifts are shown under their ids until the catalogue is here. */
let catalogue = new Catalogue([]);
let state = emptyRoomState();

const counter = part("counter");
const diamonds = new RollingNumber({ testid: "overlay-diamonds" });
counter.append(diamonds.node);
const ranking = new Ranking(part("ranking"), options.rankingSize);
const alerts = part("alerts");
const screen = new AlertScreen(alerts, (giftId) => catalogue.get(giftId));
const player = new AlertPlayer(screen, (giftId) => catalogue.get(giftId).tier, options.minCoins);

const room = new EndlessRoom(options);
room.addEventListener("frame", (event) => {
  const step = applyFrame(state, /** @type {CustomEvent} */ (event).detail);
  state = step.state;
  render();
  if (options.show.has("alerts")) step.gifts.forEach((gift) => player.add(gift));
});
room.addEventListener("state", (event) => { page.dataset.connection = /** @type {CustomEvent} */ (event).detail; });

alerts.hidden = !options.show.has("alerts");
// Names and sizes of the first alerts come from the catalogue; without it they follow later.
await loadCatalogue(0);
room.start();

function render() {
  page.dataset.room = state.ended ? "ended" : "live";
  if (options.show.has("counter")) {
    counter.hidden = false;
    diamonds.set(state.diamonds);
  }
  if (options.show.has("ranking")) ranking.render(state.top);
}

/** @param {string} name @returns {HTMLElement} */
function part(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`.${name}`));
}

/** Tries for ever, with full-jitter backoff. @param {number} attempt */
async function loadCatalogue(attempt) {
  try {
    catalogue = await Catalogue.load(new Api(new Session(options.token || null, null)));
  } catch {
    setTimeout(() => loadCatalogue(attempt + 1), backoffMs(attempt));
  }
}
