// The episodes of a run: filters, a table that can be sorted, pages.

import { request } from "./api.js";
import { h, link, notify, replace } from "./dom.js";
import * as format from "./format.js";
import { setKeys } from "./keyboard.js";
import { address } from "./location.js";
import { navigate } from "./navigation.js";
import { RowSelection } from "./row_selection.js";

export const PAGE_ROWS = 100;
// A column: its name, the field by which it is sorted, the text of a cell, and when a cell is empty.
const COLUMNS = [
  { name: "episode", field: "environment" },
  { name: "outcome", field: "outcome" },
  { name: "reward", field: "reward", cell: (row) => format.reward(row.reward), isEmpty: (row) => row.reward === null },
  { name: "difficulty", field: "difficulty", cell: (row) => format.number(row.difficulty), isEmpty: (row) => row.difficulty === null },
  { name: "calls", field: "calls", cell: format.calls },
  { name: "refused calls", field: "failed_calls", cell: (row) => format.number(row.failed_calls) },
  { name: "how it ended", text: true, cell: (row) => format.ending(row.ended), isEmpty: (row) => !row.ended },
  { name: "tokens", field: "tokens", cell: (row) => format.number(row.tokens), isEmpty: (row) => row.tokens === null },
  { name: "time", field: "seconds", cell: (row) => format.seconds(row.seconds), isEmpty: (row) => row.seconds === null },
];
const FILTER_NAMES = { outcome: "Outcome", environment: "Environment", difficulty: "Difficulty", tag: "Tag", agent: "Agent", ended: "How it ended" };

// The episode that was opened last, by its run: the way back leads to its row.
const opened = new Map();

export function noteOpened(run, episode) {
  opened.set(run, episode);
}

export async function showEpisodes(main, place, shown) {
  const progress = h("div", {});
  const summary = h("p", { class: "summary" });
  const body = h("tbody");
  const pages = h("nav", { class: "pages", "aria-label": "Pages" });
  const filters = h("form", { class: "filters", role: "search", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() });
  const head = h("thead");
  const selection = new RowSelection(body, opened.get(place.run));
  const heading = h("h1", {}, "Episodes");
  let list = { rows: [], total: 0, progress: {} };

  replace(
    main,
    heading,
    progress,
    summary,
    h("details", { class: "filter-box", open: matchMedia("(min-width: 700px)").matches }, h("summary", {}, "Filters"), filters),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of episodes" },
      h("table", { class: "cards" }, h("caption", { class: "visually-hidden" }, "Episodes"), head, body)),
    pages,
  );
  const turn = (by) => {
    const offset = place.offset + by * PAGE_ROWS;
    if (offset >= 0 && offset < list.total) navigate(address({ ...place, offset }));
    else if (list.total <= PAGE_ROWS) notify("There is only one page.");
    else notify(by > 0 ? "This is the last page." : "This is the first page.");
  };
  setKeys([
    ["j", "Next episode", () => selection.move(1) || notify("This is the last episode of this page.")],
    ["k", "Previous episode", () => selection.move(-1) || notify("This is the first episode of this page.")],
    ["Enter", "Open the episode", () => selection.open()],
    ...["n", "N"].map((key) => [key, "Next unsolved episode", () => selection.moveTo((row) => row.dataset.solved === "no") || notify("There is no further unsolved episode on this page.")]),
    ["f", "Unsolved episodes only, or all again", () => change(place, { failures: place.filters.failures ? "" : "true" })],
    ["/", "Search in messages and results", () => filters.querySelector("[name=search]")?.focus()],
    ["]", "Next page", () => turn(1)],
    ["[", "Previous page", () => turn(-1)],
    ["u", "Back to the runs", () => navigate(address({}))],
  ], () => selection.focus());

  let version = null;
  const refresh = async () => {
    list = await request("episodes", { run: place.run, ...place.filters, offset: place.offset, limit: PAGE_ROWS });
    const reading = list.progress.read_bytes < list.progress.total_bytes;
    if (version !== list.progress.version) {
      version = list.progress.version;
      const columns = COLUMNS.filter(({ isEmpty }) => !isEmpty || !list.rows.every(isEmpty));
      replace(head, headRow(place, list.sort, columns));
      replace(body, list.rows.map((row) => episodeRow(place, row, columns, list.rows.some(({ epoch }) => epoch > 1))));
      selection.restore();
      replace(pages, pageButtons(place, list, turn));
      const facets = await request("facets", { run: place.run });
      replace(summary, summarize(place, facets, list));
      if (!filters.contains(document.activeElement)) replace(filters, filterFields(place, facets));
      if (!list.rows.length) replace(body, h("tr", {}, h("td", { colspan: COLUMNS.length }, emptyReason(place, facets, reading))));
    }
    replace(heading, "Episodes", h("span", { class: "of" }, ` of ${list.run.agent ? `run ${format.runName(list.run.name)}` : "this server"}`), list.run.reward === null ? "" : h("span", { class: "note" }, ` mean reward ${format.reward(list.run.reward)}`));
    shown.trail(format.runName(list.run.name));
    replace(progress, progressBox(list.progress, reading));
    shown.title(`${list.total} episodes`);
    if (reading) return 700;
    return list.progress.live ? 2000 : 10000;
  };
  await refresh();
  shown.ready = () => selection.focus();
  shown.poll(refresh);
}

