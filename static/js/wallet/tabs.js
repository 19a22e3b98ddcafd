/**
 * The tabs of the wallet page, in their order: each is a module beside this one, named here by its file.
 *
 * A tab's module exports
 *   id     its place in the address (/wallet#<id>), the same as its file's name
 *   title  what stands on the bar
 *   show(root, {api, session, socket, path})  fills an empty panel each time the tab is opened; may return a function
 *          that is called when the panel is left. socket: a UserSocket, which fires every frame under its type.
 *          path: what follows the id in the address, as in /wallet#<id>/<path>, else "".
 */

const NAMES = [
  "coins",
  "rewards",
  "notices",
  "history",
  "limits",
];

/**
 * @typedef {{api: import("../lib/api.js").Api, session: import("../lib/session.js").Session,
 *   socket: import("../lib/user_socket.js").UserSocket, path: string}} TabContext
 * @typedef {{id: string, title: string, show: (root: HTMLElement, context: TabContext) => void|(() => void)}} Tab
 */

/** @returns {Promise<Tab[]>} */
export function loadTabs() {
  return Promise.all(NAMES.map((name) => import(`./${name}.js`)));
}
