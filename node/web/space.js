// A space: whether it is level and why not, what is in it, and who belongs to it.

import { announce, copyButton, el, keep, prose, say } from "./dom.js";
import { ask, path } from "./session.js";
import { plain, show } from "./visible.js";
import { ago, count, moment, objectHref, short, shortPeer, spaceName, sync } from "./words.js";

// More than a person looks through: the rest is found by writing into the field above.
const OBJECTS_MAX = 300;

export function space(id) {
  const title = el("h1", { tabindex: "-1", class: "user" });
  const role = el("span", { class: "chip", "data-state": "plain" });
  const panel = syncPanel(id);
  const objects = objectList(id);
  const members = el("ul", { class: "rows" });
  const memberCount = el("span", { class: "number" });
  const invite = invitation(id);
  const missing = el("p", { class: "empty" });
  prose(missing, "This space is not here. `weft space list` lists what there is.");
  const body = el(
    "div",
    { class: "columns" },
    objects.node,
    el("section", { "aria-labelledby": "h-members" }, el("h2", { id: "h-members" }, "Members ", memberCount), members, invite.node),
  );
  const node = el(
    "div",
    { class: "view" },
    crumbs(),
    el("div", { class: "title" }, title, role),
    el("p", { class: "id" }, el("code", {}, short(id)), copyButton("the space’s id", () => id)),
    missing,
    panel.node,
    body,
  );

  function update(state) {
    const here = state.status?.spaces.find((each) => each.space === id);
    missing.hidden = !state.status || here !== undefined;
    body.hidden = panel.node.hidden = here === undefined;
    if (!here) return;
    show(title, spaceName(here));
    say(role, here.role ?? "no member");
    panel.update(here, state);
    objects.update(state.objects.get(id));
    const known = state.members.get(id) ?? [];
    say(memberCount, known.length > 0 ? String(known.length) : "");
    keep(members, [...known].sort((a, b) => Number(b.me) - Number(a.me)), (member) => member.identity, makeMember, (row, member) => updateMember(row, member, here));
    invite.node.hidden = !["owner", "admin"].includes(here.role);
  }
  const heading = (state) => {
    const here = state.status?.spaces.find((each) => each.space === id);
    return here ? plain(spaceName(here)) : "Space";
  };
  return { node, title, update, heading };
}

/** The way back. */
export function crumbs(...more) {
  return el("p", { class: "crumbs" }, el("a", { href: "#/" }, "Overview"), ...more.flatMap((link) => [" / ", link]));
}

function syncPanel(id) {
  const word = el("strong", {});
  const dot = el("span", { class: "dot", "aria-hidden": "true" });
  const sentence = el("p", {});
  const reasons = el("ul", { class: "reasons" });
  const node = el("section", { class: "panel", "aria-label": "Is it level?" }, el("p", { class: "state" }, dot, word), sentence, reasons);
  function update(here, state) {
    const { state: kind } = sync(here);
    node.dataset.state = dot.dataset.state = kind;
    const [head, text] = sentences(kind, here);
    say(word, head);
    prose(sentence, text);
    const nameOf = (peer) => here.connected.find((pair) => pair.peer_id === peer)?.name;
    keep(reasons, here.waiting, (one) => [one.what, one.from, one.since, one.rule].join("\n"), makeReason, (row, one) => updateReason(row, one, nameOf, state));
    reasons.hidden = here.waiting.length === 0;
  }
  return { node, update };
}

function sentences(kind, here) {
  const connected = count(here.connected.length, "connected device");
  switch (kind) {
    case "level":
      return ["Level", `This node and ${connected} hold the same.`];
    case "stopped":
      if (here.gone) return [here.gone === "left" ? "You left this space" : "You were removed from this space", "What is here can be read; nothing more comes."];
      return ["Nothing can be written here", `${here.write_stop}. Reading goes on.`];
    case "alone":
      return ["Only you are here", "What you write is kept on this device. Invite somebody, and it is kept on theirs too."];
    case "away":
      return ["Nobody else is connected", "What you write waits here until another member comes. Start the other node, or name its address with `weft up --peer MULTIADDR`."];
    default:
      return here.waiting.length > 0
        ? ["Not level", `${connected}; ${count(here.waiting.length, "thing is", "things are")} missing:`]
        : ["Syncing", `${connected}; what is missing is on its way.`];
  }
}

function makeReason() {
  const fact = (name) => el("div", {}, el("dt", {}, name), el("dd", { class: "user" }));
  return el("li", {}, el("dl", {}, fact("Waits for"), fact("From"), fact("Since"), fact("Because"), fact("To do")));
}

