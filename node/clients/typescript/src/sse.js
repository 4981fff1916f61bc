// Server-sent events over `fetch`: `EventSource` can show no token.

/** A stream that says nothing for so long is dead: the node says something every 15 s. */
const SILENCE_MAX_MS = 45_000;

/** The JSON documents of a stream, as they come. It ends with the stream; leaving the loop closes it. */
export async function* events(response, silenceMaxMs = SILENCE_MAX_MS) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silenceMaxMs);
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function within(promise, ms) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing was heard for ${ms} ms`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
