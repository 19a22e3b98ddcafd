/**
 * What stands over the stage: the creator's pill with the diamond counter, the title, the podium and the viewers.
 */

import { paintAvatar } from "../lib/avatar.js";
import { setText } from "../lib/element.js";
import { formatCompact, formatNumber } from "../lib/format.js";
import { RollingNumber } from "../lib/rolling_number.js";
import { Podium } from "./ranking.js";

/** From here on the pill has no room for every digit. */
const COMPACT_FROM = 100_000_000;

/** @param {number} diamonds @returns {string} */
function formatDiamonds(diamonds) {
  return diamonds < COMPACT_FROM ? formatNumber(diamonds) : formatCompact(diamonds);
}

export class RoomHeader {
  /** @param {ParentNode} root the room's template */
  constructor(root) {
    const find = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (root.querySelector(selector));
    this.face = find("[data-part=creator-face]");
    this.hostFace = find("[data-part=host-face]");
    this.name = find("[data-part=creator-name]");
    this.title = find("[data-part=title]");
    this.viewers = find("[data-testid=viewers]");
    this.diamonds = new RollingNumber({ testid: "diamonds", format: formatDiamonds });
    find("[data-part=diamonds]").append(this.diamonds.node);
    this.podium = new Podium(find("[data-part=podium]"));
  }

  /** @param {import("../lib/room_state.js").RoomState} state */
  render(state) {
    if (state.creator) {
      paintAvatar(this.face, state.creator);
      paintAvatar(this.hostFace, state.creator);
      setText(this.name, state.creator.name);
    }
    setText(this.title, state.title);
    setText(this.viewers, formatCompact(state.viewers));
    this.viewers.dataset.value = String(state.viewers);
    this.diamonds.set(state.diamonds);
    this.podium.render(state.top);
  }
}