function updateReason(row, one, nameOf, state) {
  const [what, from, since, rule, remedy] = [...row.querySelectorAll("dd")];
  show(what, one.what);
  from.parentElement.hidden = !one.from;
  if (one.from) show(from, nameOf(one.from) ? `${nameOf(one.from)} (…${shortPeer(one.from)})` : `…${shortPeer(one.from)}`);
  say(since, `${moment(one.since)}, ${ago(one.since, state.now)}`);
  show(rule, one.rule);
  prose(remedy, plain(one.remedy));
}

function objectList(id) {
  const number = el("span", { class: "number" });
  const filter = el("input", { type: "search", id: "filter", placeholder: "Find by name or type", "aria-label": "Find objects by name or type", autocomplete: "off", spellcheck: "false" });
  const rows = el("ul", { class: "rows links" });
  const empty = el("p", { class: "empty" });
  const more = el("p", { class: "meta" });
  const node = el("section", { "aria-labelledby": "h-objects" }, el("h2", { id: "h-objects" }, "Objects ", number), filter, empty, rows, more);
  let all;
  function draw() {
    if (!all) return;
    const wanted = filter.value.trim().toLowerCase();
    const found = wanted === "" ? all : all.filter((object) => `${object.name ?? ""}\n${object.type}\n${object.object}`.toLowerCase().includes(wanted));
    say(number, all.length > 0 ? all.length.toLocaleString("en") : "");
    filter.hidden = all.length < 8;
    empty.hidden = found.length > 0;
    prose(empty, all.length > 0 ? "Nothing here is called so." : `Nothing is here yet. \`weft object create ${short(id)} note name=today\` makes a note.`);
    keep(rows, found.slice(0, OBJECTS_MAX), (object) => object.object, makeObject, (row, object) => updateObject(row, object, id));
    more.hidden = found.length <= OBJECTS_MAX;
    say(more, `${(found.length - OBJECTS_MAX).toLocaleString("en")} more; write into the field above to find them.`);
  }
  filter.addEventListener("input", draw);
  function update(objects) {
    all = objects;
    draw();
  }
  return { node, update };
}

function makeObject() {
  return el("li", {}, el("a", {}, el("span", { class: "name user" }), el("span", { class: "kind user" }), el("time", { class: "meta" })));
}

function updateObject(row, object, space) {
  const link = row.firstElementChild;
  const [name, kind, time] = link.children;
  link.setAttribute("href", objectHref(space, object.object));
  show(name, object.name ?? short(object.object));
  name.classList.toggle("unnamed", !object.name);
  show(kind, object.type);
  time.dateTime = object.created;
  say(time, moment(object.created));
}

function makeMember() {
  return el("li", {}, el("span", { class: "dot", "aria-hidden": "true" }), el("span", { class: "name user" }), el("span", { class: "meta" }), el("span", { class: "chip", "data-state": "plain" }));
}

function updateMember(row, member, here) {
  const [dot, name, meta, role] = row.children;
  const called = member.petname ?? member.name ?? short(member.identity);
  show(name, member.verified ? `${called} ✓` : called);
  name.title = member.identity;
  const pairs = here.connected.filter((pair) => member.devices.includes(pair.peer_id));
  const state = member.me ? "plain" : pairs.length === 0 ? "away" : pairs.every((pair) => pair.level) ? "level" : "syncing";
  dot.dataset.state = state;
  say(meta, member.me ? "you" : { away: "not connected", level: "level", syncing: "syncing" }[state]);
  say(role, member.role);
}

function invitation(id) {
  const link = el("input", { type: "text", readonly: true, "aria-label": "Invitation link", class: "code" });
  const role = el("select", { "aria-label": "Role of whoever joins" }, el("option", { value: "writer" }, "who can write"), el("option", { value: "reader" }, "who can only read"));
  const button = el("button", { type: "button" }, "Make a link");
  const outcome = el("p", { class: "meta" });
  const result = el("div", { class: "result", hidden: true }, link, copyButton("the link", () => link.value));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const made = await ask(path("spaces", id, "invitations"), { method: "POST", body: { role: role.value } });
      link.value = made.link;
      result.hidden = false;
      say(outcome, `Whoever has this link can join as ${made.role}, once, until ${moment(made.expires)}.`);
      announce("The link is made");
      link.focus();
      link.select();
    } catch (error) {
      result.hidden = true;
      prose(outcome, error.hint ? `${error.message}: ${error.hint}` : "The node did not answer; try again.");
      announce(outcome.textContent);
    }
    button.disabled = false;
  });
  const node = el("div", { class: "invite" }, el("h3", {}, "Invite somebody"), el("p", { class: "choice" }, role, button), result, outcome);
  return { node };
}
