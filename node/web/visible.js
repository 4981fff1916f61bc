// Strings that others wrote, made safe to look at. They reach the page as text nodes and nothing else, and what would
// deceive the eye is written out: controls, separators of lines, marks and overrides of direction, characters without width.
// The rule is that of the command line, but for joiners inside a text, without which some scripts cannot be read.

const DECEIVES = "[\\p{Cc}\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}]";
const IN_LINE = new RegExp(DECEIVES, "gu");
const JOINED =
  "(?<=[\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f\\p{Script=Arabic}\\p{Script=Devanagari}\\p{Script=Bengali}" +
  "\\p{Script=Malayalam}\\p{Script=Sinhala}\\p{Script=Kannada}\\p{Script=Tamil}\\p{Script=Telugu}])[\\u200c\\u200d]";
const IN_TEXT = new RegExp(`(?![\\n\\t])(?!${JOINED})${DECEIVES}`, "gu");

const shown = new WeakMap();

/** The text for places that hold no elements: a title, an accessible name. */
export function plain(text) {
  return text.replace(IN_LINE, written);
}

/** Shows a value within a line. */
export function show(node, text) {
  fill(node, text ?? "", IN_LINE);
}

/** Shows a text of many lines. */
export function showText(node, text) {
  fill(node, text, IN_TEXT);
}

/** The nodes that show a piece of a text of many lines. */
export function pieces(text) {
  return cut(text, IN_TEXT);
}

function written(character) {
  return `\\u{${character.codePointAt(0).toString(16)}}`;
}

function fill(node, text, rule) {
  if (shown.get(node) === text) return;
  shown.set(node, text);
  node.replaceChildren(...cut(text, rule));
}

function cut(text, rule) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(rule)) {
    if (found.index > end) nodes.push(text.slice(end, found.index));
    const mark = document.createElement("span");
    mark.className = "hidden-character";
    mark.textContent = written(found[0]);
    nodes.push(mark);
    end = found.index + found[0].length;
  }
  if (end < text.length) nodes.push(text.slice(end));
  return nodes;
}
