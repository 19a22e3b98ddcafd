/**
 * The sign-in sheet: a name is enough where the server offers demo sign-in; elsewhere a token is needed.
 */

import { ApiError } from "./api.js";
import { element, setText } from "./element.js";
import { explain } from "./problems.js";
import { Sheet } from "./sheet.js";

const NAME_LENGTH_MAX = 40;
const LEAD = "Choose a name to chat and send gifts. You start with coins to try it out.";
const NO_DEMO = "This server has no demo sign-in. Open this page with your token at the end of its address: #token=…";

/**
 * Asks until someone is signed in.
 * @param {import("./api.js").Api} api
 * @param {{dismissable: boolean, title?: string, lead?: string}} options title, lead: what it says above the name
 * @returns {Promise<boolean>} false when the sheet was dismissed
 */
export function signIn(api, { dismissable, title = "Join the live", lead = LEAD }) {
  const input = element("input", {
    class: "input", testid: "sign-in-name",
    attrs: { id: "sign-in-name", name: "name", autocomplete: "nickname", maxlength: NAME_LENGTH_MAX, required: true, placeholder: "Ana", dir: "auto", "aria-describedby": "sign-in-error" },
  });
  const error = element("p", { class: "field-error", testid: "sign-in-error", attrs: { id: "sign-in-error", role: "alert" } });
  const submit = element("button", { class: "button button-primary", text: "Continue", testid: "sign-in", attrs: { type: "submit" } });
  const form = element("form", { class: "sign-in", attrs: { novalidate: true } },
    element("p", { class: "sign-in-lead", text: lead }),
    element("div", { class: "field" }, element("label", { text: "Your name", attrs: { for: "sign-in-name" } }), input, error),
    submit,
    !dismissable && element("a", { class: "button button-quiet", text: "Back to the lobby", attrs: { href: "/" } }));
  const sheet = new Sheet({ title, class: "sign-in-sheet", testid: "sign-in-sheet", dismissable }, form);

  return new Promise((resolve) => {
    let done = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const name = input.value.trim();
      if (name === "") return setText(error, "Please enter a name.");
      submit.disabled = true;
      setText(error, "");
      try {
        await api.demoLogin(name);
        done = true;
        sheet.close();
      } catch (problem) {
        if (!(problem instanceof ApiError)) throw problem;
        setText(error, problem.status === 404 ? NO_DEMO : explain(problem.code, problem.message));
      } finally {
        submit.disabled = false;
      }
    });
    sheet.addEventListener("close", () => {
      sheet.dialog.remove();
      resolve(done);
    });
    sheet.open(input);
  });
}
