/**
 * Who is looking: the bearer token of this tab. It lives in sessionStorage, so two tabs can be two viewers.
 */

const STORAGE_KEY = "giftstream.session";

/**
 * @typedef {{id: string, name: string}} User
 */

export class Session extends EventTarget {
  /** @param {string|null} token @param {User|null} user */
  constructor(token, user) {
    super();
    this.token = token;
    this.user = user;
  }

  /**
   * The session of this tab. A token in the address's fragment (`#token=…`) wins and is taken out of the address bar.
   * @returns {Session}
   */
  static fromPage() {
    const fragment = new URLSearchParams(location.hash.slice(1));
    const token = fragment.get("token");
    if (token) {
      fragment.delete("token");
      const rest = fragment.toString();
      history.replaceState(history.state, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
      const session = new Session(token, null);
      session.#store();
      return session;
    }
    return Session.#stored();
  }

  /** @returns {Session} */
  static #stored() {
    try {
      const saved = JSON.parse(sessionStorage.getItem(STORAGE_KEY) ?? "null");
      if (saved && typeof saved.token === "string") return new Session(saved.token, saved.user ?? null);
    } catch {
      // Storage is blocked or holds something else: start signed out.
    }
    return new Session(null, null);
  }

  get signedIn() {
    return this.token !== null;
  }

  /**
   * Fires "change".
   * @param {string} token
   * @param {User|null} user
   */
  signIn(token, user) {
    this.token = token;
    this.user = user;
    this.#store();
    this.dispatchEvent(new Event("change"));
  }

  /** Keeps what the server says about the token's owner. @param {User} user */
  identify(user) {
    this.user = user;
    this.#store();
  }

  /** Fires "change". */
  signOut() {
    this.token = null;
    this.user = null;
    this.#store();
    this.dispatchEvent(new Event("change"));
  }

  #store() {
    try {
      if (this.token === null) sessionStorage.removeItem(STORAGE_KEY);
      else sessionStorage.setItem(STORAGE_KEY, JSON.stringify({ token: this.token, user: this.user }));
    } catch {
      // Without storage the session lasts as long as the page.
    }
  }
}
