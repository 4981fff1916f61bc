// How this page speaks to its node. `weft open` puts a ticket behind the # of the address, which is never sent; the page takes
// it out of the address at once, spends it for a token, and keeps that for this tab alone, until the tab is closed.

const KEY = "weft-token";

/** Why a request was not carried out. */
export class Refused extends Error {
  constructor(status, reason) {
    super(reason.message);
    this.status = status;
    this.code = reason.code;
    this.hint = reason.hint;
  }
}

/** Spends the ticket of the address, if there is one. Says why it could not be spent; otherwise nothing. */
export async function enter() {
  const ticket = new URLSearchParams(location.hash.slice(1)).get("ticket");
  if (!ticket) return undefined;
  history.replaceState(null, "", "/");
  try {
    const { token } = await ask("/api/v1/tickets/spend", { method: "POST", body: { ticket }, open: true });
    sessionStorage.setItem(KEY, token);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Whether there is a token to show. */
export function hasToken() {
  return sessionStorage.getItem(KEY) !== null;
}

/** The token is good no more. */
export function forget() {
  sessionStorage.removeItem(KEY);
}

/** The headers of a request. */
export function headers() {
  return { authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
}

/** Asks the node for a document. */
export async function ask(path, { method = "GET", body, open = false } = {}) {
  const request = { method, headers: open ? {} : headers(), cache: "no-store", credentials: "omit" };
  if (body !== undefined) {
    request.headers["content-type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  const answer = await fetch(path, request);
  const document = await answer.json();
  if (!answer.ok) throw new Refused(answer.status, document.error);
  return document;
}

/** A path of the API from its parts, each escaped. */
export function path(...parts) {
  return `/api/v1/${parts.map(encodeURIComponent).join("/")}`;
}
