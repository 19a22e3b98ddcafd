/**
 * Builds DOM nodes from data that must never be read as markup: text goes in as text nodes only.
 */

/**
 * @typedef {object} ElementOptions
 * @property {string} [class] class list
 * @property {string} [text] text content
 * @property {string} [testid] value of data-testid
 * @property {Record<string, string|number|boolean|null|undefined>} [attrs] attributes; null, undefined and false are left out
 * @property {Record<string, EventListener>} [on] event listeners by type
 */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {ElementOptions} [options]
 * @param {...(Node|string|null|undefined|false)} children strings become text nodes
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, options = {}, ...children) {
  const node = document.createElement(tag);
  if (options.class) node.className = options.class;
  if (options.text !== undefined) node.textContent = options.text;
  if (options.testid) node.dataset.testid = options.testid;
  for (const [name, value] of Object.entries(options.attrs ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const [type, listener] of Object.entries(options.on ?? {})) node.addEventListener(type, listener);
  for (const child of children) if (child) node.append(child);
  return node;
}

/**
 * A decorative icon from /static/icons, drawn in the text colour (theme.css maps the name to its file).
 * @param {string} name file name without ".svg"
 * @returns {HTMLElement}
 */
export function icon(name) {
  return element("span", { class: `icon icon-${name}`, attrs: { "aria-hidden": "true" } });
}

/**
 * Text written by a user, kept apart from the direction of the text around it.
 * @param {string} text
 * @param {string} [className]
 * @returns {HTMLElement}
 */
export function userText(text, className) {
  return element("bdi", { class: className, text });
}

/**
 * Sets the text only when it differs, and in the text node that is there: no layout for an unchanged value, no garbage
 * for a changed one.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  const only = node.firstChild;
  if (only instanceof Text && only === node.lastChild) {
    if (only.data !== text) only.data = text;
  } else if (node.textContent !== text) {
    node.textContent = text;
  }
}
