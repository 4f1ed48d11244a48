// Shows what the address says, and asks for the token if the server wants one.

import { findToken, getToken, RequestError, setToken } from "./api.js";
import { h, link, replace } from "./dom.js";
import { showEpisode } from "./episode_view.js";
import { showEpisodes } from "./episodes_view.js";
import { setKeys, startKeyboard } from "./keyboard.js";
import { address, read } from "./location.js";
import { startNavigation } from "./navigation.js";
import { showRuns } from "./runs_view.js";

const main = document.getElementById("main");
let current = null;

// A view that is shown: it can repeat a request until another view is shown.
class Shown {
  constructor() {
    this.over = false;
  }

  // Calls a function again and again; it returns the milliseconds until the next call.
  poll(refresh) {
    let pause = 1000;
    const again = async () => {
      if (this.over) return;
      try {
        if (!document.hidden) pause = await refresh();
        document.getElementById("offline")?.remove();
      } catch (error) {
        if (this.over || error.name === "AbortError") return;
        showOffline(error);
        pause = 3000;
      }
      if (!this.over) this.timer = setTimeout(again, pause);
    };
    this.timer = setTimeout(again, pause);
  }

  // Names the run and the episode in the breadcrumb, once they are known.
  trail(run, episode = "") {
    showTrail(read(), run, episode);
  }

  title(text) {
    document.title = `${text} – codegym-mcp`;
  }

  end() {
    this.over = true;
    clearTimeout(this.timer);
  }
}

async function show() {
  current?.end();
  const shown = (current = new Shown());
  const place = read();
  setKeys([]);
  showTrail(place);
  shown.title("Runs");
  const view = place.episode ? showEpisode : place.run ? showEpisodes : (target, _, each) => showRuns(target, each);
  const target = h("div");
  main.setAttribute("aria-busy", "true");
  try {
    const loading = view(target, place, shown);
    await loading;
    if (!shown.over) replace(main, target);
    shown.ready?.();
  } catch (error) {
    if (shown.over || error.name === "AbortError") return;
    if (!(error instanceof RequestError)) throw error;
    if (error.status === 401) askForToken(Boolean(getToken()));
    else replace(main, h("h1", {}, "This cannot be shown"), h("p", { class: "problem", role: "alert" }, error.message), h("p", {}, link(address({}), "All runs")));
  } finally {
    main.removeAttribute("aria-busy");
  }
}

function showTrail(place, run = "Episodes", episode = place.episode) {
  const parts = [link(address({}), "Runs")];
  if (place.run) parts.push(link(address({ ...place, episode: "", beside: "", find: "" }), run));
  if (place.episode) parts.push(h("span", { "aria-current": "page" }, episode));
  replace(document.getElementById("trail"), h("ol", {}, parts.map((part) => h("li", {}, part))));
}

function askForToken(isWrong) {
  const field = h("input", { type: "password", name: "token", autocomplete: "off", required: true });
  const submit = (event) => {
    event.preventDefault();
    setToken(field.value.trim());
    show();
  };
  replace(
    main,
    h("h1", {}, "Token"),
    h("p", {}, "Paste the token from the address that ", h("code", {}, "codegym-mcp view"), " printed. It is kept in this tab only."),
    isWrong ? h("p", { class: "problem", role: "alert" }, "The token of this tab is not the server's.") : "",
    h("form", { onsubmit: submit, class: "token" }, h("label", {}, "Token ", field), h("button", {}, "Show")),
  );
  field.focus();
}

function showOffline(error) {
  document.getElementById("offline")?.remove();
  main.prepend(h("p", { id: "offline", class: "problem", role: "alert" }, error.message, " What is shown may be old."));
}

startKeyboard();
startNavigation(show);
await findToken();
await show();
