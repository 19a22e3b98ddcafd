/**
 * The page's start: the lobby at "/", a room at "/?room=<id>".
 */

import { Api, ApiError } from "../lib/api.js";
import { Catalogue } from "../lib/gifts.js";
import { explain } from "../lib/problems.js";
import { Session } from "../lib/session.js";
import { missingScreen } from "./ended_screen.js";
import { Lobby } from "./lobby.js";
import { RoomPage } from "./room_page.js";
import { missingTicket, ticketGate } from "./ticket_gate.js";
import { signIn } from "../lib/sign_in.js";

const api = new Api(Session.fromPage());
const app = /** @type {HTMLElement} */ (document.getElementById("app"));
const room = new URLSearchParams(location.search).get("room");

/** @param {string} templateId @returns {HTMLElement} */
function mount(templateId) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(templateId));
  app.replaceChildren(template.content.cloneNode(true));
  return /** @type {HTMLElement} */ (app.firstElementChild);
}

/** @param {string} roomId */
async function openRoom(roomId) {
  document.documentElement.dataset.connection = "connecting";
  document.documentElement.dataset.page = "room";
  if (!api.session.signedIn) await signIn(api, { dismissable: false });
  try {
    const exclusive = await missingTicket(api, roomId);
    if (exclusive) {
      app.replaceChildren(ticketGate(api, exclusive, () => openRoom(roomId)));
      return;
    }
    const catalogue = await Catalogue.load(api);
    const page = new RoomPage({
      root: mount("room-template"), api, catalogue, room: roomId,
      signedOut: () => {
        api.session.signOut();
        location.reload();
      },
    });
    page.start();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    app.replaceChildren(missingScreen(explain(error.code, error.message)));
  }
}

if (room) {
  openRoom(room);
} else {
  document.documentElement.dataset.page = "lobby";
  new Lobby(mount("lobby-template"), api);
}
