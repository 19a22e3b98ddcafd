/**
 * The chat: a bounded list whose nodes are reused, and the line to write in.
 */

import { avatar, paintAvatar } from "../lib/avatar.js";
import { chatMenu, nameChatMenu } from "../lib/chat_moderation.js";
import { element, setText, userText } from "../lib/element.js";
import { lookBadge, paintLook } from "../lib/looks.js";
import { explain } from "../lib/problems.js";
import { showToast } from "../lib/toasts.js";

/** @typedef {import("../lib/room_state.js").ChatLine & {color?: string}} ChatLine color: of a highlighted comment */

export const LINES_MAX = 60;
export const CHAT_LENGTH_MAX = 200;
/** Scrolled up by less than this still counts as following. */
const FOLLOW_SLACK_PX = 48;

export class Chat {
  /** @type {ChatLine[]} arrived since the last frame */
  #arrived = [];
  #following = true;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.list
   * @param {HTMLFormElement} parts.form
   * @param {import("../effects/frame_loop.js").FrameLoop} parts.loop
   * @param {import("../lib/socket.js").RoomSocket} parts.socket
   */
  constructor({ list, form, loop, socket }) {
    this.list = list;
    this.socket = socket;
    this.creatorId = "";
    this.input = /** @type {HTMLInputElement} */ (form.querySelector("input"));
    this.input.maxLength = CHAT_LENGTH_MAX;
    this.wake = loop.add(() => this.#frame());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    list.addEventListener("scroll", () => {
      this.#following = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_SLACK_PX;
    }, { passive: true });
    new ResizeObserver(() => this.#follow()).observe(list);
  }

  /** @param {ChatLine[]} lines */
  add(lines) {
    if (lines.length === 0) return;
    this.#arrived.push(...lines.slice(-LINES_MAX));
    if (this.#arrived.length > LINES_MAX) this.#arrived.splice(0, this.#arrived.length - LINES_MAX);
    this.wake();
  }

  /** @returns {boolean} */
  #frame() {
    for (const line of this.#arrived) this.#append(line);
    this.#arrived.length = 0;
    this.#follow();
    return false;
  }

  #follow() {
    if (this.#following) this.list.scrollTop = this.list.scrollHeight;
  }

  /** @param {ChatLine} line */
  #append({ from, text, color }) {
    const full = this.list.children.length >= LINES_MAX;
    const node = full ? /** @type {HTMLElement} */ (this.list.firstElementChild) : chatLine();
    const [face, words, menu] = /** @type {HTMLElement[]} */ ([...node.children]);
    const [look, name, badge, body] = /** @type {HTMLElement[]} */ ([...words.children]);
    paintAvatar(face, from);
    paintLook(look, from);
    setText(name, from.name);
    badge.hidden = from.id !== this.creatorId;
    setText(body, text);
    nameChatMenu(menu, from.name);
    node.classList.toggle("is-highlight", color !== undefined);
    node.style.setProperty("--pin", color ?? "");
    node.dataset.from = from.id;
    node.dataset.name = from.name;
    this.list.append(node);
  }

  async #send() {
    const text = this.input.value.trim();
    if (text === "") return;
    this.input.value = "";
    this.#following = true;
    const answer = await this.socket.sendChat(text);
    if (answer.type === "ack") return;
    if (this.input.value === "") this.input.value = text;
    // What is forbidden here the server says better: until when, for one who is muted.
    const said = answer.code === "forbidden" ? answer.message : undefined;
    showToast(said ?? explain(answer.code ?? "", answer.message), { kind: "problem" });
  }
}

/** @returns {HTMLElement} */
function chatLine() {
  const badge = element("span", { class: "chat-badge", text: "Creator" });
  return element("li", { class: "chat-line", testid: "chat-line" }, avatar(null),
    element("span", { class: "chat-words" }, lookBadge(), userText("", "chat-name"), badge, userText("", "chat-text")), chatMenu());
}
