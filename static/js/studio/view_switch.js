/**
 * The two sides of the studio: rooms (the lobby, or the live room) and earnings. A room stays live behind the earnings.
 */

import { byId, showView } from "./page.js";

const HASH = "#earnings";

export class ViewSwitch {
  /** @type {"lobby"|"live"} what the rooms' side shows */
  #home = "lobby";

  /** @param {import("./money/money_page.js").MoneyPage} money */
  constructor(money) {
    this.money = money;
    this.nav = byId("views");
    this.nav.addEventListener("click", (event) => {
      const view = /** @type {HTMLElement} */ (event.target).dataset.view;
      if (view) location.hash = view === "money" ? HASH : "";
    });
    addEventListener("hashchange", () => this.nav.hidden || this.#show());
  }

  /** Somebody is signed in, and this is where their rooms are. @param {"lobby"|"live"} view */
  home(view) {
    const arrives = this.nav.hidden;
    this.#home = view;
    this.nav.hidden = false;
    if (arrives || !this.#atMoney) this.#show();
  }

  /** Nobody is signed in. */
  leave() {
    this.nav.hidden = true;
    this.money.close();
  }

  get #atMoney() {
    return location.hash === HASH;
  }

  #show() {
    const atMoney = this.#atMoney;
    showView(atMoney ? "money" : this.#home);
    if (atMoney) this.money.open();
    else this.money.close();
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (this.nav.querySelectorAll("[data-view]"))) {
      item.toggleAttribute("data-current", (item.dataset.view === "money") === atMoney);
      if ((item.dataset.view === "money") === atMoney) item.setAttribute("aria-current", "page");
      else item.removeAttribute("aria-current");
    }
  }
}
