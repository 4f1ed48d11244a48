// The episodes of a run: filters, a table that can be sorted, pages.

import { request } from "./api.js";
import { announce, h, link, replace } from "./dom.js";
import * as format from "./format.js";
import { setKeys } from "./keyboard.js";
import { address } from "./location.js";
import { navigate } from "./navigation.js";
import { RowSelection } from "./row_selection.js";

const PAGE_ROWS = 100;
const COLUMNS = [
  ["episode", "environment"],
  ["outcome", "outcome"],
  ["reward", "reward", "number"],
  ["difficulty", "difficulty", "number"],
  ["calls / oracle", "calls", "number"],
  ["refused calls", "failed_calls", "number"],
  ["how it ended", null],
  ["tokens", "tokens", "number"],
  ["time", "seconds", "number"],
];
const FILTER_NAMES = { outcome: "Outcome", environment: "Environment", difficulty: "Difficulty", tag: "Tag", agent: "Agent", ended: "How it ended" };

export async function showEpisodes(main, place, shown) {
  const progress = h("div", {});
  const summary = h("p", { class: "summary" });
  const body = h("tbody");
  const pages = h("nav", { class: "pages", "aria-label": "Pages" });
  const filters = h("form", { class: "filters", role: "search", "aria-label": "Filters", onsubmit: (event) => event.preventDefault() });
  const selection = new RowSelection(body);
  const heading = h("h1", {}, "Episodes");
  let list = { rows: [], total: 0, progress: {} };

  replace(
    main,
    heading,
    progress,
    summary,
    h("details", { class: "filter-box", open: matchMedia("(min-width: 700px)").matches }, h("summary", {}, "Filters"), filters),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Table of episodes" }, table(place, body)),
    pages,
  );
  const turn = (by) => {
    const offset = place.offset + by * PAGE_ROWS;
    if (offset >= 0 && offset < list.total) navigate(address({ ...place, offset }));
  };
  setKeys([
    ["j", "Next episode", () => selection.move(1)],
    ["k", "Previous episode", () => selection.move(-1)],
    ["Enter", "Open the episode", () => selection.open()],
    ["n", "Next episode that was not solved", () => {
      if (!selection.moveTo((row) => row.dataset.solved === "no")) announce("No further unsolved episode on this page.");
    }],
    ["f", "Only episodes that were not solved, or all again", () => change(place, { failures: place.filters.failures ? "" : "true" })],
    ["/", "Search in the texts", () => filters.querySelector("[name=search]")?.focus()],
    ["]", "Next page", () => turn(1)],
    ["[", "Previous page", () => turn(-1)],
    ["u", "Back to the runs", () => navigate(address({}))],
  ]);

  let version = null;
  const refresh = async () => {
    list = await request("episodes", { run: place.run, ...place.filters, offset: place.offset, limit: PAGE_ROWS });
    const reading = list.progress.read_bytes < list.progress.total_bytes;
    if (version !== list.progress.version) {
      version = list.progress.version;
      replace(body, list.rows.map((row) => episodeRow(place, row)));
      selection.restore();
      replace(pages, pageButtons(place, list, turn));
      const facets = await request("facets", { run: place.run });
      replace(summary, summarize(place, facets, list));
      if (!filters.contains(document.activeElement)) replace(filters, filterFields(place, facets));
      if (!list.rows.length) replace(body, h("tr", {}, h("td", { colspan: COLUMNS.length }, emptyReason(place, facets, reading))));
    }
    replace(heading, "Episodes", h("span", { class: "of" }, ` of ${list.run.agent || "this server"}`), list.run.reward === null ? "" : h("span", { class: "note" }, ` mean reward ${format.reward(list.run.reward)}`), h("div", { class: "note" }, list.run.name === "episodes of this server" ? "" : list.run.name));
    replace(progress, progressBox(list.progress, reading));
    shown.title(`${list.total} episodes`);
    if (reading) return 700;
    return list.progress.live ? 2000 : 10000;
  };
  await refresh();
  shown.poll(refresh);
}

function change(place, filters) {
  navigate(address({ ...place, offset: 0, filters: { ...place.filters, ...filters } }));
}

function table(place, body) {
  const { sort = "recorded", descending } = place.filters;
  const heads = COLUMNS.map(([name, field, kind]) => {
    if (!field) return h("th", { scope: "col" }, name);
    const sorted = sort === field ? (descending ? "descending" : "ascending") : null;
    const next = sorted === "ascending" ? { sort: field, descending: "true" } : sorted ? { sort: "", descending: "" } : { sort: field, descending: "" };
    return h("th", { scope: "col", class: kind, "aria-sort": sorted ?? "none" },
      h("button", { type: "button", class: "sort", onclick: () => change(place, next) }, name, h("span", { "aria-hidden": "true" }, sorted === "ascending" ? " ▲" : sorted ? " ▼" : "")));
  });
  return h("table", {}, h("caption", { class: "visually-hidden" }, "Episodes"), h("thead", {}, h("tr", {}, heads)), body);
}

function episodeRow(place, row) {
  const solved = row.outcome === "correct" || row.outcome === "unscored" || row.outcome === "open";
  const name = row.outcome === "unreadable" ? row.task : `${row.environment} / ${row.task}`;
  return h(
    "tr",
    { "data-id": row.id, "data-solved": solved ? "yes" : "no" },
    h("th", { scope: "row" }, link(address({ ...place, episode: row.id, find: place.filters.search ?? "" }), name, row.epoch > 1 ? ` (attempt ${row.epoch})` : ""), row.superseded ? h("div", { class: "note" }, "failed, and was played again") : ""),
    h("td", {}, h("span", { class: `badge ${row.outcome}` }, format.outcome(row.outcome)), row.error ? h("div", { class: "problem" }, row.error) : ""),
    h("td", { class: "number" }, format.reward(row.reward)),
    h("td", { class: "number" }, format.number(row.difficulty)),
    h("td", { class: "number" }, format.calls(row)),
    h("td", { class: "number" }, format.number(row.failed_calls)),
    h("td", {}, format.words(row.ended)),
    h("td", { class: "number" }, format.number(row.tokens)),
    h("td", { class: "number" }, format.seconds(row.seconds)),
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
  const shown = list.total === all ? "" : `${format.number(list.total)} shown of `;
  return [
    `${shown}${format.number(all)} episodes: `,
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
    h("label", { class: "wide" }, "Words in the texts",
      h("input", {
        type: "search", name: "search", value: filters.search ?? "", disabled: !facets.searchable,
        placeholder: facets.searchable ? "in messages and results" : "not available here",
        onchange: (event) => change(place, { search: event.target.value.trim() }),
      })),
    selects.map(([name, label]) =>
      h("label", {}, label,
        h("select", { name, onchange: (event) => change(place, { [name]: event.target.value ? [event.target.value] : "" }) },
          h("option", { value: "" }, "all"),
          facets[name].map(({ value, count }) =>
            h("option", { value, selected: filters[name]?.includes(value) }, `${name === "outcome" ? format.outcome(value) : format.words(value)} (${count})`))))),
    ["min_reward", "max_reward"].map((name) =>
      h("label", {}, name === "min_reward" ? "Reward at least" : "Reward at most",
        h("input", { type: "number", name, min: 0, max: 1, step: "any", value: filters[name] ?? "", onchange: (event) => change(place, { [name]: event.target.value }) }))),
    checkbox(place, "failures", "Only not solved"),
    checkbox(place, "superseded", "Also failures that were played again"),
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
