// Real nodes for the tests: each in a folder of its own, on loopback, at ports that the system chooses.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

import { Client } from "weft-client";

const built = new URL("../../../../target/debug/weft", import.meta.url).pathname;
export const weft = process.env.WEFT_BIN ?? built;

/** Why the tests cannot run here, if so. */
export const skip = existsSync(weft) ? false : `there is no ${weft}: cargo build -p weft, or name one with WEFT_BIN`;

const run = promisify(execFile);

export class Node {
  static async start(name) {
    const node = new Node();
    node.folder = mkdtempSync(join(tmpdir(), "weft-client-"));
    await node.run("init", "--name", name);
    await node.up();
    return node;
  }

  get #env() {
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("WEFT_")));
    return { ...env, HOME: this.folder, WEFT_DATA: join(this.folder, "data") };
  }

  /** What a command says to programs. */
  async run(...args) {
    const { stdout } = await run(weft, ["--json", ...args], { env: this.#env, maxBuffer: 1 << 26 });
    return JSON.parse(stdout);
  }

  async up(api = "127.0.0.1:0", ...more) {
    const args = ["--json", "up", "--listen", "/ip4/127.0.0.1/udp/0/quic-v1", "--api", api, ...more];
    this.child = spawn(weft, args, { env: this.#env, stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await new Promise((resolve, reject) => {
      createInterface({ input: this.child.stdout }).once("line", (line) => resolve([line]));
      this.child.once("exit", (code) => reject(new Error(`the node ended with ${code}`)));
    });
    this.ready = JSON.parse(line);
  }

  /** Ends it as a power cut would. */
  async kill() {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    this.child.kill("SIGKILL");
    await gone;
  }

  async again() {
    await this.up(new URL(this.ready.api).host);
  }

  token = () => readFileSync(join(this.folder, "data", "api-token"), "utf8").trim();

  client(options = {}) {
    return new Client({ url: this.ready.api, token: this.token, ...options });
  }

  async text(object) {
    const { text } = await this.client().request("GET", "/objects/{object}/text", { path: { object } });
    return text;
  }

  async stop() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Two nodes that share a space with one empty note. */
export async function pair() {
  const [alice, bob] = await Promise.all([Node.start("Alice"), Node.start("Bob")]);
  const { space } = await alice.run("space", "create", "notes");
  const { object } = await alice.client().request("POST", "/spaces/{space}/objects", { path: { space }, body: { type: "note" } });
  const { link } = await alice.run("invite", "notes");
  await bob.run("join", link);
  await bob.run("wait", "notes");
  return { alice, bob, space, object };
}

/** Looks again and again until something holds; an assertion's failure says what did not. */
export async function eventually(check, ms = 60_000) {
  const until = Date.now() + ms;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}
