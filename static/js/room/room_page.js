/**
 * One room, wired: frames go into the state, the state and its news go to the parts of the screen, at most once per
 * animation frame.
 */

import { Backdrop } from "../effects/backdrop.js";
import { FrameLoop } from "../effects/frame_loop.js";
import { Governor } from "../effects/governor.js";
import { Hearts } from "../effects/hearts.js";
import { Particles } from "../effects/particles.js";
import { StagePlayer } from "../effects/stage_player.js";
import { ChatModeration } from "../lib/chat_moderation.js";
import { formatMoment } from "../lib/format.js";
import { explain } from "../lib/problems.js";
import { KnownLooks } from "../lib/known_looks.js";
import { openReport } from "../lib/report_sheet.js";
import { applyFrame, emptyRoomState } from "../lib/room_state.js";
import { ServerClock } from "../lib/server_clock.js";
import { RoomSocket } from "../lib/socket.js";
import { showToast } from "../lib/toasts.js";
import { Announcer } from "./announcer.js";
import { Balance } from "./balance.js";
import { Bell } from "./bell.js";
import { Chat } from "./chat.js";
import { ConnectionBar } from "./connection_bar.js";
import { endedScreen, missingScreen } from "./ended_screen.js";
import { EntranceBanner } from "./entrance_banner.js";
import { FollowButton } from "./follow_button.js";
import { GiftSender } from "./gift_sender.js";
import { GiftSheet } from "./gift_sheet.js";
import { GiftTray } from "./gift_tray.js";
import { Likes } from "./likes.js";
import { PinnedComments } from "./pinned_comments.js";
import { QuickGifts } from "./quick_gifts.js";
import { RankingList, RankingSheet } from "./ranking.js";
import { RoomEffects } from "./room_effects.js";
import { RoomHeader } from "./room_header.js";
import { ShownScreen } from "./shown_screen.js";
import { SpotlightSheet } from "./spotlight_sheet.js";
import { StickerBoard } from "./sticker_board.js";
import { WalletSheet } from "./wallet_sheet.js";

/** @typedef {import("../lib/room_state.js").GiftEntry} GiftEntry */

const SIDE_RANKING = 10;
/** Time for gifts sent again after a reconnect to be answered, before the balance is asked for. */
const RECONCILE_AFTER_MS = 2_500;

export class RoomPage {
  #state = emptyRoomState();
  #wasLive = false;
  #ending = false;

