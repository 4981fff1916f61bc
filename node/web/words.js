// What the page calls things, once for every view. The words are those of the command line.

/** The beginning of an id, enough to name it by. */
export function short(id) {
  return id.slice(0, 12);
}

/** The end of a peer's id: all of them begin alike. */
export function shortPeer(id) {
  return id.slice(-8);
}

/** What a space is called, or is said to be called. */
export function spaceName(space) {
  if (space.name) return space.name;
  return space.said_name ? `“${space.said_name}”, says the link` : short(space.space);
}

/** How a space stands: a state for the eye, a word for everybody. */
export function sync(space) {
  if (space.gone) return { state: "stopped", word: space.gone };
  if (space.write_stop) return { state: "stopped", word: "stopped" };
  if (space.level) return { state: "level", word: "level" };
  if (space.connected.length > 0) return { state: "syncing", word: space.waiting.length > 0 ? "not level" : "syncing" };
  return space.members === 1 ? { state: "alone", word: "only you" } : { state: "away", word: "nobody connected" };
}

/** Where a space or an object is shown. */
export function spaceHref(space) {
  return `#/s/${space}`;
}

export function objectHref(space, object) {
  return `#/s/${space}/o/${object}`;
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

const FULL = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** A moment, for a person. */
export function moment(rfc3339) {
  const date = new Date(rfc3339);
  return Number.isNaN(date.getTime()) ? rfc3339 : FULL.format(date);
}

/** How long ago, roughly. */
export function ago(rfc3339, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(rfc3339).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}
