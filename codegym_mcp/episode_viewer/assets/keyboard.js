// Keys of the page. The dialog of keys lists what is available, so nothing is documented twice.

import { h, replace } from "./dom.js";

let keys = [];
let home = () => {};

// Sets the keys of the view that is shown: [key, description, action]. Escape focuses what `goHome` names.
export function setKeys(list, goHome = () => {}) {
  home = goHome;
  keys = [...list, ["?", "Show or hide this list", toggleHelp], ["Escape", "Leave a field or this list, back to what is selected", leave]];
}

export function startKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest?.("input, select, textarea");
    if (typing && event.key !== "Escape") return;
    if (event.key === "Enter" && event.target.closest?.("a, button, summary")) return;
    const dialog = document.getElementById("keys");
    if (dialog.open && !["?", "Escape"].includes(event.key)) return;
    const found = keys.find(([key]) => key === event.key);
    if (!found) return;
    event.preventDefault();
    found[2]();
  });
  document.getElementById("help").addEventListener("click", toggleHelp);
}

function leave() {
  const dialog = document.getElementById("keys");
  if (dialog.open) dialog.close();
  else {
    document.activeElement?.blur();
    home();
  }
}

function toggleHelp() {
  const dialog = document.getElementById("keys");
  if (dialog.open) {
    dialog.close();
    return;
  }
  replace(
    dialog,
    h("h2", { id: "keys-heading" }, "Keys"),
    h("dl", { class: "keys" }, keys.map(([key, description]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, description)])),
    h("form", { method: "dialog", onsubmit: (event) => { event.preventDefault(); dialog.close(); } }, h("button", {}, "Close")),
  );
  dialog.showModal();
}
