/**
 * Where one signed in: places and programs, the latest first.
 */

import { element } from "../../lib/element.js";
import { formatMoment, formatNumber, toMicroseconds } from "../../lib/format.js";
import { programName } from "../../lib/program_name.js";

const SHOWN_MAX = 10;

/** @typedef {{place: string, program: string, last_at: string, times: number}} Login */

export class LoginList {
  /** @param {import("../../lib/api.js").Api} api */
  constructor(api) {
    this.list = element("ul", { class: "login-list", testid: "logins" });
    this.node = element("section", { class: "panel-card", attrs: { "aria-labelledby": "logins-title", hidden: true } },
      element("h2", { text: "Where you signed in", attrs: { id: "logins-title" } }), this.list);
    api.get("/account/logins", { limit: SHOWN_MAX }).then(({ logins }) => {
      this.list.replaceChildren(...logins.map(row));
      this.node.hidden = logins.length === 0;
    }).catch(() => {});
  }
}

/** @param {Login} login */
function row(login) {
  return element("li", {},
    element("span", { class: "truncate", text: programName(login.program) || "Unknown program", attrs: { title: login.program } }),
    element("span", { class: "muted", text: `place ${login.place.slice(0, 6)} · ${formatNumber(login.times)} × · ${formatMoment(toMicroseconds(login.last_at))}` }));
}
