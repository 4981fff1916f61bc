// Notes: the objects of the node's first space, one of them open as a text that everybody edits at once.
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
  space = spaces[0].space;
  find("new").hidden = false;
  const { objects } = await client.request("GET", "/spaces/{space}/objects", { path: { space } });
  const items = objects.map((note) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = note.name ? plain(note.name) : note.object.slice(0, 8);
    button.setAttribute("aria-current", String(note.object === open?.session.object));
    button.addEventListener("click", () => attempt(() => show(note.object)));
    const item = document.createElement("li");
    item.append(button);
    return item;
  });
  find("list").replaceChildren(...items);
  if (!open && !find("message").textContent) {
    if (objects.length > 0) await show(objects[0].object);
    else say("no notes yet");
  }
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
  const status = () => say(session.status === "live" ? (session.unsaved ? "saving" : "saved") : session.status);
  for (const event of ["status", "change"]) session.addEventListener(event, status);
  session.addEventListener("reset", () => open?.session === session && attempt(() => reopen(session)));
  for (const button of find("list").querySelectorAll("button")) button.removeAttribute("aria-current");
  status();
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
    say(error.code === "unreachable" ? "the node cannot be reached" : `${error.message} ${error.hint ?? ""}`);
  }
}

start().catch((error) => say(error.message));
