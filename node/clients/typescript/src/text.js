// The text of an object as a Yjs document: everybody's changes come in, this document's own go out, across lost connections,
// lost answers and restarts of the node.
//
// The node hands out a session with the client id that the document edits under. An update that was not answered is sent again,
// and the node passes over what it has. So nothing is written twice and nothing is lost while this document lives; what it
// holds beyond that is `unsaved`.
import { WeftError } from "./client.js";

/** How long keystrokes gather before they are sent. */
const GATHER_MS = 20;
/** Waits between attempts: doubled up to the second figure, with a part of chance. */
const RETRY_MS = [100, 5_000];
/** How often a presence is said again, and at most how often it changes. */
const PRESENCE_REFRESH_MS = 10_000;
const PRESENCE_APART_MS = 80;

/** Opens the text of an object for editing. `Y` is the application's own `yjs`. */
export async function openText(client, { object, space, Y }) {
  const query = { space };
  const session = await client.request("POST", "/objects/{object}/sessions", { path: { object }, query });
  return new TextSession(client, session, Y);
}

export class TextSession extends EventTarget {
  #client;
  #session;
  #Y;
  #stream;
  #derivation;
  #closing = new AbortController();
  #unsent = [];
  #sending;
  #timer;
  #retries = 0;
  #state = null;
  #said = 0;
  #presenceTimer;
  #presenceDue = 0;

  /** Use `openText`. */
  constructor(client, session, Y) {
    super();
    this.#client = client;
    this.#session = session;
    this.#Y = Y;
    this.status = "connecting";
    this.reset = undefined;
    this.others = new Map();
    // Deleted text is kept: a block that was collected is none that others accept (ECHO-9.1).
    this.doc = new Y.Doc({ gc: false });
    this.doc.clientID = session.client_id;
    this.text = this.doc.getText("body");
    this.doc.on("update", (update, origin) => {
      if (origin !== this) this.#changed(update);
    });
    this.#follow();
  }

  get object() {
    return this.#session.object;
  }

  get space() {
    return this.#session.space;
  }

  get session() {
    return this.#session.session;
  }

  /** Whether this document holds changes that the node has not said to be durable. */
  get unsaved() {
    return this.#unsent.length > 0 || this.#sending !== undefined;
  }

  /** Resolves when everything was told that could be read when the connection stood. */
  async live() {
    await this.#until(() => this.status === "live");
  }

  /** Resolves when the node has said that everything typed so far is durable there. */
  async saved() {
    await this.#until(() => !this.unsaved);
  }

  /** Tells the other documents of the object something of this one, such as a name and a cursor: JSON of at most 1,024 bytes. */
  setPresence(state) {
    this.#state = state ?? null;
    this.#sayPresence();
  }

  /** Sends what is unsaved if the node is there, then lets go. */
  async close() {
    if (this.status === "live" && this.unsaved) {
      await Promise.race([this.saved().catch(() => {}), new Promise((done) => setTimeout(done, 2_000))]);
    }
    this.#end("closed");
  }

  // --- what others do --------------------------------------------------------------------------------------------------

