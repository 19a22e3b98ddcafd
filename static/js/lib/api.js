/**
 * The HTTP interface under /api/v1: bearer token, problem+json errors, idempotency keys.
 */

/** @typedef {import("./session.js").Session} Session */

const API_ROOT = "/api/v1";
const REQUEST_TIMEOUT_MS = 15_000;

/** A refusal by the server (its code), or `unavailable` when no answer came. */
export class ApiError extends Error {
  /** @param {{code: string, message: string, status: number, retry_ms?: number}} problem status 0 when no answer came */
  constructor({ code, message, status, retry_ms }) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retry_ms = retry_ms;
  }
}

/** @returns {string} a fresh key for one money-moving request; reuse it when the same request is retried */
export function newIdempotencyKey() {
  return randomId();
}

/** @returns {string} 32 hex digits; works on plain-http origins too, where crypto.randomUUID is missing */
export function randomId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {string} path @param {Record<string, string|number|null|undefined>} query null and undefined are left out */
function withQuery(path, query) {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) search.set(name, String(value));
  }
  return search.size ? `${path}?${search}` : path;
}

export class Api {
  /** @param {Session} session its token goes with every request; a 401 signs it out */
  constructor(session) {
    this.session = session;
  }

  /**
   * @param {string} path under /api/v1, with its leading slash
   * @param {Record<string, string|number|null|undefined>} [query] null and undefined are left out
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  get(path, query = {}) {
    return this.#request("GET", withQuery(path, query));
  }

  /**
   * A file, such as a table.
   * @param {string} path @param {Record<string, string|number|null|undefined>} [query]
   * @returns {Promise<Blob>}
   * @throws {ApiError}
   */
  getFile(path, query = {}) {
    return this.#request("GET", withQuery(path, query), undefined, undefined, (response) => response.blob());
  }

  /**
   * @param {string} path
   * @param {object} [body]
   * @param {{idempotencyKey?: string}} [options] give the key on every POST that moves money
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  post(path, body = {}, { idempotencyKey } = {}) {
    return this.#request("POST", path, body, idempotencyKey);
  }

  /**
   * Sends a file as it is.
   * @param {string} path @param {Blob} file @param {string} type its media type, as the server wants it
   * @param {Record<string, string|number|null|undefined>} [query]
   * @returns {Promise<any>}
   * @throws {ApiError}
   */
  postFile(path, file, type, query = {}) {
    return this.#request("POST", withQuery(path, query), new Blob([file], { type }));
  }

  /** @param {string} path @param {object} [body] @returns {Promise<any>} @throws {ApiError} */
  put(path, body) {
    return this.#request("PUT", path, body);
  }

  /** @param {string} path @returns {Promise<any>} @throws {ApiError} */
  delete(path) {
    return this.#request("DELETE", path);
  }

  /**
   * Signs in as a demo viewer.
   * @param {string} name
   * @returns {Promise<{token: string, user: {id: string, name: string}, coins: number}>}
   * @throws {ApiError} status 404 when the server is not in demo mode
   */
  async demoLogin(name) {
    const answer = await this.post("/demo/login", { name });
    this.session.signIn(answer.token, answer.user);
    return answer;
  }

  /**
   * @param {string} method @param {string} path @param {object} [body] a Blob goes as it is, all else as JSON
   * @param {string} [idempotencyKey]
   * @param {(response: Response) => Promise<any>} [read] of an answer that is no refusal
   */
  async #request(method, path, body, idempotencyKey, read = (response) => response.json().catch(() => null)) {
    const { token } = this.session;
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body) headers["Content-Type"] = body instanceof Blob ? body.type : "application/json";
    if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
    let response;
    try {
      response = await fetch(API_ROOT + path, {
        method,
        headers,
        body: body instanceof Blob ? body : body && JSON.stringify(body),
        cache: "no-store",
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    } catch {
      throw new ApiError({ code: "unavailable", message: "The server cannot be reached.", status: 0 });
    }
    const answer = await (response.ok ? read(response) : response.json().catch(() => null));
    if (response.ok && answer !== null) return answer;
    if (response.status === 401 && token && token === this.session.token) this.session.signOut();
    throw new ApiError({
      code: answer?.code ?? "unavailable",
      message: answer?.detail ?? answer?.title ?? `The server answered ${response.status}.`,
      status: response.status,
      retry_ms: answer?.retry_ms,
    });
  }
}
