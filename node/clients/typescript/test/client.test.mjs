// Requests: documents, errors with the node's own words, streams, and pages of other origins.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Client } from "weft-client";

import { Node, skip } from "../harness/node.mjs";

describe("requests", { skip }, () => {
  let alice;
  before(async () => {
    alice = await Node.start("Alice");
  });
  after(() => alice?.stop());

  test("answers are documents, and errors say what to do", async () => {
    const client = alice.client();
    const { space } = await client.request("POST", "/spaces", { body: { name: "home" } });
    const { spaces } = await client.request("GET", "/spaces");
    assert.deepEqual(spaces.map((space) => space.space), [space]);
    const unknown = client.request("GET", "/spaces/{space}", { path: { space: "nowhere" } });
    await assert.rejects(unknown, (error) => error.status === 404 && /./.test(error.code) && /./.test(error.hint));
    const objects = await client.request("GET", "/spaces/{space}/objects", { path: { space }, query: { all: true } });
    assert.ok(objects.objects.length > 0);
    await assert.rejects(client.request("GET", "/spaces/{space}/members"), TypeError);
  });

  test("without the token, or without a node, nothing is answered", async () => {
    const { api: url } = alice.ready;
    await assert.rejects(new Client({ url, token: "x" }).request("GET", "/spaces"), { status: 401, code: "no_token" });
    const nobody = new Client({ url: "http://127.0.0.1:9", token: "x" });
    await assert.rejects(nobody.request("GET", "/spaces"), { status: 0, code: "unreachable" });
  });

  test("events are read as they come", async () => {
    const client = alice.client();
    const stop = new AbortController();
    const events = await client.request("GET", "/events", { query: { events: "space_added" }, signal: stop.signal });
    const made = client.request("POST", "/spaces", { body: { name: "garden" } });
    const { value } = await events.next();
    assert.deepEqual([value.event, value.space], ["space_added", (await made).space]);
    await events.return();
  });

  test("pages of origins that were named may use it, others may not", async () => {
    await alice.kill();
    await alice.up("127.0.0.1:0", "--origin", "http://localhost:5173");
    const url = `${alice.ready.api}/api/v1/spaces`;
    const ask = (origin) => ({
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
    });
    const asked = await fetch(url, ask("http://localhost:5173"));
    assert.equal(asked.status, 204);
    assert.equal(asked.headers.get("access-control-allow-origin"), "http://localhost:5173");
    assert.match(asked.headers.get("access-control-allow-headers"), /authorization/);
    const refused = await fetch(url, ask("http://localhost:5174"));
    assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [403, null]);
    const headers = { authorization: `Bearer ${alice.token()}`, origin: "http://localhost:5173" };
    const answer = await fetch(url, { headers });
    assert.deepEqual([answer.status, answer.headers.get("access-control-allow-origin")], [200, "http://localhost:5173"]);
    const without = await fetch(url, { headers: { origin: "http://localhost:5173" } });
    assert.deepEqual([without.status, without.headers.get("access-control-allow-origin")], [401, "http://localhost:5173"]);
  });
});
