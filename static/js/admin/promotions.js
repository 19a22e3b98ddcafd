/**
 * The tab "Promotions": promotions and challenges with their versions. A promotion is tried on a purchase before it is
 * added, a challenge on the time that has just passed.
 */

import { element } from "../lib/element.js";
import { formatMoney, formatNumber } from "../lib/format.js";
import { card, caseRow, moment } from "./case_row.js";
import { attempt, deed } from "./doing.js";
import { CHALLENGE_FIELDS, PROMOTION_FIELDS } from "./offer_fields.js";
import { OfferForm } from "./offer_form.js";
import { PagedList } from "./paged_list.js";

export const id = "promotions";
export const title = "Promotions";

/** Where a promotion for all regions is tried. */
const TRIAL_REGION = "US";

/** @typedef {import("../lib/api.js").Api} Api */

/** @param {HTMLElement} root @param {import("../wallet/tabs.js").TabContext} context */
export function show(root, { api }) {
  offers({ api, root, name: "promotion", fields: PROMOTION_FIELDS, preview: (terms) => tryPromotion(api, terms), facts: promotionFacts });
  offers({ api, root, name: "challenge", fields: CHALLENGE_FIELDS, preview: (terms) => tryChallenge(api, terms), facts: challengeFacts });
}

/**
 * A form for new ones, and the list of those that there are.
 * @param {{api: Api, root: HTMLElement, name: string, fields: import("./offer_fields.js").OfferField[],
 *   preview: (terms: Record<string, any>) => Promise<string>, facts: (made: any) => {ended: boolean, about: string[]}}} parts
 */
function offers({ api, root, name, fields, preview, facts }) {
  const path = `/admin/${name}s`;
  const add = async (/** @type {Record<string, any>} */ terms) => {
    const made = await api.post(path, terms);
    list.load();
    return `Added: ${made.terms.id} version ${made.version}.`;
  };
  const form = new OfferForm({ name, fields, preview, add });
  const end = async (/** @type {HTMLButtonElement} */ button, /** @type {string} */ which) => {
    await attempt(button, () => api.post(`${path}/${encodeURIComponent(which)}/end`));
    await list.load();
  };
  const list = new PagedList({ api, path, field: `${name}s`, empty: "There is none.", row: (made) => {
    const { terms, version } = made;
    const { ended, about } = facts(made);
    return caseRow({
      title: element("span", {}, element("bdi", { text: terms.name ?? terms.title }), " ", element("span", { class: "muted", text: `${terms.id}, version ${version}` })),
      testid: name, about: [...about, element("span", {}, moment(terms.starts_at), " to ", moment(terms.ends_at))],
      deeds: [
        deed("New version", () => form.fill(terms), { label: `New version of ${terms.id}, from version ${version}` }),
        ...(ended ? [] : [deed("End", (button) => end(button, terms.id), { label: `End ${terms.id}, version ${version}` })]),
      ],
    });
  } });
  root.append(card(`New ${name}, or a new version`, `${name}-form`, form.root), card(`All ${name}s`, `${name}-list`, list.root));
  list.load();
}

/** What a purchase of the first package on sale would get. @param {Api} api @param {Record<string, any>} given */
async function tryPromotion(api, { announce: _, ...terms }) {
  const platform = terms.platforms?.[0] ?? "web";
  const region = terms.regions?.[0] ?? TRIAL_REGION;
  const { packages } = await api.get("/admin/packages", { platform, region });
  const tried = packages.find((/** @type {{id: string}} */ one) => terms.packages?.includes(one.id) ?? true);
  if (!tried) return "None of its packages is on sale, so it cannot be tried.";
  const { price: { amount, currency }, coins } = tried;
  const got = await api.post("/admin/promotions/preview", { package: tried.id, coins, amount, region, platform, at: terms.starts_at, terms });
  const names = got.applied.map((/** @type {{id: string}} */ one) => one.id).join(", ") || "none";
  return `A first purchase of ${tried.id} on ${platform} in ${region} at its start: pays ${formatMoney({ amount: got.amount, currency })} of ${formatMoney(tried.price)}, gets ${formatNumber(coins)} coins and ${formatNumber(got.bonus_coins)} on top. Promotions in it: ${names}.`;
}

/** @param {Api} api @param {Record<string, any>} given */
async function tryChallenge(api, { announce: _, ...terms }) {
  const would = await api.post("/admin/challenges/preview", terms);
  return `In the same length of time up to now: ${formatNumber(would.participants)} would have taken part, ${formatNumber(would.winners)} would have won ${formatNumber(would.coins)} coins.`;
}

/** @param {any} made */
function promotionFacts({ terms, active, uses, used_coins }) {
  const worth = terms.percent === null ? `${formatNumber(terms.coins)} coins on top` : `${terms.percent} % ${terms.kind}`;
  return { ended: !active, about: [worth, active ? "active" : "not active", `used ${formatNumber(uses)} of ${formatNumber(terms.uses_max)}, ${formatNumber(used_coins)} coins`] };
}

/** @param {any} made */
function challengeFacts({ terms, state }) {
  return { ended: state !== "open", about: [terms.kind, state, `${terms.metric} of a ${terms.side}`] };
}
