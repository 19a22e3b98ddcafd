/**
 * The gift sheet: tabs by tier, the gifts of a tier, quantity, balance and the send button.
 */

import { element, icon, setText } from "../lib/element.js";
import { formatNumber } from "../lib/format.js";
import { FAVOURITE_GIFT, TIERS, artUrl } from "../lib/gifts.js";
import { markChosen, rovingFocus } from "../lib/roving_focus.js";
import { Sheet } from "../lib/sheet.js";
import { SendButton } from "./send_button.js";

/** @typedef {import("../lib/gifts.js").Gift} Gift */
/** @typedef {import("../lib/gifts.js").Tier} Tier */

export const QUANTITIES = [1, 10, 99, 999];

/** @type {Readonly<Record<Tier, string>>} */
const TIER_NAMES = { small: "Small", medium: "Medium", large: "Large", epic: "Epic", legendary: "Legendary" };

export class GiftSheet {
  /** @type {Map<string, HTMLButtonElement>} */
  #cards = new Map();

  /**
   * @param {object} parts
   * @param {import("../lib/gifts.js").Catalogue} parts.catalogue
   * @param {import("./balance.js").Balance} parts.balance
   * @param {import("./gift_sender.js").GiftSender} parts.sender
   * @param {() => void} parts.recharge
   */
  constructor({ catalogue, balance, sender, recharge }) {
    this.catalogue = catalogue;
    this.balance = balance;
    this.tiers = TIERS.filter((tier) => catalogue.inTier(tier).length > 0);
    /** @type {Gift} */
    this.gift = catalogue.byId.get(FAVOURITE_GIFT) ?? catalogue.gifts[0];
    this.quantity = QUANTITIES[0];
    this.tabs = this.tiers.map((tier) => this.#tab(tier));
    this.panels = this.tiers.map((tier) => this.#panel(tier));
    this.quantities = QUANTITIES.map((quantity) => this.#quantity(quantity));
    this.send = new SendButton({ sender, order: () => ({ gift: this.gift, count: this.quantity }) });
    this.balanceNode = element("span", { class: "number", testid: "balance" });
    this.sheet = new Sheet({ title: "Send a gift", class: "sheet-clear gift-sheet", testid: "gift-sheet" });
    this.sheet.head.replaceChildren(this.sheet.title, this.#wallet(recharge), ...[...this.sheet.head.children].slice(1));
    this.sheet.body.append(this.#tabList(), ...this.panels, this.#footer());
    balance.addEventListener("change", () => this.#renderBalance());
    this.#renderBalance();
    this.#chooseTier(this.gift.tier);
    this.#chooseQuantity(QUANTITIES[0]);
  }

  open() {
    this.sheet.open(this.#cards.get(this.gift.id));
  }

  /** @param {() => void} recharge */
  #wallet(recharge) {
    return element("button", {
      class: "wallet-chip", testid: "recharge", attrs: { type: "button" }, on: { click: recharge },
    }, icon("coin"), this.balanceNode, element("span", { class: "visually-hidden", text: " coins. Open your wallet" }), element("span", { class: "wallet-plus" }, icon("plus")));
  }

  #tabList() {
    const list = element("div", { class: "tier-tabs", attrs: { role: "tablist", "aria-label": "Tiers" } }, ...this.tabs);
    rovingFocus(list, { selector: "[role=tab]", choose: (tab) => this.#chooseTier(/** @type {Tier} */ (tab.dataset.tier)) });
    return list;
  }

  /** @param {Tier} tier */
  #tab(tier) {
    return element("button", {
      class: "tier-tab", text: TIER_NAMES[tier], testid: `tab-${tier}`,
      attrs: { type: "button", role: "tab", id: `tab-${tier}`, "aria-controls": `panel-${tier}`, "data-tier": tier },
      on: { click: () => this.#chooseTier(tier) },
    });
  }

  /** @param {Tier} tier */
  #panel(tier) {
    const grid = element("div", { class: "gift-grid", attrs: { role: "radiogroup", "aria-label": `${TIER_NAMES[tier]} gifts` } },
      ...this.catalogue.inTier(tier).map((gift) => this.#card(gift)));
    rovingFocus(grid, { selector: "[role=radio]", choose: (card) => this.choose(card.dataset.gift ?? "") });
    return element("div", {
      class: "gift-panel", attrs: { role: "tabpanel", id: `panel-${tier}`, "aria-labelledby": `tab-${tier}` },
    }, grid);
  }

  /** @param {Gift} gift */
  #card(gift) {
    const card = element("button", {
      class: "gift-card", testid: `gift-${gift.id}`,
      attrs: {
        type: "button", role: "radio", "data-gift": gift.id, "data-tier": gift.tier,
        "aria-label": `${gift.name}, ${formatNumber(gift.coins)} ${gift.coins === 1 ? "coin" : "coins"}${gift.streakable ? ", hold to combo" : ""}`,
      },
      on: { click: () => this.choose(gift.id) },
    },
    element("img", { class: "gift-art", attrs: { src: artUrl(gift.id), alt: "", width: 64, height: 64, loading: "lazy", draggable: "false" } }),
    element("span", { class: "gift-name", text: gift.name }),
    element("span", { class: "gift-price number" }, icon("coin"), formatNumber(gift.coins)),
    gift.streakable && element("span", { class: "gift-combo", attrs: { title: "Hold to combo" } }, icon("bolt")));
    this.#cards.set(gift.id, card);
    return card;
  }

  /** @param {number} quantity */
  #quantity(quantity) {
    return element("button", {
      class: "quantity number", text: formatNumber(quantity), testid: `qty-${quantity}`,
      attrs: { type: "button", role: "radio", "data-quantity": quantity, "aria-label": `Quantity ${quantity}` },
      on: { click: () => this.#chooseQuantity(quantity) },
    });
  }

  #footer() {
    const quantities = element("div", { class: "quantities", attrs: { role: "radiogroup", "aria-label": "Quantity" } }, ...this.quantities);
    rovingFocus(quantities, { selector: "[role=radio]", choose: (button) => this.#chooseQuantity(Number(button.dataset.quantity)) });
    return element("div", { class: "gift-footer" }, quantities, this.send.node);
  }

  /** @param {Tier} tier */
  #chooseTier(tier) {
    const place = this.tiers.indexOf(tier);
    markChosen(this.tabs, this.tabs[place], "aria-selected");
    this.panels.forEach((panel, i) => { panel.hidden = i !== place; });
    this.choose(this.gift.tier === tier ? this.gift.id : this.catalogue.inTier(tier)[0].id);
  }

  /** @param {string} giftId */
  choose(giftId) {
    this.gift = this.catalogue.get(giftId);
    const chosen = this.#cards.get(giftId);
    if (!chosen) return;
    for (const card of this.#cards.values()) card.setAttribute("aria-checked", String(card === chosen));
    const siblings = /** @type {HTMLElement[]} */ ([...(chosen.parentElement?.children ?? [])]);
    markChosen(siblings, chosen, "aria-checked");
    this.send.render();
  }

  /** @param {number} quantity */
  #chooseQuantity(quantity) {
    this.quantity = quantity;
    const chosen = this.quantities[QUANTITIES.indexOf(quantity)];
    markChosen(this.quantities, chosen, "aria-checked");
    this.send.render();
  }

  #renderBalance() {
    const { coins, known } = this.balance;
    setText(this.balanceNode, known ? formatNumber(coins) : "–");
    this.balanceNode.dataset.value = known ? String(coins) : "";
    for (const gift of this.catalogue.gifts) {
      this.#cards.get(gift.id)?.classList.toggle("is-dear", known && gift.coins > coins);
    }
    this.send.render();
  }
}