  async #follow() {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#followOnce();
      } catch (error) {
        // What was asked is wrong, and will be so again; everything else may pass.
        if (error instanceof WeftError && [400, 403, 404, 409].includes(error.status)) return this.#resetBy(error);
      }
      if (this.#closing.signal.aborted) return;
      this.#stream = undefined;
      this.#become("offline");
      await this.#pause();
    }
  }

  async #followOnce() {
    const { signal } = this.#closing;
    const body = { key: this.#session.key, vector: toBase64(this.#Y.encodeStateVector(this.doc)) };
    if (this.#derivation !== undefined) body.derivation = this.#derivation;
    for await (const event of await this.#post("stream", body, signal)) {
      if (signal.aborted) return;
      this.#heard(event);
    }
  }

  #heard(event) {
    switch (event.event) {
      case "attached":
        this.#stream = event.stream;
        this.#derivation = event.derivation;
        this.#others(() => this.others.clear());
        break;
      case "update":
        this.#Y.applyUpdate(this.doc, fromBase64(event.update), this);
        break;
      case "level":
        this.#retries = 0;
        this.#become("live");
        this.#send();
        if (this.#state !== null) this.#sayPresence();
        break;
      case "presence": {
        const who = `${event.peer}/${event.session}`;
        this.#others(() => (event.state == null ? this.others.delete(who) : this.others.set(who, event.state)));
        break;
      }
      case "reset":
        this.#resetBy(new WeftError(409, event.code, RESETS[event.code] ?? event.code, "open the text again"));
        break;
    }
  }

  #others(change) {
    change();
    this.dispatchEvent(new Event("presence"));
  }

  // --- what this document does -----------------------------------------------------------------------------------------

  #changed(update) {
    if (this.#closing.signal.aborted) return;
    this.#unsent.push(update);
    this.dispatchEvent(new Event("change"));
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, GATHER_MS);
  }

  /** One update is under way at a time; what is typed meanwhile goes with the next one. */
  async #send() {
    if (this.#sending || this.#unsent.length === 0 || this.status !== "live") return;
    this.#sending = this.#unsent.splice(0);
    const update = this.#sending.length === 1 ? this.#sending[0] : this.#Y.mergeUpdates(this.#sending);
    let refused;
    try {
      await this.#post("updates", { key: this.#session.key, stream: this.#stream, update: toBase64(update) });
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#unsent.unshift(...this.#sending);
      refused = error;
    }
    this.#sending = undefined;
    if (!refused) {
      this.#retries = 0;
      this.dispatchEvent(new Event("change"));
      this.#send();
    } else if (refused instanceof WeftError && [400, 403, 404, 413].includes(refused.status)) {
      this.#resetBy(refused);
    } else {
      // Not following: the stream will say when it does. Else the node is busy, or not there, or has no room.
      await this.#pause();
      this.#send();
    }
  }

  /** Says where this document is, `afterMs` from now at the latest; once in a while again, since nobody keeps it. */
  #sayPresence(afterMs = 0) {
    const due = Math.max(Date.now() + afterMs, this.#said + PRESENCE_APART_MS);
    if (this.#presenceTimer !== undefined && this.#presenceDue <= due) return;
    clearTimeout(this.#presenceTimer);
    this.#presenceDue = due;
    this.#presenceTimer = setTimeout(() => {
      this.#presenceTimer = undefined;
      if (this.status === "live") {
        this.#said = Date.now();
        this.#post("presence", { key: this.#session.key, stream: this.#stream, state: this.#state }).catch(() => {});
      }
      if (this.#state !== null) this.#sayPresence(PRESENCE_REFRESH_MS);
    }, due - Date.now());
  }

  // --- how it goes -----------------------------------------------------------------------------------------------------

  #post(what, body, signal) {
    const path = { object: this.object, session: this.session };
    const query = { space: this.space };
    return this.#client.request("POST", `/objects/{object}/sessions/{session}/${what}`, { path, query, body, signal });
  }

  #become(status) {
    if (this.status === status || this.status === "closed") return;
    this.status = status;
    this.dispatchEvent(new Event("status"));
  }

  /** This document is of no more use: whoever holds it reads `reset` and opens the text again. */
  #resetBy(error) {
    if (this.#closing.signal.aborted) return;
    this.reset = error;
    this.#end("closed");
    this.dispatchEvent(new Event("reset"));
  }

  #end(status) {
    this.#become(status);
    this.#closing.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#presenceTimer);
  }

  async #until(holds) {
    while (!holds()) {
      if (this.status === "closed") throw this.reset ?? new WeftError(0, "closed", "the text was closed", "open it again");
      await new Promise((resolve) => {
        for (const name of ["status", "change"]) this.addEventListener(name, resolve, { once: true });
      });
    }
  }

  #pause() {
    const [least, most] = RETRY_MS;
    const wait = Math.min(most, least * 2 ** this.#retries++) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#closing.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}

/** Why a stream ended for good. */
const RESETS = {
  rebuilt: "the object was derived anew, and what this document shows may not be what its entries say",
  deleted: "the object was deleted",
  taken_over: "another document follows under this session",
};

function toBase64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

function fromBase64(text) {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
