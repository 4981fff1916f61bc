// The node itself: what its owner should look after, its spaces, who is connected, and how it is reached.

import { copyButton, el, keep, prose, say } from "./dom.js";
import { show } from "./visible.js";
import { count, shortPeer, spaceHref, spaceName, sync } from "./words.js";

export function overview() {
  const title = el("h1", { tabindex: "-1" });
  const notes = el("ul", { class: "notes" });
  const spaces = el("ul", { class: "cards" });
  const noSpaces = el("p", { class: "empty" });
  prose(noSpaces, "There are no spaces yet. `weft space create garden` makes one, `weft join LINK` joins one that you were invited to.");
  const peers = el("ul", { class: "rows" });
  const noPeers = el("p", { class: "empty" });
  prose(noPeers, "Nobody is connected. Members of your spaces are found by the addresses in their links; `weft up --peer MULTIADDR` names another one.");
  const ids = el("dl", { class: "facts" });
  const node = el(
    "div",
    { class: "view" },
    title,
    notes,
    el("section", { "aria-labelledby": "h-spaces" }, el("h2", { id: "h-spaces" }, "Spaces"), noSpaces, spaces),
    el("section", { "aria-labelledby": "h-peers" }, el("h2", { id: "h-peers" }, "Connected peers"), noPeers, peers),
    el("section", { "aria-labelledby": "h-node" }, el("h2", { id: "h-node" }, "This node"), ids),
  );

  function update({ status }) {
    if (!status) return;
    show(title, status.name ? `${status.name}’s node` : "This node");
    keep(notes, status.notes, (note) => note.note, makeNote, () => {});
    notes.hidden = status.notes.length === 0;
    noSpaces.hidden = status.spaces.length > 0;
    keep(spaces, status.spaces, (space) => space.space, makeCard, updateCard);
    noPeers.hidden = status.peers.length > 0;
    keep(peers, status.peers, (peer) => peer.peer_id, makePeer, updatePeer);
    const facts = [
      ["Peer id", status.peer_id],
      ["Identity", status.identity],
      ...status.listen.map((address) => ["Listens at", address]),
    ];
    keep(ids, facts, ([name, value]) => name + value, makeFact, () => {});
  }
  return { node, title, update, heading: () => "Overview" };
}

function makeNote(note) {
  const text = el("span", {});
  say(text, note.note.charAt(0).toUpperCase() + note.note.slice(1));
  const isCommand = note.command.startsWith("weft ");
  const command = el(isCommand ? "code" : "span", { class: "todo" }, note.command);
  return el("li", {}, el("span", { class: "mark", "aria-hidden": "true" }, "!"), el("span", {}, text, ": ", command), isCommand ? copyButton("the command", () => note.command) : undefined);
}

function makeCard() {
  return el(
    "li",
    {},
    el("a", { class: "card" }, el("span", { class: "name user" }), el("span", { class: "meta" }), el("span", { class: "chip" })),
  );
}

function updateCard(node, space) {
  const card = node.firstElementChild;
  const [name, meta, chip] = card.children;
  card.setAttribute("href", spaceHref(space.space));
  show(name, spaceName(space));
  say(meta, `${count(space.members, "member")} · ${space.role ? `you: ${space.role}` : "you are no member"}`);
  const { state, word } = sync(space);
  chip.dataset.state = state;
  say(chip, word);
}

function makePeer() {
  return el("li", {}, el("span", { class: "dot", "data-state": "level", "aria-hidden": "true" }), el("span", { class: "name user" }), el("code", {}), el("span", { class: "meta" }));
}

function updatePeer(node, peer) {
  const [, name, id, meta] = node.children;
  show(name, peer.name ?? "without a name");
  say(id, `…${shortPeer(peer.peer_id)}`);
  id.title = peer.peer_id;
  say(meta, peer.spaces.length === 0 ? "no space in common" : `${count(peer.spaces.length, "space")} in common`);
}

function makeFact([name, value]) {
  return el("div", {}, el("dt", {}, name), el("dd", {}, el("code", {}, value), copyButton(name.toLowerCase(), () => value)));
}
