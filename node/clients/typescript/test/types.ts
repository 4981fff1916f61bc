// Types only: `npm run check` reads it, nothing runs it.
import * as Y from "yjs";
import { Client, openText, WeftError, type StreamBody } from "weft-client";

export async function use(): Promise<string> {
  const client = new Client({ url: "http://127.0.0.1:9339", token: async () => "token" });
  const { spaces } = await client.request("GET", "/spaces");
  const space = spaces[0]?.space ?? "";
  const made = await client.request("POST", "/spaces/{space}/objects", {
    path: { space },
    body: { type: "note", properties: { name: "today" }, text: "hello" },
  });
  const text = await openText(client, { object: made.object, Y });
  text.text.insert(0, "typed");
  text.setPresence({ name: "Alice", cursor: null });
  const stream = await client.request("POST", "/objects/{object}/sessions/{session}/stream", {
    path: { object: made.object, session: 1 },
    body: { key: "" },
  });
  for await (const event of stream) {
    const heard: StreamBody = event;
    if (heard.event === "reset") break;
  }
  // @ts-expect-error no such path
  await client.request("GET", "/nothing");
  // @ts-expect-error no such method
  await client.request("PATCH", "/spaces");
  // @ts-expect-error a space has to be named
  await client.request("GET", "/spaces/{space}/members");
  // @ts-expect-error a number is no name
  await client.request("POST", "/spaces", { body: { name: 7 } });
  return text.reset instanceof WeftError ? text.reset.code : text.doc.getText("body").toString();
}
