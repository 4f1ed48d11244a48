// The list of runs.

import { request } from "./api.js";
import { h, link, replace } from "./dom.js";
import { number, reward, time } from "./format.js";
import { setKeys } from "./keyboard.js";
import { address } from "./location.js";
import { RowSelection } from "./row_selection.js";

export async function showRuns(main, shown) {
  const body = h("tbody");
  const table = h(
    "table",
    {},
    h("caption", { class: "visually-hidden" }, "Runs"),
    h("thead", {}, h("tr", {}, ["run", "agent", "state", "episodes", "mean reward", "started (UTC)"].map((name) => h("th", { scope: "col", class: ["episodes", "mean reward"].includes(name) && "number" }, name)))),
    body,
  );
  const selection = new RowSelection(body);
  replace(main, h("h1", {}, "Runs"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of runs" }, table));
  setKeys([
    ["j", "Next run", () => selection.move(1)],
    ["k", "Previous run", () => selection.move(-1)],
    ["Enter", "Open the run", () => selection.open()],
  ]);
  let before = "";
  const refresh = async () => {
    const runs = await request("runs");
    if (JSON.stringify(runs) !== before) {
      before = JSON.stringify(runs);
      replace(body, runs.map(row));
      if (!runs.length) replace(body, h("tr", {}, h("td", { colspan: 6 }, "There are no runs here yet. They appear as soon as they are started.")));
      selection.restore();
    }
    return 4000;
  };
  await refresh();
  shown.poll(refresh);
}

function row(run) {
  const total = run.expected > run.episodes ? `${number(run.episodes)} of ${number(run.expected)}` : number(run.episodes);
  return h(
    "tr",
    { "data-id": run.id },
    h("th", { scope: "row" }, link(address({ run: run.id }), run.name)),
    h("td", {}, run.agent),
    h("td", {}, h("span", { class: `badge ${run.live ? "open" : run.problem ? "failed" : "plain"}` }, run.state), run.failed ? ` ${run.failed} failed` : "", run.problem ? h("div", { class: "problem" }, run.problem) : ""),
    h("td", { class: "number" }, total),
    h("td", { class: "number" }, reward(run.reward)),
    h("td", {}, time(run.at)),
  );
}
