// Elements, and lists of them that change without losing the place where somebody reads or types.
// There is no way here to make elements from a string: what is not an attribute of ours is a text node.

/** An element. `on` in the attributes holds listeners; children are nodes or text of ours. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "on") {
      for (const [event, heard] of Object.entries(value)) node.addEventListener(event, heard);
    } else if (value !== undefined && value !== false) {
      node.setAttribute(key, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== undefined));
  return node;
}

/** Sets the text of a node, unless it is that already. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Makes the children of `parent` those of `items`: what stays keeps its element, and with it focus and selection. */
export function keep(parent, items, keyOf, make, update) {
  const wanted = new Set(items.map(keyOf));
  const there = new Map();
  for (const child of [...parent.children]) {
    if (wanted.has(child.dataset.key)) there.set(child.dataset.key, child);
    else child.remove();
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let node = there.get(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    update(node, item);
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

/** Shows a sentence of ours in which `commands` stand between backticks. */
export function prose(node, text) {
  if (node.dataset.prose === text) return;
  node.dataset.prose = text;
  node.replaceChildren(...text.split("`").map((part, at) => (at % 2 === 1 ? el("code", {}, part) : part)));
}

/** Says something to those who cannot see that it happened. */
export function announce(text) {
  say(document.getElementById("said"), text);
}

/** A button that copies what `of` gives. */
export function copyButton(label, of) {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${label}`, title: `Copy ${label}` }, "Copy");
  button.addEventListener("click", async () => {
    const done = await copied(of());
    say(button, done ? "Copied" : "Press Ctrl+C");
    announce(done ? `Copied ${label}` : `${label} is selected: press Ctrl+C`);
    setTimeout(() => say(button, "Copy"), 2000);
  });
  return button;
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages without encryption on a name other than this machine's have no clipboard.
    return false;
  }
}
