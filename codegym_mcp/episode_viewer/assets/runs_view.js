// The list of runs.

import { request } from "./api.js";
import { h, link, notify, replace } from "./dom.js";
import { number, reward, runName, time } from "./format.js";
import { setKeys } from "./keyboard.js";
import { address } from "./location.js";
import { RowSelection } from "./row_selection.js";

const COLUMNS = ["run", "agent", "mean reward", "episodes", "solved", "unsolved", "failed", "state", "started (UTC)"];
const NUMBERS = ["mean reward", "episodes", "solved", "unsolved", "failed"];

let opened = null;

export async function showRuns(main, shown) {
  const body = h("tbody");
  const table = h(
    "table",
    { class: "cards unsorted" },
    h("caption", { class: "visually-hidden" }, "Runs"),
    h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: NUMBERS.includes(name) && "number" }, name)))),
    body,
  );
  const selection = new RowSelection(body, opened);
  body.addEventListener("click", (event) => { opened = event.target.closest("tr")?.dataset.id ?? opened; });
  replace(main, h("h1", {}, "Runs"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of runs" }, table));
  setKeys([
    ["j", "Next run", () => selection.move(1) || notify("This is the last run.")],
    ["k", "Previous run", () => selection.move(-1) || notify("This is the first run.")],
    ["Enter", "Open the run", () => selection.open()],
  ], () => selection.focus());
  let before = "";
  const refresh = async () => {
    const runs = await request("runs");
    if (JSON.stringify(runs) !== before) {
      before = JSON.stringify(runs);
      replace(body, runs.map(row));
      if (!runs.length) replace(body, h("tr", {}, h("td", { colspan: COLUMNS.length }, "There are no runs here yet. They appear as soon as they are started.")));
      selection.restore();
    }
    return 4000;
  };
  await refresh();
  shown.ready = () => selection.focus();
  shown.poll(refresh);
}

function row(run) {
  const total = run.expected > run.episodes ? `${number(run.episodes)} of ${number(run.expected)}` : number(run.episodes);
  const name = runName(run.name);
  const started = time(run.at);
  const figure = (title, value) => h("td", { class: "number", "data-label": title }, value);
  return h(
    "tr",
    { "data-id": run.id },
    h("th", { scope: "row" }, link(address({ run: run.id }), name), name === run.name ? "" : h("div", { class: "note" }, run.name)),
    h("td", { "data-label": "agent" }, run.agent),
    figure("mean reward", reward(run.reward)),
    figure("episodes", total),
    figure("solved", number(run.solved)),
    figure("unsolved", number(run.unsolved)),
    figure("failed", number(run.failed)),
    h("td", { "data-label": "state" }, h("span", { class: `badge ${run.live ? "open" : run.problem ? "failed" : "plain"}` }, run.state), run.problem ? h("div", { class: "problem" }, run.problem) : ""),
    h("td", { "data-label": "started", title: started }, started.slice(0, 16)),
  );
}
