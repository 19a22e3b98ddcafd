/**
 * The parts of studio.html, found once, by id; a missing one is a fault of the page and shows at once.
 */

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (node === null) throw new Error(`studio.html has no #${id}`);
  return /** @type {T} */ (node);
}

const VIEWS = ["loading", "sign-in", "lobby", "live", "money"];

/** @param {"loading"|"sign-in"|"lobby"|"live"|"money"} view the one part of the page that is shown */
export function showView(view) {
  document.body.dataset.view = view;
  for (const each of VIEWS) byId(each).hidden = each !== view;
}
