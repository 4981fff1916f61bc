import type { Json, Paths } from "./api.js";
export type * from "./api.js";

/** What the method of a path takes beside its answer. */
export type Asked<P extends keyof Paths, M extends keyof Paths[P]> = Omit<Paths[P][M], "answer"> & {
  /** Gives up when it is aborted. */
  signal?: AbortSignal | undefined;
};

/** What the method of a path gives. */
export type Answer<P extends keyof Paths, M extends keyof Paths[P]> = Paths[P][M] extends { answer: infer A } ? A : never;

/** Asks a node. */
export class Client {
  constructor(options: {
    /** Where the node's API is, such as `http://127.0.0.1:9339`. */
    url: string | URL;
    /** The token, or what gives it: a node makes a new one whenever it starts. */
    token: string | (() => string | Promise<string>);
    /** In place of the global one. */
    fetch?: typeof globalThis.fetch;
  });

  /** Asks, and gives the answer's document; of a stream, its events as they come. Throws `WeftError`. */
  request<P extends keyof Paths, M extends keyof Paths[P] & string>(
    method: M,
    path: P,
    ...asked: Record<never, never> extends Asked<P, M> ? [asked?: Asked<P, M>] : [asked: Asked<P, M>]
  ): Promise<Answer<P, M>>;
}

/** What a node answers when it does not do what was asked. */
export class WeftError extends Error {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** Stable, snake_case; `unreachable` when there was no answer. */
  readonly code: string;
  /** What to do next. */
  readonly hint: string;
}

/** As much of `yjs` as is used: give the module itself. */
export interface Yjs {
  Doc: new (options?: any) => YDoc;
  applyUpdate(doc: any, update: Uint8Array, origin?: any): void;
  encodeStateVector(doc: any): Uint8Array;
  mergeUpdates(updates: Uint8Array[]): Uint8Array;
}

/** A document of `yjs`, as far as it is used. */
export interface YDoc {
  clientID: number;
  getText(name?: string): unknown;
}

/**
 * The text of an object as a Yjs document. Edit `text`; what others do comes in, and what this document does goes out, across lost
 * connections and restarts of the node.
 *
 * Do not edit in an observer of somebody else's change, and use no formats, embeds or `Y.UndoManager`: only plain text can be shared.
 *
 * Events: `status`, `change` (of `unsaved`), `presence` (of `others`), `reset`.
 */
export class TextSession<Doc extends YDoc = YDoc> extends EventTarget {
  private constructor();
  /** The Yjs document. */
  readonly doc: Doc;
  /** The text in it. */
  readonly text: ReturnType<Doc["getText"]>;
  /** The object's full id. */
  readonly object: string;
  /** The space's full id. */
  readonly space: string;
  /** The session's number. */
  readonly session: number;
  /** `live`: told everything; `offline`: trying to come back; `closed`: over, see `reset`. */
  readonly status: "connecting" | "live" | "offline" | "closed";
  /** Why it is over when nobody closed it: open the text again. What is in `doc` and was `unsaved` stays in `doc`. */
  readonly reset: WeftError | undefined;
  /** Whether there are changes that the node has not said to be durable. */
  readonly unsaved: boolean;
  /** What the other documents tell of themselves, by who they are. */
  readonly others: ReadonlyMap<string, Json>;
  /** Resolves when everything was told. */
  live(): Promise<void>;
  /** Resolves when everything typed so far is durable at the node. */
  saved(): Promise<void>;
  /** Tells the others something of this document: JSON of at most 1,024 bytes; `null`: nothing any more. */
  setPresence(state: Json): void;
  /** Sends what is unsaved if the node is there, then lets go. */
  close(): Promise<void>;
}

/** Opens the text of an object for editing, each time under a session of its own. */
export function openText<Y extends Yjs>(
  client: Client,
  options: {
    /** A full id, a unique prefix of one, or a unique name. */
    object: string;
    /** In which space; needed when the name is not unique. */
    space?: string | undefined;
    /** The application's own `yjs`. */
    Y: Y;
  },
): Promise<TextSession<InstanceType<Y["Doc"]>>>;