function change(place, filters) {
  navigate(address({ ...place, offset: 0, filters: { ...place.filters, ...filters } }));
}

function headRow(place, sort, columns) {
  const { descending } = place.filters;
  const heads = columns.map(({ name, field, cell, text }) => {
    const kind = cell && !text && "number";
    if (!field) return h("th", { scope: "col" }, name);
    const sorted = sort === field ? (descending ? "descending" : "ascending") : null;
    const next = sorted === "ascending" ? { sort: field, descending: "true" } : sorted ? { sort: "", descending: "" } : { sort: field, descending: "" };
    return h("th", { scope: "col", class: kind, "aria-sort": sorted ?? "none" },
      h("button", { type: "button", class: "sort", onclick: () => change(place, next) }, name, h("span", { "aria-hidden": "true" }, sorted === "ascending" ? " ▲" : sorted ? " ▼" : "")));
  });
  return h("tr", {}, heads);
}

function episodeRow(place, row, columns, attempt) {
  const solved = row.outcome === "correct" || row.outcome === "unscored" || row.outcome === "open";
  return h(
    "tr",
    { "data-id": row.id, "data-solved": solved ? "yes" : "no" },
    h("th", { scope: "row" }, link(address({ ...place, episode: row.id, find: place.filters.search ?? "" }), format.episodeName(row, { attempt })), row.superseded ? h("div", { class: "note" }, "failed, and was repeated later") : ""),
    h("td", {}, h("span", { class: `badge ${row.outcome}` }, format.outcome(row.outcome)), row.error ? h("div", { class: "problem" }, row.error) : ""),
    columns.filter(({ cell }) => cell).map(({ name, cell, text }) => h("td", { class: !text && "number", "data-label": name }, cell(row))),
  );
}

function pageButtons(place, list, turn) {
  const last = Math.min(place.offset + PAGE_ROWS, list.total);
  return [
    h("button", { type: "button", disabled: place.offset === 0, onclick: () => turn(-1) }, "Previous page"),
    h("span", {}, list.total ? `${format.number(place.offset + 1)} to ${format.number(last)} of ${format.number(list.total)}` : "none"),
    h("button", { type: "button", disabled: last >= list.total, onclick: () => turn(1) }, "Next page"),
  ];
}

function summarize(place, facets, list) {
  const all = facets.outcome.reduce((sum, each) => sum + each.count, 0);
  return [
    list.total === all ? `${format.number(all)} episodes: ` : `${format.number(list.total)} of ${format.number(all)} episodes shown; whole run: `,
    facets.outcome.map(({ value, count }, position) => [
      position ? ", " : "",
      link(address({ run: place.run, filters: { outcome: [value] } }), `${format.number(count)} ${format.outcome(value)}`),
    ]),
  ];
}

function filterFields(place, facets) {
  const { filters } = place;
  const selects = Object.entries(FILTER_NAMES).filter(([name]) => facets[name].length > 1 || filters[name]);
  const active = Object.keys(filters).some((name) => !["sort", "descending"].includes(name));
  return [
    h("label", { class: "wide" }, "Search in messages and results",
      h("input", {
        type: "search", name: "search", value: filters.search ?? "", disabled: !facets.searchable,
        placeholder: facets.searchable ? "" : "not available here",
        onchange: (event) => change(place, { search: event.target.value.trim() }),
      })),
    selects.map(([name, label]) =>
      h("label", {}, label,
        h("select", { name, onchange: (event) => change(place, { [name]: event.target.value ? [event.target.value] : "" }) },
          h("option", { value: "" }, "all"),
          facets[name].map(({ value, count }) =>
            h("option", { value, selected: filters[name]?.includes(value) }, `${{ outcome: format.outcome, ended: format.ending }[name]?.(value) ?? format.words(value)} (${count})`))))),
    ["min_reward", "max_reward"].map((name) =>
      h("label", {}, name === "min_reward" ? "Reward at least" : "Reward at most",
        h("input", { type: "number", name, min: 0, max: 1, step: "any", value: filters[name] ?? "", onchange: (event) => change(place, { [name]: event.target.value }) }))),
    checkbox(place, "failures", "Unsolved only"),
    checkbox(place, "superseded", "Include failed attempts that were repeated later"),
    active ? h("button", { type: "button", onclick: () => navigate(address({ run: place.run })) }, "Remove all filters") : "",
  ];
}

function checkbox(place, name, label) {
  return h("label", { class: "check" },
    h("input", { type: "checkbox", name, checked: Boolean(place.filters[name]), onchange: (event) => change(place, { [name]: event.target.checked ? "true" : "" }) }), label);
}

function emptyReason(place, facets, reading) {
  if (reading) return "The run is being read.";
  if (facets.outcome.length) return "No episode passes the filters.";
  return "The run has no episodes yet.";
}

function progressBox(progress, reading) {
  const parts = progress.problems.map((problem) => h("p", { class: "problem" }, problem));
  if (reading) {
    parts.push(h("p", {}, h("label", {}, "Reading the run ", h("progress", { value: progress.read_bytes, max: progress.total_bytes }))));
  } else if (progress.live) {
    parts.push(h("p", { class: "live" }, "In progress: new episodes appear as they end. ", progress.note));
  }
  return parts;
}
