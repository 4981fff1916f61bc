// What happens at the node, as it happens. A stream of server-sent events, read by hand because it has to show the token.
// Events only say when to look, so after every connection everything is looked at again.

import { headers } from "./session.js";

// The node says something every 15 s, if only that it is there.
const SILENCE_MS = 40_000;
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

/** Follows the node for as long as the page is open. `told` hears events, `became` hears `live`, `lost` or `locked`. */
export async function follow(told, became) {
  let failures = 0;
  for (;;) {
    const end = await once(told, () => {
      failures = 0;
      became("live");
    });
    if (end === "locked") return became("locked");
    became("lost");
    await pause(PAUSES_MS[Math.min(failures, PAUSES_MS.length - 1)]);
    failures += 1;
  }
}

async function once(told, opened) {
  const stop = new AbortController();
  let silence;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => stop.abort(), SILENCE_MS);
  };
  try {
    heard();
    const request = { headers: headers(), cache: "no-store", credentials: "omit", signal: stop.signal };
    const answer = await fetch("/api/v1/events", request);
    if (answer.status === 401) return "locked";
    if (!answer.ok) return "lost";
    opened();
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return "lost";
      heard();
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) told(JSON.parse(line.slice(5)));
      }
    }
  } catch {
    return "lost";
  } finally {
    clearTimeout(silence);
    stop.abort();
  }
}

function pause(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** A task that is asked for often and done seldom: never twice at once, and the longer it takes the rarer. */
export function gathered(task) {
  let running = false;
  let again = false;
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      const begun = performance.now();
      await task();
      await pause(Math.min(5000, 30 + 3 * (performance.now() - begun)));
    } while (again);
    running = false;
  };
}
