// Builds elements. Every text becomes a text node, so nothing that an agent or an environment says is markup.

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const NAMES = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");

function visible(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return `[${NAMES[code]}]`;
  return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

// Terminal codes and marks that reorder or hide text are shown, not obeyed. Line breaks and tabs stay.
export function visibleText(text) {
  return text.replace(/\r\n/g, "\n").replace(CONTROL, visible);
}

// Creates an element. A property that begins with "on" is a listener; false, null and undefined are left out.
export function h(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    element.append(child instanceof Node ? child : document.createTextNode(visibleText(String(child))));
  }
  return element;
}

export function replace(element, ...children) {
  element.replaceChildren();
  return append(element, children);
}

// Tells a screen reader what has changed.
export function announce(text) {
  document.getElementById("announcer").textContent = visibleText(text);
}

const NOTICE_MILLISECONDS = 4000;
let hiding = 0;

// Tells everybody what a key or a button did not do, or did out of sight.
export function notify(text) {
  announce(text);
  const notice = document.getElementById("notice");
  notice.textContent = visibleText(text);
  notice.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { notice.hidden = true; }, NOTICE_MILLISECONDS);
}

// Returns the parts of a text, with every occurrence of a search in a mark.
export function marked(text, search) {
  if (!search) return [text];
  const pattern = new RegExp(search.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(pattern)) {
    parts.push(text.slice(end, found.index), h("mark", {}, found[0]));
    end = found.index + found[0].length;
  }
  return [...parts, text.slice(end)];
}

// A link within the page. The script opens it; a new tab and a copied address work as well.
export function link(href, ...children) {
  return h("a", { href }, ...children);
}
