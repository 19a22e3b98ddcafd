/**
 * Earnings and cash-out: what came in, from whom and when, and the way to have it paid. Looked at again while it is open.
 */

import { element } from "../../lib/element.js";
import { explain } from "../../lib/problems.js";
import { StepUpSheet } from "../../lib/step_up.js";
import { showToast } from "../../lib/toasts.js";
import { BalancePanel } from "./balance_panel.js";
import { Breakdown } from "./breakdown.js";
import { CashOutDialog } from "./cash_out_dialog.js";
import { HeatMap } from "./heat_map.js";
import { PayoutList } from "./payout_list.js";
import { SecurityPanel } from "./security_panel.js";
import { StatementList } from "./statement_list.js";
import { SummaryPanel } from "./summary_panel.js";

/** @typedef {import("../../lib/api.js").ApiError} ApiError */
/** @typedef {import("./balance_panel.js").CashOutTerms} CashOutTerms */

const DAYS_AT_FIRST = 28;
const MONEY_EVERY_MS = 4_000;
/** Analytics are looked at again every so many times that the money is. */
const ANALYTICS_EVERY = 8;

export class MoneyPage {
  /** @type {CashOutTerms|null} */
  #terms = null;
  #days = DAYS_AT_FIRST;
  #timer = 0;
  #looks = 0;

  /** @param {import("../../lib/api.js").Api} api @param {HTMLElement} root */
  constructor(api, root) {
    this.api = api;
    const stepUp = new StepUpSheet(api);
    this.balance = new BalancePanel(() => this.#terms && this.dialog.open(this.#terms));
    this.dialog = new CashOutDialog(api, stepUp);
    this.dialog.addEventListener("requested", () => this.#lookAtMoney());
    this.dialog.picker.addEventListener("change", () => this.#terms && (this.#terms.methods = this.dialog.picker.methods));
    this.summary = new SummaryPanel(DAYS_AT_FIRST);
    this.summary.addEventListener("period", (event) => {
      this.#days = /** @type {CustomEvent} */ (event).detail;
      this.#lookAtEarnings();
    });
    this.heat = new HeatMap(api, () => this.#days);
    this.breakdown = new Breakdown(api, DAYS_AT_FIRST);
    this.payouts = new PayoutList(api);
    this.statements = new StatementList(api);
    this.security = new SecurityPanel(stepUp);
    root.append(
      element("h1", { class: "visually-hidden", text: "Earnings and cash-out" }),
      element("div", { class: "money-grid" },
        this.balance.node, this.summary.node, this.heat.node, this.breakdown.node,
        element("div", { class: "money-side" }, this.payouts.node, this.statements.node, this.security.node)));
    document.addEventListener("visibilitychange", () => this.#timer && !document.hidden && this.#look());
  }

  open() {
    this.close();
    this.#looks = 0;
    this.statements.load();
    this.#look();
  }

  close() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** Now, and again in a while as long as the page can be seen. */
  async #look() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => !document.hidden && this.#look(), MONEY_EVERY_MS);
    const earnings = this.#looks % ANALYTICS_EVERY === 0;
    this.#looks += 1;
    await Promise.all([this.#lookAtMoney(), earnings && this.#lookAtEarnings()]);
  }

  async #lookAtMoney() {
    await Promise.all([this.payouts.load(), this.#readTerms()]);
  }

  async #readTerms() {
    try {
      const terms = await this.api.get("/creator/cash-out");
      this.#terms = terms;
      this.balance.render(terms);
      this.security.render(terms.step_up);
    } catch (problem) {
      if (!this.#terms) tell(/** @type {ApiError} */ (problem));
    }
  }

  async #lookAtEarnings() {
    const days = this.#days;
    await Promise.all([this.breakdown.load(days), this.api.get("/creator/analytics", { days }).then((analytics) => {
      if (days !== this.#days) return;
      this.summary.render(analytics);
      this.heat.render(analytics.heat);
    }, (problem) => this.#looks <= 1 && tell(problem))]);
  }
}

/** @param {ApiError} problem */
function tell({ code, message }) {
  showToast(explain(code, message), { kind: "problem" });
}
