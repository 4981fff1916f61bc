// Yjs documents of the day's npm `yjs` against real nodes: both directions, lost answers, restarts, and who is refused.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import * as Y from "yjs";
import { openText, WeftError } from "weft-client";

import { eventually, pair, skip } from "../harness/node.mjs";

if (skip) console.log(`skipped: ${skip}`);

/** A small generator, so that a failing run can be run again. */
function dice(seed) {
  return (below) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
}

const WORDS = ["a", "ß", "🦀", "word ", "two words ", "\n", "👩‍👩‍👧", "é"];

/** Where a text may be cut: between characters. */
function places(text) {
  const at = [0];
  for (const character of text) at.push(at.at(-1) + character.length);
  return at;
}

function edit({ doc, text }, roll) {
  const at = places(text.toString());
  const from = roll(at.length);
  const until = Math.min(from + roll(5), at.length - 1);
  const word = WORDS[roll(WORDS.length)];
  switch (roll(3)) {
    case 0:
      return text.delete(at[from], at[until] - at[from]);
    case 1:
      return text.insert(at[from], word);
    default:
      // Several changes at once, one of them undone at once, one in the place of what is deleted.
      return doc.transact(() => {
        text.insert(0, "x");
        text.delete(0, 1);
        text.insert(at[until], word);
        text.delete(at[from], at[until] - at[from]);
      });
  }
}

