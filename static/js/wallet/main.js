/**
 * The wallet page's start: who is here, the balance, and the tab that the address names.
 */

import { Api } from "../lib/api.js";
import { avatar } from "../lib/avatar.js";
import { userText } from "../lib/element.js";
import { Session } from "../lib/session.js";
import { signIn } from "../lib/sign_in.js";
import { UserSocket } from "../lib/user_socket.js";
import { showBalance } from "./balance_card.js";
import { TabBar } from "./tab_bar.js";
import { loadTabs } from "./tabs.js";

const session = Session.fromPage();
const api = new Api(session);

/** @param {string} name @returns {HTMLElement} */
function part(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-part=${name}]`));
}

function showUser() {
  const user = session.user ?? { id: "me", name: "" };
  part("account").replaceChildren(avatar(user), userText(user.name, "truncate account-name"));
}

async function start() {
  const loading = loadTabs();
  if (!session.signedIn) {
    await signIn(api, { dismissable: false, title: "Your wallet", lead: "Sign in with a name to see your coins and to get more." });
  }
  // Signed out means a token that is no longer good: begin anew, with the question who this is.
  session.addEventListener("change", () => location.reload());
  const socket = new UserSocket({ token: session.token ?? "" });
  socket.addEventListener("welcome", (event) => {
    session.identify(/** @type {CustomEvent} */ (event).detail.user);
    showUser();
  });
  socket.addEventListener("state", (event) => {
    const { state, reason } = /** @type {CustomEvent} */ (event).detail;
    part("offline").hidden = state !== "reconnecting";
    if (state === "closed" && reason === "unauthorized") session.signOut();
  });
  addEventListener("pagehide", () => socket.close());
  addEventListener("pageshow", (event) => event.persisted && socket.connect());
  showUser();
  showBalance(part("balance"), api, socket);
  socket.connect();
  const bar = new TabBar({ list: part("tabs"), panel: part("panel"), tabs: await loading, context: { api, session, socket } });
  part("main").hidden = false;
  bar.show();
}

start();
