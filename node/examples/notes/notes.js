// Notes: the objects of one of the node's spaces, one of them open as a text that everybody edits at once.
import * as Y from "yjs";
import { Client, openText } from "weft-client";

import { Editor, plain } from "./editor.js";

const find = (id) => document.getElementById(id);
const say = (text) => (find("status").textContent = text);

/** Asks this app's own server, because a node has a new token whenever it has started. */
async function node() {
  const answer = await fetch("node.json");
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

let client;
let space;
let open;

async function start() {
  const { url } = await node();
  client = new Client({ url, token: async () => (await node()).token });
  find("name").value = sessionStorage.getItem("name") ?? "";
  find("name").addEventListener("input", () => {
    sessionStorage.setItem("name", find("name").value);
    open?.editor.tell();
  });
  space = sessionStorage.getItem("space");
  find("space").addEventListener("change", () => attempt(choose));
  find("new").addEventListener("click", () => attempt(create));
  addEventListener("beforeunload", (event) => open?.session.unsaved && event.preventDefault());
  await attempt(refresh);
  follow();
}

/** The spaces and the notes, whenever something happens to them. */
async function follow() {
  for (;;) {
    try {
      const query = { events: "space_added,object_changed,lagged" };
      for await (const _ of await client.request("GET", "/events", { query })) await attempt(refresh);
    } catch {
      // The node went away; it is asked again.
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await attempt(refresh);
  }
}

async function refresh() {
  const { spaces } = await client.request("GET", "/spaces");
  if (spaces.length === 0) return say("this node is in no space yet: weft space create, or weft join");
  offer(spaces);
  find("new").hidden = false;
  const asked = space;
  const { objects } = await client.request("GET", "/spaces/{space}/objects", { path: { space } });
  if (asked !== space) return;
  const items = objects.map((note) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = note.name ? plain(note.name) : note.object.slice(0, 8);
    button.dataset.object = note.object;
    button.addEventListener("click", () => attempt(() => show(note.object)));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  find("list").replaceChildren(...items);
  mark();
  if (!open && !find("message").textContent) {
    if (objects.length > 0) await show(objects[0].object);
    else say("no notes yet");
  }
}

/** Which of the spaces it is. Two nodes need not have the same one first, so whoever has several is asked. */
function offer(spaces) {
  if (!spaces.some((one) => one.space === space)) space = spaces[0].space;
  const options = spaces.map((one) => new Option(one.name ? plain(one.name) : one.space.slice(0, 8), one.space));
  const select = find("space");
  // A list that somebody has open just now stays as it is while there is nothing new in it.
  const says = (all) => JSON.stringify([...all].map((option) => [option.value, option.text]));
  if (says(select.options) !== says(options)) select.replaceChildren(...options);
  select.value = space;
  select.hidden = spaces.length < 2;
}

async function choose() {
  if (open?.session.unsaved && open.session.status !== "live") {
    // It would be lost: the status says what is not saved, and that the node is away.
    find("space").value = space;
    return;
  }
  space = find("space").value;
  sessionStorage.setItem("space", space);
  const before = open;
  open = undefined;
  before?.editor.close();
  await before?.session.close();
  find("paper").hidden = true;
  complain("");
  await refresh();
}

async function create() {
  const name = prompt("What is it called?")?.trim();
  if (!name) return;
  const { object } = await client.request("POST", "/spaces/{space}/objects", {
    path: { space },
    body: { type: "note", properties: { name } },
  });
  await show(object);
  await refresh();
}

async function show(object) {
  complain("");
  const before = open;
  const session = await openText(client, { object, space, Y });
  await before?.session.close();
  before?.editor.close();
  const name = () => find("name").value.trim() || "somebody";
  const editor = new Editor(session, Y, { paper: find("text"), shadow: find("shadow"), name, others: tellOthers });
  open = { session, editor };
  find("paper").hidden = false;
  const status = () => {
    if (session.status === "live") return say(session.unsaved ? "saving" : "saved");
    say(session.unsaved ? `${session.status}, not saved yet` : session.status);
  };
  for (const event of ["status", "change"]) session.addEventListener(event, status);
  session.addEventListener("reset", () => open?.session === session && attempt(() => reopen(session)));
  mark();
  status();
}

/** Marks in the list what is open. */
function mark() {
  for (const button of find("list").querySelectorAll("button")) {
    button.setAttribute("aria-current", String(button.dataset.object === open?.session.object));
  }
}

/** What was open is of no more use. What was not saved of it is shown, not thrown away. */
async function reopen(session) {
  const text = session.text.toString();
  open.editor.close();
  open = undefined;
  if (session.reset.code === "deleted") {
    find("paper").hidden = true;
    return complain("This note was deleted.");
  }
  await show(session.object);
  if (session.unsaved) complain(`Not saved (${session.reset.message}). The text was:\n\n${text}`);
}

function tellOthers(names) {
  find("others").textContent = names.length > 0 ? `Here too: ${names.join(", ")}` : "";
}

function complain(text) {
  find("message").textContent = text;
  find("message").hidden = text === "";
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (error.code !== "unreachable") return say(`${error.message} ${error.hint ?? ""}`);
    // A text that is open says so itself, and whether something of it is not saved.
    if (!open) say("the node cannot be reached");
  }
}

start().catch((error) => say(error.message));
