/**
 * The tab "Prices": what is sold, what is not any more, and new versions of it. What was sold keeps the price it had.
 */

import { element } from "../lib/element.js";
import { formatMoney, formatNumber } from "../lib/format.js";
import { card, caseRow } from "./case_row.js";
import { earlierButton } from "./earlier_versions.js";
import { attempt, deed } from "./doing.js";
import { ITEM_FIELDS, PACKAGE_FIELDS } from "./offer_fields.js";
import { OfferForm } from "./offer_form.js";

export const id = "prices";
export const title = "Prices";

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api }) {
  const items = element("ul", { class: "cases", testid: "items" });
  const packages = element("ul", { class: "cases", testid: "packages" });
  const itemForm = new OfferForm({ name: "item", fields: ITEM_FIELDS, ...versions(api, "/admin/items", itemWords, () => loadItems()) });
  const packageForm = new OfferForm({ name: "package", fields: PACKAGE_FIELDS, ...versions(api, "/admin/packages", packageWords, () => loadPackages()) });
  const loadItems = async () => {
    const answer = await attempt(null, () => api.get("/admin/items"));
    items.replaceChildren(...(answer?.items ?? []).map((/** @type {any} */ item) => caseRow({
      title: element("span", {}, element("bdi", { text: item.name }), " ", element("span", { class: "muted", text: `${item.id}, version ${item.version}` })),
      testid: "item", about: [item.kind, `coins: ${formatNumber(item.coins)}`, `diamonds: ${formatNumber(item.diamonds)}`, item.tier, !item.active && "not on sale"],
      deeds: [
        deed("New version", () => itemForm.fill(item), { label: `New version of ${item.name}` }),
        earlierButton(item, async () => (await api.get("/admin/items", { item: item.id })).items, itemWords),
      ],
    })));
  };
  const loadPackages = async () => {
    const answer = await attempt(null, () => api.get("/admin/packages"));
    packages.replaceChildren(...(answer?.packages ?? []).map((/** @type {any} */ one) => caseRow({
      title: element("span", {}, `${sizeOf(one)} for ${formatMoney(one.price)} `, element("span", { class: "muted", text: `${one.id}, version ${one.version}` })),
      testid: "package",
      about: [one.platform, one.region === "*" ? "everywhere else" : one.region, `${formatMoney(one.per_1000_coins)} for 1,000 coins`, !one.active && "not on sale"],
      deeds: [
        deed("New version", () => packageForm.fill({ ...one, amount: one.price.amount, currency: one.price.currency }), { label: `New version of ${one.id}` }),
        earlierButton(one, async () => (await api.get("/admin/packages", { package: one.id })).packages, packageWords),
      ],
    })));
    if (packages.children.length === 0) packages.append(element("li", { class: "muted", text: "There is no package." }));
  };
  root.append(
    card("New version of an item, or a new item", "item-form", itemForm.root), card("Items", "item-list", items),
    card("New version of a package, or a new package", "package-form", packageForm.root), card("Packages", "package-list", packages));
  loadItems();
  loadPackages();
}

/** @param {import("../lib/api.js").Api} api @param {string} path @param {(version: any) => string} describe @param {() => void} added */
function versions(api, path, describe, added) {
  return {
    preview: async (/** @type {Record<string, any>} */ terms) => `It would be: ${describe(await api.post(path, { ...terms, preview: true }))}`,
    add: async (/** @type {Record<string, any>} */ terms) => {
      const made = await api.post(path, terms);
      added();
      return `Added: ${describe(made)}`;
    },
  };
}

/** @param {any} one a package @returns {string} how many coins, or the bounds of a custom amount */
function sizeOf({ coins, coins_min: least, coins_max: most }) {
  return least === null ? `${formatNumber(coins)} coins` : `${formatNumber(least)} to ${formatNumber(most)} coins, ${formatNumber(coins)}`;
}

/** @param {any} item */
function itemWords(item) {
  return `${item.name} (${item.id}) version ${item.version}: coins ${formatNumber(item.coins)}, diamonds ${formatNumber(item.diamonds)}, ${item.kind}, ${item.tier}, ${item.active ? "on sale" : "not on sale"}.`;
}

/** @param {any} one */
function packageWords(one) {
  return `${one.id} version ${one.version}: ${sizeOf(one)} for ${formatMoney(one.price)} on ${one.platform}, region ${one.region}, ${formatMoney(one.per_1000_coins)} for 1,000 coins, ${one.active ? "on sale" : "not on sale"}.`;
}
