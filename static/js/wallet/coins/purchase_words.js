/**
 * The states of a purchase in plain words.
 */

import { formatNumber } from "../../lib/format.js";

/**
 * @typedef {"created"|"pending"|"paid"|"credited"|"declined"|"expired"|"refunded"|"charged_back"} PurchaseStatus
 * @typedef {{amount: number, currency: string}} Money
 * @typedef {{id: string, status: PurchaseStatus, coins: number, bonus_coins: number, coins_back: number, price: Money,
 *   package: string, platform: string, region: string, provider: string, method: string, transaction: string|null,
 *   created_at: string, expires_at: string, paid_at: string|null, credited_at: string|null}} Purchase
 * @typedef {{tone: "waiting"|"good"|"bad", icon: string, label: string, title: string, text: string, open: boolean}} Words
 */

/** @type {Readonly<Record<string, string>>} */
const METHODS = {
  card: "Card", paypal: "PayPal", apple_pay: "Apple Pay", google_pay: "Google Pay", mobile_wallet: "Mobile wallet",
  stripe: "Card or another method, at Stripe", app_store: "App Store", google_play: "Google Play",
};

/** @param {string} method @returns {string} */
export function methodName(method) {
  return METHODS[method] ?? method;
}

/**
 * @param {Purchase} purchase
 * @returns {Words} open: something more can happen by itself
 */
export function wordsOf({ status, coins, bonus_coins, coins_back }) {
  const all = formatNumber(coins + bonus_coins);
  switch (status) {
    case "created": return { tone: "waiting", icon: "clock", label: "waiting", open: true, title: "Waiting for the payment", text: "Nothing has been paid yet, as far as we know. If you have paid, this changes within a minute." };
    case "pending": return { tone: "waiting", icon: "clock", label: "pending", open: true, title: "The payment is on its way", text: "Your bank or wallet has not confirmed it yet. Your coins arrive as soon as it does; you need not keep this page open." };
    case "paid": return { tone: "waiting", icon: "clock", label: "paid", open: true, title: "Paid, and your coins follow", text: "The payment is here. Your coins arrive in a moment." };
    case "credited": return { tone: "good", icon: "check", label: "received", open: false, title: `${all} coins have arrived`, text: coins_back > 0 ? `Part of the payment was taken back, and ${formatNumber(coins_back)} coins with it.` : "They are in your wallet on every page that you have open." };
    case "declined": return { tone: "bad", icon: "alert", label: "declined", open: false, title: "The payment was declined", text: "You were not charged. Try again, perhaps with another method." };
    case "expired": return { tone: "bad", icon: "alert", label: "expired", open: false, title: "The time to pay is over", text: "You were not charged. If a payment still comes in, its coins arrive all the same." };
    case "refunded": return { tone: "bad", icon: "alert", label: "refunded", open: false, title: "The payment was refunded", text: `You have your money back, and ${formatNumber(coins_back)} coins were taken back.` };
    case "charged_back": return { tone: "bad", icon: "alert", label: "charged back", open: false, title: "Your bank took the payment back", text: `${formatNumber(coins_back)} coins were taken back with it. If that is decided in our favour, they return.` };
    default: return { tone: "waiting", icon: "clock", label: status, open: false, title: status, text: "" };
  }
}
