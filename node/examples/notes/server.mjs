// Serves the app on loopback, and tells its page where the node is and what the token is. There is nothing to build.
//
//   node server.mjs --data FOLDER [--port 5173]
//
// It gives the token of a node to whoever opens the page, so it listens on loopback only and answers only under its own name: a page
// of somebody else's that had its name bound to this machine is sent away.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { data: { type: "string" }, port: { type: "string", default: "5173" } } });
if (!values.data) {
  console.error("which node? node server.mjs --data FOLDER, the folder that `weft --data FOLDER up` was given");
  process.exit(2);
}

const here = fileURLToPath(new URL(".", import.meta.url));
if (!existsSync(join(here, "node_modules/weft-client/src/index.js")) || !existsSync(join(here, "node_modules/yjs"))) {
  console.error(`what the page imports is not there: run \`npm install\` in ${here}`);
  console.error("(in a copy of it: `npm install PATH/node/clients/typescript`, because its package.json says where the client was)");
  process.exit(1);
}
/** What the page may load: the app, and the modules that its import map names. */
const FILES = [/^index\.html$/, /^[\w-]+\.(js|css)$/, /^node_modules\/(yjs|lib0|weft-client)\/[\w./-]+\.m?js$/];
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css" };
const page = await readFile(join(here, "index.html"), "utf8");
const imports = /<script type="importmap">(.*?)<\/script>/s.exec(page)[1];
const SAFE = {
  "cache-control": "no-store",
  "content-security-policy": `default-src 'self'; connect-src 'self' http://127.0.0.1:* http://localhost:*; img-src data:; script-src 'self' 'sha256-${createHash("sha256").update(imports).digest("base64")}'`,
  "cross-origin-opener-policy": "same-origin",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Where the node's API is, and its token: both may be new whenever it has started. */
async function node() {
  const file = JSON.parse(await readFile(join(values.data, "node.json"), "utf8"));
  return { url: `http://${file.api}`, token: (await readFile(file.token_path, "utf8")).trim() };
}

async function answer(request, response) {
  const send = (status, type, body) => response.writeHead(status, { ...SAFE, "content-type": type }).end(body);
  const { host, origin } = request.headers;
  if (!NAMES.includes(host) || (origin !== undefined && origin !== `http://${host}`)) {
    return send(403, "text/plain", "this app is used at the address that it printed\n");
  }
  let path = decodeURIComponent(new URL(request.url, `http://${host}`).pathname).slice(1) || "index.html";
  // Yjs imports `lib0/map` and means `lib0/map.js`.
  if (/^node_modules\/lib0\/\w+$/.test(path)) path += ".js";
  if (request.method !== "GET") return send(405, "text/plain", "only GET\n");
  if (path === "node.json") {
    // A page of another site may show this one, but not read it: no other origin is ever allowed to.
    if (request.headers["sec-fetch-site"] && request.headers["sec-fetch-site"] !== "same-origin") {
      return send(403, "text/plain", "only this app's own page\n");
    }
    try {
      return send(200, "application/json", JSON.stringify(await node()));
    } catch {
      return send(503, "text/plain", `no node runs on ${values.data}: weft --data ${values.data} up --origin ${ORIGIN}\n`);
    }
  }
  const file = normalize(join(here, path));
  if (!file.startsWith(here) || !FILES.some((allowed) => allowed.test(path))) {
    return send(404, "text/plain", "no such file\n");
  }
  try {
    send(200, TYPES[extname(file)], await readFile(file));
  } catch {
    send(404, "text/plain", path.startsWith("node_modules") ? "run `npm install` here first\n" : "no such file\n");
  }
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.on("error", (error) => {
  console.error(`cannot listen at port ${values.port}: ${error.message}; name another one with --port`);
  process.exit(1);
});
let ORIGIN, NAMES;
server.listen(Number(values.port), "127.0.0.1", () => {
  const { port } = server.address();
  ORIGIN = `http://localhost:${port}`;
  NAMES = [`localhost:${port}`, `127.0.0.1:${port}`];
  console.log(`notes: ${ORIGIN}  (its node has to know it: weft --data ${values.data} up --origin ${ORIGIN})`);
});
