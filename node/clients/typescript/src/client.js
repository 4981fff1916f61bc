// Requests to a node: JSON there and back, errors with the node's own code and hint, streams as async iterables.
import { events } from "./sse.js";

/** What a node answers when it does not do what was asked; `code` is stable, `hint` says what to do next. */
export class WeftError extends Error {
  constructor(status, code, message, hint, options) {
    super(message, options);
    this.name = "WeftError";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export class Client {
  #url;
  #token;
  #fetch;

  constructor({ url, token, fetch = globalThis.fetch.bind(globalThis) }) {
    this.#url = String(url).replace(/\/+$/, "");
    this.#token = token;
    this.#fetch = fetch;
  }

  /** Asks, and gives the answer's document; of a stream, its events as they come. */
  async request(method, path, { path: places = {}, query = {}, body, signal } = {}) {
    const response = await this.#send(method, address(this.#url, path, places, query), body, signal);
    if (!response.ok) throw await refusal(response);
    if (response.status === 204) return undefined;
    const isStream = (response.headers.get("content-type") ?? "").startsWith("text/event-stream");
    return isStream ? events(response) : response.json();
  }

  async #send(method, url, body, signal) {
    // A function, because a node makes a new token whenever it starts.
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    const headers = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    try {
      return await this.#fetch(url, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      const hint = "is the node running (`weft up`), and is this page's origin among its `--origin`?";
      throw new WeftError(0, "unreachable", `no answer from the node at ${new URL(url).origin}`, hint, { cause });
    }
  }
}

function address(base, path, places, query) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    if (places[name] === undefined) throw new TypeError(`${path} needs \`${name}\``);
    return encodeURIComponent(places[name]);
  });
  const asked = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)])).toString();
  return `${base}/api/v1${filled}${search && `?${search}`}`;
}

async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  const code = error?.code ?? "unknown";
  return new WeftError(response.status, code, error?.message ?? `the node answered ${response.status}`, error?.hint ?? "");
}
