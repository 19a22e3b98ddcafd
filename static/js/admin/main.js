/**
 * The admin page's start: a token, the question whether it may, and the tab that the address names.
 */

import { Api, ApiError } from "../lib/api.js";
import { setText } from "../lib/element.js";
import { Session } from "../lib/session.js";
import { TabBar } from "../wallet/tab_bar.js";
import * as figures from "./figures.js";
import * as prices from "./prices.js";
import * as promotions from "./promotions.js";
import * as record from "./record.js";
import * as users from "./users.js";
import * as waiting from "./waiting.js";

const TABS = [users, waiting, prices, promotions, figures, record];

/** Why the page stays closed, by the status of the answer. @type {Readonly<Record<number, string>>} */
const CLOSED = {
  401: "This token is wrong or expired.",
  403: "This token has not the role admin.",
  404: "Admin calls are switched off on this server. Its operator switches them on with GIFTSTREAM_ADMIN=1.",
};

const session = Session.fromPage();
const api = new Api(session);
/** @type {TabBar|null} */
let bar = null;

/** @param {string} name @returns {HTMLElement} */
function part(name) {
  return /** @type {HTMLElement} */ (document.querySelector(`[data-part=${name}]`));
}

/** @param {string} reason */
function close(reason) {
  part("panel").replaceChildren();
  part("desk").hidden = part("leave").hidden = true;
  part("entry").hidden = false;
  setText(part("entry-error"), reason);
  /** @type {HTMLInputElement} */ (document.querySelector("#token")).focus();
}

/** Any admin call tells whether this token may; the shortest is the last line of the record. */
async function open() {
  try {
    await api.get("/admin/record", { limit: 1 });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    close(CLOSED[error.status] ?? error.message);
    return;
  }
  part("entry").hidden = true;
  part("desk").hidden = part("leave").hidden = false;
  bar ??= new TabBar({ list: part("tabs"), panel: part("panel"), tabs: TABS, context: /** @type {any} */ ({ api, session }) });
  bar.show();
}

part("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = /** @type {HTMLInputElement} */ (document.querySelector("#token"));
  const token = input.value.trim();
  input.value = "";
  if (token) session.signIn(token, null);
  else setText(part("entry-error"), "Please paste an admin token.");
});
let leaving = false;
part("leave").addEventListener("click", () => {
  leaving = true;
  session.signOut();
});
session.addEventListener("change", () => {
  if (session.signedIn) open();
  else close(leaving ? "" : CLOSED[401]);
  leaving = false;
});

if (session.signedIn) open();
else close("");
