/**
 * What is shown once while an authenticator app is set up: its secret, and the recovery codes.
 */

import { element } from "./element.js";
import { saveText } from "./save_file.js";

const GROUP = 4;

/**
 * @param {string} why
 * @param {{secret: string, uri: string, qr: string}} enrolment
 * @returns {HTMLElement}
 */
export function enrolmentView(why, { secret, uri, qr }) {
  return element("div", { class: "step-up-enrolment" },
    element("p", { class: "muted", text: why }),
    element("p", { text: "Scan this with an authenticator app, or type the key into it." }),
    element("img", { class: "step-up-qr", attrs: { src: qr, alt: "QR code with the key below", width: 160, height: 160 } }),
    element("code", { class: "step-up-secret", testid: "step-up-secret", text: grouped(secret), attrs: { "data-secret": secret } }),
    element("a", { class: "button button-quiet", text: "Open in an app on this device", attrs: { href: uri } }));
}

/**
 * @param {string[]} codes
 * @param {() => void} done
 * @returns {HTMLElement}
 */
export function recoveryView(codes, done) {
  return element("div", { class: "step-up-recovery" },
    element("p", { class: "muted", text: "Each of these works once in place of a code of the app. They are shown only now: keep them where you would find them without your phone." }),
    element("ul", { class: "step-up-codes", testid: "recovery-codes" }, ...codes.map((code) => element("li", {}, element("code", { text: code })))),
    element("div", { class: "step-up-buttons" },
      element("button", {
        class: "button", text: "Save as a file", attrs: { type: "button" },
        on: { click: () => saveText("giftstream-recovery-codes.txt", `${codes.join("\n")}\n`) },
      }),
      element("button", {
        class: "button button-primary", text: "I have kept them", testid: "recovery-done", attrs: { type: "button", "data-first-focus": true },
        on: { click: done },
      })));
}

/** @param {string} secret */
function grouped(secret) {
  return secret.replace(new RegExp(`(.{${GROUP}})(?=.)`, "g"), "$1 ");
}