  /**
   * @param {object} parts
   * @param {HTMLElement} parts.root the room's template
   * @param {import("../lib/api.js").Api} parts.api
   * @param {import("../lib/gifts.js").Catalogue} parts.catalogue
   * @param {string} parts.room
   * @param {() => void} parts.signedOut called when the token is no longer good
   */
  constructor({ root, api, catalogue, room, signedOut }) {
    const { items } = catalogue;
    const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part=${name}]`));
    this.root = root;
    this.api = api;
    this.room = room;
    this.session = api.session;
    this.catalogue = catalogue;
    this.items = items;
    this.signedOut = signedOut;
    this.socket = new RoomSocket({ token: api.session.token ?? "", room });
    this.balance = new Balance();

    const loop = new FrameLoop();
    const governor = new Governor();
    this.particles = new Particles(/** @type {HTMLCanvasElement} */ (part("particles")), loop, governor);
    this.backdrop = new Backdrop(/** @type {HTMLCanvasElement} */ (part("backdrop")), loop, governor);
    this.player = new StagePlayer(part("player"), loop, this.particles, governor);
    this.tray = new GiftTray(part("lanes"), loop, this.particles);
    this.hearts = new Hearts(part("hearts"));
    this.clock = new ServerClock();
    this.looks = new KnownLooks();
    this.shown = new ShownScreen({
      clock: this.clock,
      pins: new PinnedComments({ list: part("pins"), items, takeDown: (giftId) => this.#takeDown(giftId) }),
      effects: new RoomEffects({ host: part("effects"), chips: part("effect-chips"), items, particles: this.particles, loop }),
      stickers: new StickerBoard(part("stickers"), items),
    });
    this.entrances = new EntranceBanner(part("entrance"));
    this.header = new RoomHeader(root);
    this.follow = new FollowButton(api, part("follow"));
    this.bar = new ConnectionBar(part("connection"));
    this.announcer = new Announcer(part("announcer"));
    this.chat = new Chat({ list: part("chat"), form: /** @type {HTMLFormElement} */ (part("composer")), loop, socket: this.socket });
    this.moderation = new ChatModeration({ list: part("chat"), api, room: () => room });
    this.likes = new Likes({ surface: part("surface"), button: part("like"), origin: part("hearts"), hearts: this.hearts, socket: this.socket });

    this.wallet = new WalletSheet({ api, balance: this.balance, catalogue });
    const recharge = () => this.wallet.open();
    const sender = new GiftSender({ socket: this.socket, balance: this.balance, recharge });
    this.giftSheet = new GiftSheet({ catalogue, balance: this.balance, sender, recharge });
    this.quickGifts = new QuickGifts(part("quick-gifts"), { catalogue, sender });
    part("gift").addEventListener("click", () => this.giftSheet.open());
    this.spotlight = new SpotlightSheet({ api, room, items, balance: this.balance, sender, recharge });
    part("spotlight").addEventListener("click", () => this.spotlight.open());

    part("report").addEventListener("click", () => openReport(api, { kind: "room", id: room, name: this.#state.title }));
    this.bell = new Bell({ button: part("bell"), api, socket: this.socket, isKnown: (notice) => sender.budgets.hasSaid(notice) });
    this.rankingSheet = new RankingSheet({ api, room });
    this.ranking = new RankingList({ limit: SIDE_RANKING, testid: "side-ranking" });
    part("side-ranking").append(this.ranking.node);
    for (const name of ["open-ranking", "open-ranking-side"]) part(name).addEventListener("click", () => this.rankingSheet.open(this.#state.top));

    this.wake = loop.add(() => this.#render());
    this.#listen();
  }

  /** Joins the room. */
  start() {
    this.socket.connect();
  }

  #listen() {
    const on = (/** @type {string} */ type, /** @type {(detail: any) => void} */ handle) => {
      this.socket.addEventListener(type, (event) => handle(/** @type {CustomEvent} */ (event).detail));
    };
    on("welcome", ({ user, coins }) => {
      this.session.identify(user);
      this.moderation.setRole("viewer");
      this.balance.correct(coins);
    });
    on("wallet", ({ coins }) => this.balance.correct(coins));
    on("joined", (frame) => this.#apply(frame));
    on("standing", (frame) => this.#stand(frame));
    on("delta", (frame) => this.#apply(frame));
    on("room_ended", (frame) => this.#apply(frame));
    on("state", (detail) => this.#onConnection(detail));
    addEventListener("pagehide", () => this.socket.close());
    addEventListener("pageshow", (event) => event.persisted && this.socket.connect());
  }

  /** @param {{role: string, muted_until?: number}} standing */
  #stand({ role, muted_until }) {
    this.moderation.setRole(role);
    if (muted_until) showToast(`You are muted in this room until ${formatMoment(muted_until)}.`, { kind: "problem" });
  }

  /** @param {any} frame */
  #apply(frame) {
    if (frame.ts) this.clock.observe(frame.ts);
    const before = new Set(this.#state.effects.map(({ id }) => id));
    const { state, gifts, more, chat, likes, entrances, fresh } = applyFrame(this.#state, frame);
    this.#state = state;
    if (fresh) {
      this.tray.clear();
      this.player.clear();
      this.particles.clear();
      this.entrances.clear();
    }
    this.looks.learn([...chat, ...entrances, ...state.effects].map(({ from }) => from));
    this.shown.show(state.effects);
    this.entrances.add(entrances);
    if (state.creator) {
      this.backdrop.show(state.creator.id);
      this.follow.show(state.creator);
      this.chat.creatorId = state.creator.id;
    }
    for (const entry of gifts) this.#show(entry);
    this.announcer.more(more.count);
    this.chat.add(chat);
    if (!fresh) this.chat.add(this.#newComments(before));
    if (likes > 0) this.hearts.rise(likes);
    if (state.ended) this.#end();
    this.wake();
  }

  /** Highlighted comments that came just now: they are said in the chat as well. @param {Set<string>} before ids */
  #newComments(before) {
    return this.#state.effects.filter(({ id, kind }) => kind === "highlight" && !before.has(id)).map(({ from, text = "", at, item }) => ({
      from, text, at, color: this.items.get(item)?.effect.color,
    }));
  }

  /** @param {string} giftId what paid for a comment */
  async #takeDown(giftId) {
    const refused = await this.api.delete(`/rooms/${encodeURIComponent(this.room)}/shown/${encodeURIComponent(giftId)}`).then(() => null, (error) => error);
    if (refused) showToast(explain(refused.code, refused.message), { kind: "problem" });
  }

  /** @param {GiftEntry} entry */
  #show(entry) {
    const item = this.items.get(entry.gift);
    if (item) {
      // It has a place of its own on the screen.
      this.announcer.item(entry, item.name);
      return;
    }
    const gift = this.catalogue.get(entry.gift);
    const own = entry.from.id === this.session.user?.id;
    const combo = entry.combo ?? entry.count;
    this.tray.offer({ key: entry.combo_id ?? entry.gift_id, from: entry.from, gift, combo, coins: entry.coins, own });
    if (gift.effect.stage) this.player.add({ entry, gift, own, coins: entry.coins, count: entry.count });
    this.announcer.gift(entry, gift);
  }

  /** @returns {boolean} */
  #render() {
    this.header.render(this.#state);
    this.ranking.render(this.looks.on(this.#state.top));
    if (this.#state.title !== "" && document.title !== this.#state.title) document.title = this.#state.title;
    return false;
  }

  /** @param {import("../lib/socket.js").StateDetail} detail */
  #onConnection(detail) {
    this.bar.show(detail);
    if (detail.state === "live") {
      if (this.#wasLive) setTimeout(() => this.wallet.refreshBalance(), RECONCILE_AFTER_MS);
      this.#wasLive = true;
    }
    if (detail.state !== "closed") return;
    if (detail.reason === "unauthorized") this.signedOut();
    else if (detail.reason === "room_ended") this.#end();
    else if (detail.reason === "not_eligible") location.reload();
    else if (detail.reason === "forbidden") this.#leaveWith(missingScreen(detail.message ?? "You may not watch this room."));
    else if (detail.reason === "room_not_found") this.#leaveWith(missingScreen("This room does not exist."));
  }

  /** The totals come from the server, which also knows a room that had ended before this page came. */
  async #end() {
    if (this.#ending) return;
    this.#ending = true;
    const address = `/rooms/${encodeURIComponent(this.room)}`;
    const [final, ranking] = await Promise.all([
      this.api.get(address).catch(() => null),
      this.api.get(`${address}/top`).catch(() => null),
    ]);
    this.#leaveWith(endedScreen({
      ...this.#state,
      creator: final?.creator ?? this.#state.creator,
      diamonds: final?.diamonds ?? this.#state.diamonds,
      gifts_total: final?.gifts ?? this.#state.gifts_total,
      top: ranking?.top ?? this.#state.top,
    }));
  }

  /** @param {HTMLElement} screen */
  #leaveWith(screen) {
    this.tray.clear();
    this.player.clear();
    this.particles.clear();
    this.root.append(screen);
    for (const child of this.root.children) if (child !== screen) child.toggleAttribute("inert", true);
    const focusScreen = () => /** @type {HTMLElement|null} */ (screen.querySelector("a"))?.focus();
    for (const { sheet } of [this.giftSheet, this.spotlight, this.wallet, this.rankingSheet, this.moderation]) {
      // An open sheet keeps the focus until it is gone.
      if (sheet.isOpen) sheet.addEventListener("close", focusScreen, { once: true });
      sheet.close();
    }
    focusScreen();
  }
}
