// An object: its text as others write it, and its properties.

import { copyButton, el, keep, prose, say } from "./dom.js";
import { crumbs } from "./space.js";
import { pieces, plain, show, showText } from "./visible.js";
import { count, moment, short, spaceHref, spaceName } from "./words.js";

// What a browser shows without effort. A text can be a hundred times as long; the command line prints all of it.
const TEXT_MAX = 200_000;

export function object(space, id) {
  const title = el("h1", { tabindex: "-1", class: "user" });
  const kind = el("span", { class: "chip user", "data-state": "plain" });
  const back = el("a", { href: spaceHref(space), class: "user" });
  const made = el("p", { class: "meta" });
  const author = el("span", { class: "user" });
  const dated = el("span", {});
  const time = el("time", {});
  made.append("Made by ", author, dated, time);
  const text = liveText(id);
  const properties = el("dl", { class: "facts" });
  const noProperties = el("p", { class: "empty" }, "It has no properties.");
  const others = el("ul", { class: "rows" });
  const othersSection = el("section", { "aria-labelledby": "h-others" }, el("h2", { id: "h-others" }, "Written at the same time"), el("p", { class: "meta" }, "These values do not show because another, written at the same time, does. Everybody sees the same one."), others);
  const missing = el("p", { class: "empty" }, "This object is not here, or was deleted.");
  const body = el(
    "div",
    { class: "columns" },
    text.node,
    el("div", {}, el("section", { "aria-labelledby": "h-properties" }, el("h2", { id: "h-properties" }, "Properties"), noProperties, properties), othersSection),
  );
  const head = el("div", {}, el("p", { class: "id" }, el("code", {}, short(id)), copyButton("the object’s id", () => id)), made);
  const node = el("div", { class: "view" }, crumbs(back), el("div", { class: "title" }, title, kind), head, missing, body);

  const nameOf = (shown) => (typeof shown?.properties.name === "string" && shown.properties.name !== "" ? shown.properties.name : short(id));

  function update(state) {
    const here = state.status?.spaces.find((each) => each.space === space);
    show(back, here ? spaceName(here) : short(space));
    const shown = state.shown?.object === id ? state.shown : undefined;
    missing.hidden = !state.gone;
    body.hidden = made.hidden = kind.hidden = !shown || state.gone;
    show(title, nameOf(shown));
    if (!shown) return;
    show(kind, shown.type);
    const known = state.members.get(space)?.find((member) => member.identity === shown.author);
    show(author, known?.me ? "you" : (known?.name ?? short(shown.author)));
    author.title = shown.author;
    // Nobody can check when somebody else wrote something.
    say(dated, known?.me ? " on " : ", who dates it ");
    time.dateTime = shown.created;
    say(time, moment(shown.created));
    text.update(shown.text);
    const all = Object.entries(shown.properties);
    noProperties.hidden = all.length > 0;
    keep(properties, all, ([key]) => key, makeProperty, updateProperty);
    othersSection.hidden = shown.alternatives.length === 0;
    keep(others, shown.alternatives, (one) => JSON.stringify([one.key, one.value, one.author]), makeOther, (row, one) => updateOther(row, one, state.members.get(space)));
  }
  const heading = (state) => plain(nameOf(state.shown?.object === id ? state.shown : undefined));
  return { node, title, update, heading };
}

function liveText(id) {
  // A region of its own that can be reached and scrolled with the keyboard.
  const pre = el("pre", { class: "text user", tabindex: "0", role: "region", "aria-label": "Text", dir: "auto" });
  const number = el("span", { class: "number" });
  const empty = el("p", { class: "empty" });
  prose(empty, `There is no text yet. \`weft text insert ${short(id)} 0 "Hello"\` writes some, and it appears here.`);
  const more = el("p", { class: "meta" });
  const node = el("section", { "aria-labelledby": "h-text", class: "reading" }, el("h2", { id: "h-text" }, "Text ", number), empty, pre, more);
  let before;
  function update(whole) {
    if (whole === before) return;
    const [now, was] = [head(whole), before === undefined ? undefined : head(before)];
    before = whole;
    empty.hidden = whole !== "";
    pre.hidden = whole === "";
    say(number, whole === "" ? "" : count([...whole].length, "character"));
    more.hidden = now.length === whole.length;
    prose(more, `Only the beginning is shown; \`weft text show ${id}\` prints all of it.`);
    if (was === undefined || was === now) showText(pre, now);
    else showChange(pre, was, now);
  }
  return { node, update };
}

function head(text) {
  if (text.length <= TEXT_MAX) return text;
  const last = text.charCodeAt(TEXT_MAX - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? TEXT_MAX - 1 : TEXT_MAX);
}

/** Shows the text with what came in marked for a moment. */
function showChange(pre, was, now) {
  const most = Math.min(was.length, now.length);
  let start = 0;
  while (start < most && was.charCodeAt(start) === now.charCodeAt(start)) start += 1;
  let end = 0;
  while (end < most - start && was.charCodeAt(was.length - 1 - end) === now.charCodeAt(now.length - 1 - end)) end += 1;
  // Never between the halves of a character.
  if (isLow(now.charCodeAt(start))) start -= start > 0 ? 1 : 0;
  if (end > 0 && isLow(now.charCodeAt(now.length - end))) end -= 1;
  const fresh = now.slice(start, now.length - end);
  showText(pre, now);
  if (fresh === "" || start === 0 && end === 0) return;
  pre.replaceChildren(...pieces(now.slice(0, start)), el("mark", {}, ...pieces(fresh)), ...pieces(now.slice(now.length - end)));
}

function isLow(unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

function makeProperty() {
  return el("div", {}, el("dt", { class: "user" }), el("dd", { class: "user" }));
}

function updateProperty(row, [key, value]) {
  const [name, shown] = row.children;
  show(name, key);
  show(shown, typeof value === "string" ? value : JSON.stringify(value));
}

function makeOther() {
  return el("li", {}, el("span", { class: "name user" }), el("span", { class: "user" }), el("span", { class: "meta user" }));
}

function updateOther(row, one, members) {
  const [key, value, author] = row.children;
  show(key, one.key);
  show(value, one.value === null || one.value === undefined ? "taken away" : typeof one.value === "string" ? one.value : JSON.stringify(one.value));
  show(author, members?.find((member) => member.identity === one.author)?.name ?? short(one.author));
}