describe("texts", { skip }, () => {
  let alice, bob, object, space;
  const opened = [];
  const open = async (node, options = {}, target = object) => {
    const session = await openText(node.client(options), { object: target, Y });
    opened.push(session);
    await session.live();
    return session;
  };
  const note = async (text = "") => {
    const body = { type: "note", text };
    return (await alice.client().request("POST", "/spaces/{space}/objects", { path: { space }, body })).object;
  };

  before(async () => {
    ({ alice, bob, object, space } = await pair());
  });
  after(async () => {
    await Promise.all(opened.map((session) => session.close()));
    await Promise.all([alice?.stop(), bob?.stop()]);
  });

  // Spec: ECHO-1.2, ECHO-9.1: client ids of 53 bits survive yrs and yjs in both directions.
  test("documents of two nodes and the nodes themselves come to one text", async () => {
    const sessions = [await open(alice), await open(alice), await open(bob), await open(bob)];
    const ids = sessions.map((session) => session.doc.clientID);
    assert.equal(new Set(ids).size, 4);
    assert.ok(ids.some((id) => id > 2 ** 32), "ids are wider than 32 bits");
    assert.ok(ids.every((id) => Number.isSafeInteger(id)));
    const seed = Number(process.env.SEED ?? Date.now() % 1e6);
    const roll = dice(seed);
    for (let round = 0; round < 40; round++) {
      for (let n = roll(6); n >= 0; n--) edit(sessions[roll(4)], roll);
      if (roll(5) === 0) await alice.run("text", "insert", object, "0", "node ");
      if (roll(3) === 0) await new Promise((resolve) => setTimeout(resolve, roll(40)));
    }
    await Promise.all(sessions.map((session) => session.saved()));
    await alice.run("wait", "notes");
    await eventually(async () => {
      const texts = [...sessions.map((session) => session.text.toString()), await alice.text(object), await bob.text(object)];
      assert.equal(new Set(texts).size, 1, `seed ${seed}: ${JSON.stringify(texts)}`);
    });
    // Whoever comes now gets the same: one difference, made by yrs, read by yjs.
    const late = await open(bob);
    assert.equal(late.text.toString(), sessions[0].text.toString());
    const clients = Y.decodeStateVector(Y.encodeStateVector(late.doc));
    for (const session of sessions) {
      assert.equal(clients.get(session.doc.clientID), Y.decodeStateVector(Y.encodeStateVector(session.doc)).get(session.doc.clientID));
    }
    await Promise.all([...sessions, late].map((session) => session.close()));
  });

  test("an answer that was lost changes nothing", async () => {
    const object = await note();
    let lose = 2;
    const fetch = async (url, init) => {
      const answer = await globalThis.fetch(url, init);
      if (url.includes("/updates") && lose-- > 0) throw new TypeError("the connection broke");
      return answer;
    };
    const session = await open(alice, { fetch }, object);
    session.text.insert(0, "hello");
    await session.saved();
    session.text.delete(0, 1);
    await session.saved();
    assert.equal(await alice.text(object), "ello");
    const { feeds } = await alice.client().request("GET", "/spaces/{space}/feeds", { path: { space } });
    const length = feeds.find((feed) => feed.mine && feed.purpose === "data").length;
    session.text.insert(0, "H");
    await session.saved();
    const again = await alice.client().request("GET", "/spaces/{space}/feeds", { path: { space } });
    assert.equal(again.feeds.find((feed) => feed.mine && feed.purpose === "data").length, length + 1);
    await session.close();
  });

  test("a node that was killed and came back goes on with the same session", async () => {
    const object = await note("begun. ");
    const [hers, his] = [await open(alice, {}, object), undefined];
    hers.text.insert(7, "durable. ");
    await hers.saved();
    await alice.kill();
    hers.text.insert(16, "typed while it was gone. ");
    await eventually(() => assert.equal(hers.status, "offline"));
    hers.text.insert(0, "> ");
    assert.ok(hers.unsaved && his === undefined);
    await alice.again();
    await hers.saved();
    assert.equal(await alice.text(object), "> begun. durable. typed while it was gone. ");
    assert.equal((await open(alice, {}, object)).session, hers.session + 1, "no number is given twice");
  });

  test("a large text is written whole", async () => {
    const object = await note();
    const session = await open(alice, {}, object);
    const text = "a paragraph of ß and 🦀. ".repeat(100_000);
    session.text.insert(0, text);
    await session.saved();
    assert.equal((await alice.text(object)).length, text.length);
    const late = await open(alice, {}, object);
    assert.equal(late.text.length, text.length);
    await Promise.all([session.close(), late.close()]);
  });

  test("of two documents with one session one is refused", async () => {
    const object = await note();
    const client = alice.client();
    const opened = await client.request("POST", "/objects/{object}/sessions", { path: { object } });
    const at = { path: { object, session: opened.session } };
    const stream = (key, vector = "") =>
      client.request("POST", "/objects/{object}/sessions/{session}/stream", { ...at, body: { key, vector } });
    const next = async (events) => (await events.next()).value;
    await assert.rejects(stream("0".repeat(32)), { status: 403, code: "not_your_session" });
    const older = await stream(opened.key);
    const { stream: first } = await next(older);
    const newer = await stream(opened.key);
    const { event, stream: second } = await next(newer);
    assert.equal(event, "attached");
    let last;
    for await (const told of older) last = told;
    assert.deepEqual([last.event, last.code], ["reset", "taken_over"]);
    const doc = new Y.Doc();
    doc.clientID = opened.client_id;
    doc.getText("body").insert(0, "hello");
    const update = Buffer.from(Y.encodeStateAsUpdate(doc)).toString("base64");
    const send = (stream, key = opened.key) =>
      client.request("POST", "/objects/{object}/sessions/{session}/updates", { ...at, body: { key, stream, update } });
    await assert.rejects(send(first), { status: 409, code: "not_following" });
    await assert.rejects(send(second, "1".repeat(32)), { code: "not_your_session" });
    await send(second);
    assert.equal(await alice.text(object), "hello");
    // A copy of the tab as it was before it wrote: the session is not its own, and who has it keeps it.
    await assert.rejects(stream(opened.key), { status: 409, code: "session_in_use" });
    await send(second);
    await newer.return();
  });

  test("what only one document can show ends its session, and nothing of it is written", async () => {
    const object = await note("plain");
    for (const [change, code] of [
      [(session) => session.text.format(0, 2, { bold: true }), "malformed_update"],
      [(session) => session.doc.getMap("other").set("a", 1), "malformed_update"],
      [(session) => session.text.insertEmbed(0, { image: "x" }), "malformed_update"],
    ]) {
      const session = await open(alice, {}, object);
      change(session);
      await assert.rejects(session.saved(), (error) => error instanceof WeftError && error.code === code && error.hint !== "");
      assert.deepEqual([session.status, session.reset.code], ["closed", code]);
    }
    assert.equal(await alice.text(object), "plain");
  });

  test("a deleted object and a rebuilt space end the session", async () => {
    const object = await note("gone");
    const kept = await note("kept");
    const [session, other] = [await open(alice, {}, object), await open(alice, {}, kept)];
    const ended = (session) => new Promise((resolve) => session.addEventListener("reset", resolve, { once: true }));
    const gone = ended(session);
    await alice.client().request("DELETE", "/objects/{object}", { path: { object } });
    await gone;
    assert.equal(session.reset.code, "deleted");
    const rebuilt = ended(other);
    await alice.run("rebuild", "notes");
    await rebuilt;
    assert.equal(other.reset.code, "rebuilt");
    assert.equal((await open(alice, {}, kept)).text.toString(), "kept");
  });

  test("who is here is seen on both nodes until it goes", async () => {
    const object = await note("who is here");
    await alice.run("wait", "notes");
    const [first, second, remote] = [await open(alice, {}, object), await open(alice, {}, object), await open(bob, {}, object)];
    const seen = (session) => [...session.others.values()].map((state) => state.name).sort();
    first.setPresence({ name: "first", at: 1 });
    second.setPresence({ name: "second" });
    remote.setPresence({ name: "remote" });
    await eventually(() => {
      assert.deepEqual(seen(first), ["remote", "second"]);
      assert.deepEqual(seen(remote), ["first", "second"]);
    });
    first.setPresence({ name: "first", at: 2 });
    await eventually(() => assert.ok([...remote.others.values()].some((state) => state.at === 2)));
    await first.close();
    await eventually(() => assert.deepEqual([seen(second), seen(remote)], [["remote"], ["second"]]));
    second.setPresence(null);
    await eventually(() => assert.deepEqual(seen(remote), []));
    const large = { name: "x".repeat(2_000) };
    const body = { key: "0".repeat(32), stream: 1, state: large };
    const path = { object, session: second.session };
    await assert.rejects(
      alice.client().request("POST", "/objects/{object}/sessions/{session}/presence", { path, body }),
      { code: "not_your_session" },
    );
    await Promise.all([second.close(), remote.close()]);
  });
});
