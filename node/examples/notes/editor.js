// Binds a textarea to a Yjs text, and shows where others are in it.
//
// A textarea tells only what it holds after an edit, so what changed is found by comparing: the part that differs, found so that it
// ends at the cursor, is what was typed. Cursors are kept as positions in the document, which move with the text.

const COLOURS = ["#a3352f", "#2f5fa3", "#2f7a3d", "#7a4fa0", "#8a5a14", "#13747d"];

export class Editor {
  #session;
  #Y;
  #paper;
  #shadow;
  #name;
  #onOthers;
  #closing = new AbortController();
  #shown = "";

  constructor(session, Y, { paper, shadow, name, others }) {
    [this.#session, this.#Y, this.#paper, this.#shadow] = [session, Y, paper, shadow];
    [this.#name, this.#onOthers] = [name, others];
    const { signal } = this.#closing;
    paper.addEventListener("input", () => this.#typed(), { signal });
    document.addEventListener("selectionchange", () => document.activeElement === paper && this.tell(), { signal });
    paper.addEventListener("scroll", () => (shadow.scrollTop = paper.scrollTop), { signal });
    session.addEventListener("presence", () => this.#paint(), { signal });
    this.observer = (event, transaction) => transaction.local || this.#heard();
    session.text.observe(this.observer);
    this.#write(session.text.toString());
    paper.disabled = true;
    session.live().then(() => (signal.aborted ? undefined : this.#begin()), () => {});
  }

  #begin() {
    this.#paper.disabled = false;
    this.#paper.focus();
    this.tell();
    this.#paint();
  }

  close() {
    this.#closing.abort();
    this.#session.text.unobserve(this.observer);
    this.#paper.disabled = true;
    this.#shadow.replaceChildren();
    this.#onOthers([]);
  }

  // --- text ------------------------------------------------------------------------------------------------------------

  #typed() {
    const { doc, text } = this.#session;
    const [before, after] = [this.#shown, this.#paper.value];
    const [from, gone, typed] = difference(before, after, this.#paper.selectionEnd);
    this.#shown = after;
    doc.transact(() => {
      text.delete(from, gone);
      text.insert(from, typed);
    });
    this.tell();
    this.#paint();
  }

  /** Somebody else has written: the own selection stays where it was in the text. */
  #heard() {
    const selection = this.#selection;
    this.#write(this.#session.text.toString());
    if (selection && document.activeElement === this.#paper) {
      const [from, to] = selection.map((position) => this.#absolute(position) ?? 0);
      this.#paper.setSelectionRange(Math.min(from, to), Math.max(from, to));
    }
    this.#paint();
  }

  #write(text) {
    const top = this.#paper.scrollTop;
    this.#paper.value = this.#shown = text;
    this.#paper.scrollTop = top;
  }

  // --- who is where ----------------------------------------------------------------------------------------------------

  /** The own selection as positions in the document: what others write where the cursor is comes behind it. */
  #selection;

  /** Tells the others where this document is, by what stands behind it: they may not have yet what was just typed before it. */
  tell() {
    const { selectionStart, selectionEnd } = this.#paper;
    this.#selection = [this.#position(selectionStart, selectionStart === selectionEnd ? -1 : 0), this.#position(selectionEnd, -1)];
    const at = [this.#position(selectionStart, 0), this.#position(selectionEnd, 0)];
    this.#session.setPresence({ name: this.#name().slice(0, 40), at });
  }

  /** A place in the text as a position in the document, which holds on to the character before it (-1) or behind it (0). */
  #position(at, side) {
    return this.#Y.relativePositionToJSON(this.#Y.createRelativePositionFromTypeIndex(this.#session.text, at, side));
  }

  #absolute(position) {
    try {
      const relative = this.#Y.createRelativePositionFromJSON(position);
      const absolute = this.#Y.createAbsolutePositionFromRelativePosition(relative, this.#session.doc);
      return absolute?.type === this.#session.text ? absolute.index : undefined;
    } catch {
      // Others say what they like.
      return undefined;
    }
  }

  #paint() {
    const text = this.#session.text.toString();
    const others = [...this.#session.others].map(([who, state]) => this.#other(who, state)).filter(Boolean);
    this.#onOthers(others.map((other) => other.name));
    const cuts = [...new Set([0, text.length, ...others.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
    const pieces = [];
    for (const [n, at] of cuts.entries()) {
      for (const other of others.filter(({ head }) => head === at)) pieces.push(cursor(other));
      const piece = document.createElement("span");
      piece.textContent = text.slice(at, cuts[n + 1] ?? at);
      const marking = others.find(({ from, to }) => from <= at && at < to);
      if (marking) mark(piece, marking);
      pieces.push(piece);
    }
    // As in a textarea, an empty last line takes a line.
    pieces.push(document.createTextNode("\n"));
    this.#shadow.replaceChildren(...pieces);
    this.#shadow.scrollTop = this.#paper.scrollTop;
  }

  #other(who, state) {
    const at = Array.isArray(state?.at) ? state.at.map((position) => this.#absolute(position)) : [];
    if (at.length !== 2 || at.includes(undefined)) return undefined;
    const name = typeof state.name === "string" ? plain(state.name) : "somebody";
    const colour = COLOURS[[...who].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) >>> 0, 7) % COLOURS.length];
    return { name, colour, from: Math.min(...at), to: Math.max(...at), head: at[1] };
  }
}

function cursor({ name, colour }) {
  const caret = document.createElement("span");
  caret.className = "cursor";
  caret.dataset.name = name;
  caret.style.setProperty("--colour", colour);
  return caret;
}

function mark(piece, { colour }) {
  piece.className = "marked";
  piece.style.setProperty("--colour", colour);
}

/** What others call themselves, without what would turn or hide text around it. */
export function plain(name) {
  return name.slice(0, 40).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "·") || "somebody";
}

/** Where two texts differ: from where, how much went, and what came; never in the middle of a character. */
export function difference(before, after, cursor) {
  const most = Math.min(before.length, after.length);
  // What stands behind the cursor was there before: so much is equal at the end at least, if it is equal at all.
  let end = 0;
  const behind = Math.min(after.length - cursor, most);
  while (end < behind && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  let from = 0;
  while (from < most - end && before[from] === after[from]) from++;
  while (end < most - from && before[before.length - 1 - end] === after[after.length - 1 - end]) end++;
  const isLow = (text, at) => /[\uDC00-\uDFFF]/.test(text[at] ?? "");
  if (isLow(before, from) || isLow(after, from)) from--;
  if (end > 0 && (isLow(before, before.length - end) || isLow(after, after.length - end))) end--;
  return [from, before.length - end - from, after.slice(from, after.length - end)];
}
