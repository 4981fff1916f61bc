// The page: what it knows, when it looks again, and which view is shown. It reads; the one thing it makes is an invitation.

import { announce, copyButton, el, keep, prose, say } from "./dom.js";
import { follow, gathered } from "./live.js";
import { object } from "./object.js";
import { overview } from "./overview.js";
import { ask, enter, forget, hasToken, path, Refused } from "./session.js";
import { space } from "./space.js";
import { plain, show } from "./visible.js";
import { spaceHref, spaceName, sync } from "./words.js";

// Reasons for not being level appear without an event: state is looked at again even when nothing is said.
const LOOK_MS = 5_000;

const state = { status: undefined, members: new Map(), objects: new Map(), shown: undefined, gone: false, now: Date.now() };
const main = document.getElementById("main");
let route = {};
let view;

// ---- where we are ---------------------------------------------------------------------------------------------------

function parse(hash) {
  const [, s, spaceId, o, objectId] = hash.slice(1).split("/");
  if (s === "s" && spaceId && o === "o" && objectId) return { space: spaceId, object: objectId };
  if (s === "s" && spaceId) return { space: spaceId };
  return {};
}

function arrive(isFirst) {
  const next = parse(location.hash);
  if (view && next.space === route.space && next.object === route.object) return;
  route = next;
  state.shown = undefined;
  state.gone = false;
  view = next.object ? object(next.space, next.object) : next.space ? space(next.space) : overview();
  draw();
  main.replaceChildren(view.node);
  scrollTo(0, 0);
  // Who came by keyboard goes on reading where the new content begins.
  if (!isFirst) view.title.focus({ preventScroll: true });
  lookAtSpace();
  lookAtObject();
}

function draw() {
  if (!view) return;
  state.now = Date.now();
  view.update(state);
  document.title = `${view.heading(state)} · Weft`;
  const { status } = state;
  if (!status) return;
  show(document.getElementById("who"), status.name ?? "");
  const spaces = document.getElementById("nav-spaces");
  keep(spaces, status.spaces, (each) => each.space, makeLink, updateLink);
  document.getElementById("nav").hidden = false;
  mark(document.querySelector("nav .home"), route.space === undefined);
}

function makeLink() {
  return el("li", {}, el("a", {}, el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "name user" }), el("span", { class: "word" })));
}

function updateLink(row, each) {
  const link = row.firstElementChild;
  const [dot, name, word] = link.children;
  link.setAttribute("href", spaceHref(each.space));
  show(name, spaceName(each));
  const stands = sync(each);
  dot.dataset.state = stands.state;
  say(word, stands.word);
  mark(link, route.space === each.space);
}

function mark(link, isHere) {
  if (isHere) link.setAttribute("aria-current", "page");
  else link.removeAttribute("aria-current");
}

// ---- looking --------------------------------------------------------------------------------------------------------

const lookAtNode = gathered(() => looking(async () => {
  state.status = await ask(path("status"));
}));

const lookAtSpace = gathered(() => looking(async () => {
  const { space: id } = route;
  const isHere = !state.status || state.status.spaces.some((each) => each.space === id);
  if (!id || !isHere) return;
  const [members, objects] = await Promise.all([ask(path("spaces", id, "members")), ask(path("spaces", id, "objects"))]);
  state.members.set(id, members.members);
  state.objects.set(id, objects.objects);
}));

const lookAtObject = gathered(() => looking(async () => {
  const { space: inSpace, object: id } = route;
  if (!id) return;
  try {
    const shown = await ask(`${path("objects", id)}?space=${encodeURIComponent(inSpace)}`);
    if (route.object !== id) return;
    state.shown = shown;
    state.gone = false;
  } catch (error) {
    if (!(error instanceof Refused && error.status === 404)) throw error;
    state.gone = route.object === id;
  }
}));

async function looking(look) {
  try {
    await look();
    draw();
  } catch (error) {
    // A node that does not answer is noticed by the stream; what is not here any more, by the next look at the status.
    if (error instanceof Refused && error.status === 401) lock("restarted");
  }
}

function lookAtAll() {
  lookAtNode();
  lookAtSpace();
  lookAtObject();
}

function told(event) {
  const isHere = event.space !== undefined && event.space === route.space;
  switch (event.event) {
    case "object_changed":
      if (event.object === route.object) lookAtObject();
      if (isHere) lookAtSpace();
      break;
    case "lagged":
      lookAtAll();
      break;
    default:
      lookAtNode();
      // What the control feed says may be a new member.
      if (isHere && event.event === "extended") lookAtSpace();
  }
}

function became(link) {
  if (link === "locked") return lock("restarted");
  const box = document.getElementById("link");
  if (box.dataset.state === link) return;
  box.dataset.state = link;
  const word = link === "live" ? "Live" : "Not connected";
  say(document.getElementById("link-word"), word);
  announce(link === "live" ? "Connected to the node" : "The node does not answer; trying again");
  if (link === "live") lookAtAll();
}

// ---- the beginning, and without a token -------------------------------------------------------------------------------

const LOCKED = {
  none: ["This page is locked", "What is on this node is shown only to its owner. On the machine where it runs, this opens the page:"],
  spent: ["This address was used already", "An address of this page is good once, for five minutes. This makes a new one:"],
  restarted: ["The node was started again", "Its keys are new. This opens the page again:"],
  silent: ["The node does not answer", "Start it with `weft up`; then this opens the page:"],
};

function lock(why) {
  forget();
  view = undefined;
  const [head, text] = LOCKED[why];
  const title = el("h1", { tabindex: "-1" }, head);
  const sentence = el("p", {});
  prose(sentence, text);
  const command = "weft open";
  const box = el("p", { class: "command" }, el("code", {}, command), copyButton("the command", () => command));
  main.replaceChildren(el("div", { class: "view locked" }, title, sentence, box));
  document.getElementById("nav").hidden = true;
  document.getElementById("link").dataset.state = "locked";
  say(document.getElementById("link-word"), "Locked");
  say(document.getElementById("who"), "");
  document.title = `${plain(head)} · Weft`;
}

async function begin() {
  document.getElementById("skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener("hashchange", () => {
    // A new ticket was opened in a tab that shows the page already.
    if (new URLSearchParams(location.hash.slice(1)).has("ticket")) location.reload();
    else if (hasToken()) arrive(false);
  });
  const refused = await enter();
  if (refused) return lock(refused instanceof Refused ? "spent" : "silent");
  if (!hasToken()) return lock("none");
  arrive(true);
  setInterval(() => {
    if (!document.hidden && hasToken()) lookAtNode();
  }, LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && hasToken()) lookAtAll();
  });
  follow(told, became);
}

begin();
