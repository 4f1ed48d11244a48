// A text of an agent or an environment. Long texts are sent in parts, on request.

import { request } from "./api.js";
import { append, h, marked } from "./dom.js";
import { number, reflowed } from "./format.js";

// Creates the block of an excerpt. `place` names the text: run, episode, step, call, part.
// `find` is marked in it; `isProse` tells that line breaks within a paragraph mean nothing.
export function textBlock(excerpt, place, className = "", { find = "", isProse = false } = {}) {
  const text = h("pre", { class: `text ${className}`, dir: "auto" });
  if (excerpt.next_offset === null) return append(text, marked(isProse ? reflowed(excerpt.text) : indented(excerpt, place.part), find));
  const show = (part) => text.append(h("div", { class: "part" }, marked(part, find)));
  show(excerpt.text);
  const state = h("span", { role: "status" });
  const more = h("button", { type: "button" }, "Show more");
  const all = h("button", { type: "button" }, "Show all");
  const box = h("div", { class: "long" }, text, h("p", { class: "more" }, state, more, all));
  let offset = excerpt.next_offset;
  const count = () => {
    state.textContent = `${number(offset)} of ${number(excerpt.length)} characters are shown. `;
  };
  const load = async () => {
    const part = await request("text", { ...place, offset });
    show(part.text);
    offset = part.next_offset;
    if (offset === null) box.querySelector(".more").remove();
    else count();
  };
  const guarded = (action) => async () => {
    more.disabled = all.disabled = true;
    try {
      await action();
    } catch (error) {
      state.textContent = error.message;
    }
    more.disabled = all.disabled = false;
  };
  more.addEventListener("click", guarded(load));
  all.addEventListener("click", guarded(async () => {
    while (offset !== null && box.isConnected) await load();
  }));
  count();
  return box;
}

// Arguments are JSON: longer ones are set on several lines.
function indented(excerpt, part) {
  if (!["arguments", "submitted", "final_state"].includes(part) || excerpt.next_offset !== null || excerpt.text.length < 100) return excerpt.text;
  try {
    return JSON.stringify(JSON.parse(excerpt.text), null, 2);
  } catch {
    return excerpt.text;
  }
}
