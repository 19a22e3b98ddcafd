/**
 * Where the buyer lives: asked once, before the first purchase, as prices and rules depend on it.
 */

import { element } from "../../lib/element.js";

/** Codes that browsers have a name for and that are no country. */
const NO_COUNTRIES = new Set(["AC", "CP", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]);
const LETTERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];

/** @returns {Array<[string, string]>} code and name of every country, by name */
function countries() {
  const names = new Intl.DisplayNames(navigator.languages, { type: "region", fallback: "none" });
  /** @type {Array<[string, string]>} */
  const found = [];
  for (const first of LETTERS) {
    for (const second of LETTERS) {
      const code = first + second;
      const name = NO_COUNTRIES.has(code) ? undefined : names.of(code);
      if (name) found.push([code, name]);
    }
  }
  const collator = new Intl.Collator(navigator.languages);
  return found.sort(([, one], [, other]) => collator.compare(one, other));
}

/** @returns {string} where the browser's language is at home; "" if it does not say */
function likelyRegion() {
  try {
    return new Intl.Locale(navigator.language).region ?? "";
  } catch {
    return "";
  }
}

export class RegionField {
  /** @param {string|null} said before, in this tab @param {() => void} changed */
  constructor(said, changed) {
    this.select = element("select", { class: "input", testid: "region", attrs: { id: "region", required: true, autocomplete: "country" }, on: { change: changed } },
      element("option", { text: "Choose…", attrs: { value: "" } }),
      ...countries().map(([code, name]) => element("option", { text: name, attrs: { value: code } })));
    this.select.value = said ?? likelyRegion();
    this.node = element("div", { class: "field" },
      element("label", { text: "Where do you live?", attrs: { for: "region" } }), this.select,
      element("p", { class: "fine muted", text: "Asked once: your account buys there from now on." }));
  }

  /** @returns {string} ISO 3166-1 alpha-2, or "" */
  get value() {
    return this.select.value;
  }
}
