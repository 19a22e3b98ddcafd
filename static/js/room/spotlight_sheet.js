/**
 * Everything to buy beside gifts, in one sheet: a highlighted comment, effects, stickers, one's own look, promotion.
 */

import { element, icon, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { markChosen, rovingFocus } from "../lib/roving_focus.js";
import { Sheet } from "../lib/sheet.js";
import { showToast } from "../lib/toasts.js";
import { CommentPanel } from "./spotlight/comment_panel.js";
import { ItemPanel } from "./spotlight/item_panel.js";
import { LookPanel } from "./spotlight/look_panel.js";
import { PromotePanel } from "./spotlight/promote_panel.js";

/**
 * @typedef {object} Panel
 * @property {string} name of its tab
 * @property {HTMLElement} node
 * @property {() => {item: import("../lib/items.js").Item, note?: string}|null} order what would be bought now
 * @property {() => void} opened
 * @property {(item: import("../lib/items.js").Item) => string} bought what to say then
 * @property {() => void} changed set by the sheet: another order
 */

export class SpotlightSheet {
  /**
   * @param {object} parts
   * @param {import("../lib/api.js").Api} parts.api
   * @param {string} parts.room
   * @param {import("../lib/items.js").Items} parts.items
   * @param {import("./balance.js").Balance} parts.balance
   * @param {import("./gift_sender.js").GiftSender} parts.sender
   * @param {() => void} parts.recharge
   */
  constructor({ api, room, items, balance, sender, recharge }) {
    this.sender = sender;
    this.balance = balance;
    /** @type {Panel[]} */
    this.panels = [
      new CommentPanel(items), new ItemPanel("Effects", items.ofKind("effect")), new ItemPanel("Stickers", items.ofKind("sticker")),
      new LookPanel({ api, items }), new PromotePanel({ api, room, items }),
    ];
    this.tabs = this.panels.map((panel, i) => this.#tab(panel.name, i));
    this.balanceNode = element("span", { class: "number", testid: "spotlight-balance" });
    this.price = element("span", { class: "send-price number" });
    this.button = element("button", { class: "button button-primary spotlight-buy", testid: "spotlight-buy", attrs: { type: "button" }, on: { click: () => this.#buy() } });
    this.sheet = new Sheet({ title: "Stand out", class: "sheet-clear gift-sheet spotlight-sheet", testid: "spotlight-sheet" });
    const wallet = element("button", { class: "wallet-chip", attrs: { type: "button" }, on: { click: recharge } },
      icon("coin"), this.balanceNode, element("span", { class: "visually-hidden", text: " coins. Open your wallet" }), element("span", { class: "wallet-plus" }, icon("plus")));
    this.sheet.head.replaceChildren(this.sheet.title, wallet, ...[...this.sheet.head.children].slice(1));
    const tabList = element("div", { class: "tier-tabs", attrs: { role: "tablist", "aria-label": "What to buy" } }, ...this.tabs);
    rovingFocus(tabList, { selector: "[role=tab]", choose: (tab) => this.#choose(Number(tab.dataset.place)) });
    this.sheet.body.append(tabList, ...this.panels.map(({ node }, i) => element("div", {
      class: "gift-panel", attrs: { role: "tabpanel", id: `spotlight-${i}`, "aria-labelledby": `spotlight-tab-${i}` },
    }, node)), element("div", { class: "gift-footer" }, this.button));
    for (const panel of this.panels) panel.changed = () => this.#renderButton();
    balance.addEventListener("change", () => this.#renderBalance());
    this.#renderBalance();
    this.#choose(0);
  }

  open() {
    this.sheet.open();
    this.panels[this.place].opened();
  }

  /** @param {string} name @param {number} place */
  #tab(name, place) {
    return element("button", {
      class: "tier-tab", text: name, testid: `spotlight-tab-${name.toLowerCase()}`,
      attrs: { type: "button", role: "tab", id: `spotlight-tab-${place}`, "aria-controls": `spotlight-${place}`, "data-place": place },
      on: { click: () => this.#choose(place) },
    });
  }

  /** @param {number} place */
  #choose(place) {
    this.place = place;
    markChosen(this.tabs, this.tabs[place], "aria-selected");
    this.panels.forEach(({ node }, i) => { /** @type {HTMLElement} */ (node.parentElement).hidden = i !== place; });
    if (this.sheet.isOpen) this.panels[place].opened();
    this.#renderButton();
  }

  #renderButton() {
    const order = this.panels[this.place].order();
    this.button.disabled = order === null;
    this.price.replaceChildren(icon("coin"), formatNumber(order?.item.coins ?? 0));
    this.button.replaceChildren("Buy", ...(order ? [this.price] : []));
  }

  #renderBalance() {
    const { coins, known } = this.balance;
    setText(this.balanceNode, known ? formatNumber(coins) : "–");
  }

  async #buy() {
    const panel = this.panels[this.place];
    const order = panel.order();
    if (!order) return;
    this.button.disabled = true;
    const sent = await this.sender.buy(order.item, order.note);
    this.#renderButton();
    if (!sent) return;
    const words = panel.bought(order.item);
    if (words) showToast(words);
    panel.opened();
    if (order.item.kind === "highlight") this.sheet.close();
  }
}
