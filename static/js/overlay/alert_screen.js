/**
 * Draws one alert: the gift's picture with its glow and sparks, who sent it, and ×N.
 */

import { element, setText, userText } from "../lib/element.js";
import { artUrl } from "../lib/gifts.js";
import { formatNumber } from "../lib/format.js";

/** @typedef {import("./alert_queue.js").Alert} Alert */
/** @typedef {import("../lib/gifts.js").Gift} Gift */
/** @typedef {import("../lib/gifts.js").Tier} Tier */

/** @type {Readonly<Record<Tier, number>>} sparks around the picture */
const SPARKS = { small: 0, medium: 8, large: 14, epic: 20, legendary: 28 };
const FULL_TURN_DEG = 360;
const UNKNOWN_ART = artUrl("unknown");

export class AlertScreen {
  /** @type {{node: HTMLElement, times: HTMLElement, coins: HTMLElement}|null} */
  #shown = null;

  /**
   * @param {HTMLElement} container
   * @param {(giftId: string) => Gift} giftOf
   */
  constructor(container, giftOf) {
    this.container = container;
    this.giftOf = giftOf;
  }

  /** @param {Alert} alert @param {number} shownMs */
  show(alert, shownMs) {
    const gift = this.giftOf(alert.gift);
    const times = element("span", { class: "alert-times", testid: "overlay-alert-times" });
    const coins = element("span", { class: "alert-coins" });
    const node = element(
      "article",
      { class: "alert", testid: "overlay-alert", attrs: { "data-tier": gift.tier, "data-gift": gift.id } },
      this.#art(gift, shownMs),
      element(
        "div",
        { class: "alert-text plate" },
        userText(alert.from.name, "alert-sender"),
        element("p", { class: "alert-line" }, element("span", { class: "alert-gift", text: gift.name }), times),
        coins,
      ),
    );
    const [first, second] = gift.effect.colors;
    node.style.setProperty("--glow", first ?? "#ff5c8a");
    node.style.setProperty("--glow-2", second ?? first ?? "#ffd166");
    this.#shown = { node, times, coins };
    this.#write(alert);
    this.container.replaceChildren(node);
  }

  /** @param {Alert} alert a later state of the one on screen */
  update(alert) {
    if (!this.#shown) return;
    this.#write(alert);
    const { times } = this.#shown;
    times.classList.remove("pulse");
    // Reading the layout between the two restarts the animation.
    void times.offsetWidth;
    times.classList.add("pulse");
  }

  leave() {
    this.#shown?.node.classList.add("leaving");
  }

  clear() {
    this.#shown = null;
    this.container.replaceChildren();
  }

  /** @param {Alert} alert */
  #write(alert) {
    if (!this.#shown) return;
    setText(this.#shown.times, alert.times > 1 ? `×${formatNumber(alert.times)}` : "");
    setText(this.#shown.coins, `${formatNumber(alert.coins)} ${alert.coins === 1 ? "coin" : "coins"}`);
  }

  /** @param {Gift} gift @param {number} shownMs @returns {HTMLElement} */
  #art(gift, shownMs) {
    const image = element("img", { class: "alert-art", attrs: { src: artUrl(gift.id), alt: "" } });
    image.addEventListener("error", () => { image.src = UNKNOWN_ART; }, { once: true });
    const frame = element("div", { class: "alert-stage" }, element("span", { class: "alert-rays" }), image);
    const sparks = SPARKS[gift.tier];
    const colors = gift.effect.colors;
    for (let index = 0; index < sparks; index += 1) {
      const spark = element("span", { class: "spark" });
      spark.style.setProperty("--turn", `${(index * FULL_TURN_DEG) / sparks}deg`);
      spark.style.setProperty("--delay", `${(index * 137) % 900}ms`);
      spark.style.setProperty("--color", colors[index % colors.length] ?? "#fff");
      frame.append(spark);
    }
    frame.style.setProperty("--shown", `${shownMs}ms`);
    return frame;
  }
}
