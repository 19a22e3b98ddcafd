/**
 * The pretend provider's checkout: the buyer chooses what shall happen to the payment, also long after it was made.
 */

import { Api, ApiError } from "../lib/api.js";
import { element, setText } from "../lib/element.js";
import { formatMoney } from "../lib/format.js";
import { Session } from "../lib/session.js";

/** @typedef {{purchase: string, transaction: string, price: {amount: number, currency: string}, method: string, state: string, outcomes: string[]}} Payment */

/** @type {Readonly<Record<string, [string, string]>>} what each outcome is called, and what it does */
const OUTCOMES = {
  success: ["It works", "Paid, and the shop hears of it at once."],
  decline: ["It is declined", "The bank says no. Nothing is charged."],
  pending: ["It takes a while", "Pending now, paid in 20 seconds."],
  expired: ["Nobody pays in time", "The checkout expires."],
  late_webhook: ["The webhook is late", "Paid at once, and the shop hears of it in 15 seconds."],
  double_webhook: ["The webhook comes twice", "Paid, and the shop is told two times at once."],
  network_loss: ["The webhook is lost", "Paid, and nobody tells the shop: it has to ask."],
  refund: ["Give the money back", "A refund of all of it."],
  dispute: ["The buyer disputes it", "The bank takes the money back, so far."],
  dispute_won: ["The shop wins the dispute", "The money returns."],
  dispute_lost: ["The shop loses the dispute", "The money is gone for good."],
};

/** @type {Readonly<Record<string, [string, string]>>} what is shown of each way to pay */
const MEANS = {
  card: ["Card", "•••• 4242"], paypal: ["PayPal", "buyer@example.com"], apple_pay: ["Apple Pay", "on this device"],
  google_pay: ["Google Pay", "on this device"], mobile_wallet: ["Mobile wallet", "+000 •••• 4242"],
};

/** @type {Readonly<Record<string, string>>} */
const STATES = {
  open: "to be paid", pending: "pending", paid: "paid", declined: "declined", expired: "expired", refunded: "refunded",
  disputed: "disputed", won: "paid: the dispute was won", lost: "lost in a dispute",
};

// The provider's page knows nobody's session.
const api = new Api(new Session(null, null));
const purchase = decodeURIComponent(location.pathname.split("/").at(-1) ?? "");
const address = `/sandbox/payments/${encodeURIComponent(purchase)}`;
const card = /** @type {HTMLElement} */ (document.querySelector("[data-part=card]"));
const back = `/wallet#coins/${encodeURIComponent(purchase)}`;

/** @param {Payment} payment */
function render(payment) {
  const [means, detail] = MEANS[payment.method] ?? [payment.method, ""];
  const open = payment.state === "open";
  const error = element("p", { class: "field-error", testid: "checkout-error", attrs: { role: "alert" } });
  const go = element("button", { class: "button button-primary", text: open ? `Pay ${formatMoney(payment.price)}` : "Let it happen", testid: "checkout-go", attrs: { type: "submit" } });
  const choices = element("fieldset", { class: "happenings" }, element("legend", { text: "What shall happen?" }), ...payment.outcomes.map(choice));
  const form = element("form", {
    attrs: { novalidate: true }, class: "checkout-card-form",
    on: {
      submit: (event) => {
        event.preventDefault();
        const chosen = /** @type {HTMLInputElement|null} */ (form.querySelector("input:checked"));
        if (chosen) play(chosen.value, go, error);
      },
    },
  }, choices, error, go);
  card.replaceChildren(
    element("div", { class: "checkout-head" }, element("h1", { text: "giftstream coins" }), element("span", { class: "checkout-state", text: STATES[payment.state] ?? payment.state, testid: "checkout-state" })),
    element("p", { class: "checkout-amount number", text: formatMoney(payment.price) }),
    element("div", { class: "checkout-means" }, element("span", { text: means }), element("span", { text: detail })),
    ...(payment.outcomes.length > 0 ? [form] : []),
    element("a", { class: "button", text: open ? "Leave without paying" : "Back to the wallet", testid: "checkout-back", attrs: { href: back } }),
    element("p", { class: "checkout-foot", text: `Payment ${payment.transaction} for purchase ${payment.purchase}` }));
}

/** @param {string} outcome @param {number} place */
function choice(outcome, place) {
  const [name, detail] = OUTCOMES[outcome] ?? [outcome, ""];
  return element("label", { class: "happening", testid: `outcome-${outcome}` },
    element("input", { attrs: { type: "radio", name: "outcome", value: outcome, checked: place === 0 } }),
    element("span", {}, name, element("small", { text: detail })));
}

/**
 * @param {string} outcome
 * @param {HTMLButtonElement} button
 * @param {HTMLElement} error
 */
async function play(outcome, button, error) {
  button.disabled = true;
  try {
    await api.post(address, { outcome });
    location.assign(back);
  } catch (problem) {
    if (!(problem instanceof ApiError)) throw problem;
    setText(error, problem.message);
    if (problem.code === "conflict") render(await api.get(address));
  } finally {
    button.disabled = false;
  }
}

api.get(address).then(render, (problem) => {
  card.replaceChildren(
    element("p", { testid: "checkout-none", text: problem.status === 404 ? "There is no such payment." : "The payment cannot be shown right now." }),
    element("a", { class: "button", text: "Back to the wallet", attrs: { href: "/wallet#coins" } }));
});
