/**
 * One tab stop for a group of buttons; arrow keys, Home and End move inside it.
 */

/** @type {Readonly<Record<string, number>>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/**
 * @param {HTMLElement} group
 * @param {{selector: string, choose: (button: HTMLElement) => void}} options choose: called when a key moves to a button
 */
export function rovingFocus(group, { selector, choose }) {
  group.addEventListener("keydown", (event) => {
    const buttons = /** @type {HTMLElement[]} */ ([...group.querySelectorAll(selector)]);
    const from = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    if (from === -1) return;
    const to = target(event.key, from, buttons);
    if (to === null) return;
    event.preventDefault();
    const button = buttons[Math.min(buttons.length - 1, Math.max(0, to))];
    button.focus();
    choose(button);
  });
}

/**
 * @param {string} key
 * @param {number} from
 * @param {HTMLElement[]} buttons
 * @returns {number|null}
 */
function target(key, from, buttons) {
  if (key === "Home") return 0;
  if (key === "End") return buttons.length - 1;
  if (key in STEPS) return from + STEPS[key];
  if (key !== "ArrowDown" && key !== "ArrowUp") return null;
  const columns = columnsOf(buttons);
  const to = from + (key === "ArrowDown" ? columns : -columns);
  return to >= 0 && to < buttons.length ? to : from;
}

/** @param {HTMLElement[]} buttons @returns {number} how many stand in the first row */
function columnsOf(buttons) {
  const top = buttons[0].offsetTop;
  const second = buttons.findIndex((button) => button.offsetTop !== top);
  return second === -1 ? 1 : second;
}

/**
 * Marks one button of a group as the chosen one and as its tab stop.
 * @param {Iterable<HTMLElement>} buttons
 * @param {HTMLElement} chosen
 * @param {"aria-checked"|"aria-selected"} state
 */
export function markChosen(buttons, chosen, state) {
  for (const button of buttons) {
    button.setAttribute(state, String(button === chosen));
    button.tabIndex = button === chosen ? 0 : -1;
  }
}
