/**
 * The tab bar: the address says which tab is open, so that tabs can be linked to and the back button works.
 */

import { element } from "../lib/element.js";
import { markChosen, rovingFocus } from "../lib/roving_focus.js";

/** @typedef {import("./tabs.js").Tab} Tab */
/** @typedef {import("./tabs.js").TabContext} TabContext */

export class TabBar {
  /** @type {void|(() => void)} what the open tab wants done when it is left */
  #leave = undefined;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list gets the tabs
   * @param {HTMLElement} parts.panel gets what the open tab shows
   * @param {Tab[]} parts.tabs
   * @param {Omit<TabContext, "path">} parts.context
   */
  constructor({ list, panel, tabs, context }) {
    this.list = list;
    this.panel = panel;
    this.tabs = tabs;
    this.context = context;
    this.buttons = tabs.map((tab) => this.#button(tab));
    list.replaceChildren(...this.buttons);
    rovingFocus(list, { selector: "[role=tab]", choose: (button) => this.#go(button.dataset.tab ?? "") });
    addEventListener("hashchange", () => this.show());
  }

  /** Opens the tab that the address names, or the first one. */
  show() {
    const [name, ...rest] = addressed().split("/");
    const place = Math.max(0, this.tabs.findIndex(({ id }) => id === name));
    const tab = this.tabs[place];
    this.#leave?.();
    markChosen(this.buttons, this.buttons[place], "aria-selected");
    this.panel.setAttribute("aria-labelledby", this.buttons[place].id);
    this.panel.replaceChildren();
    document.title = `${tab.title} · giftstream`;
    this.#leave = tab.show(this.panel, { ...this.context, path: rest.join("/") });
    this.buttons[place].scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  /** @param {Tab} tab */
  #button({ id, title }) {
    return element("button", {
      class: "wallet-tab", text: title, testid: `wallet-tab-${id}`,
      attrs: { type: "button", role: "tab", id: `wallet-tab-${id}`, "aria-controls": "wallet-panel", "data-tab": id },
      on: { click: () => this.#go(id) },
    });
  }

  /** @param {string} id */
  #go(id) {
    if (location.hash === `#${id}`) this.show();
    else location.hash = id;
  }
}

/** @returns {string} what the address names; a token that stood beside it left it written as a form's field */
function addressed() {
  const written = location.hash.slice(1).replace(/=$/, "");
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
}
