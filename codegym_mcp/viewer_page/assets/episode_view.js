// One episode, step by step, with another one beside it if wanted.

import { request } from "./api.js";
import { announce, h, replace } from "./dom.js";
import { EpisodeColumn } from "./episode_column.js";
import * as format from "./format.js";
import { setKeys } from "./keyboard.js";
import { address, shownStep } from "./location.js";
import { navigate } from "./navigation.js";
import { stepName } from "./step_element.js";

const ORACLE = "oracle";
const PLAYED = "oracle:play";

export async function showEpisode(main, place, shown) {
  const column = new EpisodeColumn({ run: place.run, episode: place.episode, find: place.find });
  const view = await column.load();
  const state = { place, shown, column, selected: null, beside: null };
  const { row } = view;
  const name = row.outcome === "unreadable" ? row.id : `${row.environment} / ${row.task}${row.epoch > 1 ? ` (attempt ${row.epoch})` : ""}`;
  const columns = h("div", { class: "columns" }, column.element);
  const tools = h("div", { class: "tools" });
  const find = h("input", { type: "search", name: "find", value: place.find, "aria-label": "Find in this episode", placeholder: "Find in this episode", onchange: () => navigate(address({ ...place, find: find.value.trim() }), { replaced: true }) });
  replace(
    main,
    h("h1", {}, name),
    tools,
    h("div", { class: "episode" },
      h("details", { class: "outline", open: matchMedia("(min-width: 1000px)").matches }, h("summary", {}, "Steps"), h("nav", { "aria-label": "Steps" }, column.outline)),
      columns),
  );
  shown.title(name);
  const neighbours = findNeighbours(place);
  setKeys(keys(state, find, neighbours));
  replace(tools, find, button("Next failure", "n", () => nextFailure(state, neighbours)), matchesText(view, place));
  shown.ready = async () => {
    if (shownStep()) select(state, shownStep());
    await column.loadRest(() => shown.over);
    if (shownStep() && state.selected !== shownStep()) select(state, shownStep());
    else if (!shownStep() && place.find && view.matches.length) select(state, view.matches[0]);
    await showTools(state, tools, neighbours);
    if (place.beside) await showBeside(state, columns);
  };
  const follow = () => { if (shownStep() && shownStep() !== state.selected) select(state, shownStep()); };
  addEventListener("hashchange", follow);
  const end = shown.end.bind(shown);
  shown.end = () => {
    removeEventListener("hashchange", follow);
    end();
  };
  if (view.live) shown.poll(() => update(state));
}

async function update(state) {
  const { column } = state;
  const atEnd = innerHeight + scrollY > document.documentElement.scrollHeight - 150;
  const changed = await column.update();
  if (changed.length) {
    announce(stepName(changed.at(-1)));
    if (atEnd) scrollTo(0, document.documentElement.scrollHeight);
  }
  if (!column.view.live) announce(`The episode has ended: ${format.outcome(column.view.row.outcome)}.`);
  return column.view.live ? 1000 : 60000;
}

function keys(state, find, neighbours) {
  return [
    ["j", "Next step", () => select(state, (state.selected ?? 0) + 1)],
    ["k", "Previous step", () => select(state, Math.max(1, (state.selected ?? 2) - 1))],
    ["g", "First step", () => select(state, 1)],
    ["G", "Last step", () => select(state, state.column.steps.length)],
    ["n", "Next failed call; after the last, the next episode that was not solved", () => nextFailure(state, neighbours)],
    ["p", "Previous failed call", () => previousFailure(state)],
    ["m", "Next step that contains the text", () => nextMatch(state)],
    ["/", "Find in this episode", () => { find.focus(); find.select(); }],
    ["]", "Next episode of the list", () => go(state, neighbours, (found) => found.next)],
    ["[", "Previous episode of the list", () => go(state, neighbours, (found) => found.previous)],
    ["o", "The oracle's way beside", () => besideOracle(state)],
    ["c", "Choose another attempt at this task", () => document.querySelector("select[name=beside]")?.focus()],
    ["u", "Back to the list", () => navigate(address({ ...state.place, episode: "", beside: "", find: "" }))],
  ];
}

function select(state, number) {
  const { column } = state;
  const element = column.step(number);
  if (!element) {
    announce(number > column.steps.length ? "This is the last step." : "There is no such step.");
    return;
  }
  document.querySelectorAll(".step.selected, .outline .selected").forEach((each) => each.classList.remove("selected"));
  element.classList.add("selected");
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "start" });
  state.beside?.step(number)?.classList.add("selected");
  state.beside?.step(number)?.scrollIntoView({ block: "start" });
  const item = column.outline.querySelector(`[data-number="${number}"]`);
  item?.classList.add("selected");
  const box = column.outline.closest("nav");
  if (item && box) box.scrollTop = item.offsetTop - box.clientHeight / 2;
  state.selected = number;
  if (shownStep() !== number) history.replaceState(history.state, "", `#step-${number}`);
  announce(`${stepName(column.steps[number - 1])}. ${number} of ${column.view.row.steps}.`);
}

async function nextFailure(state, neighbours) {
  const next = state.column.view.failures.find((number) => number > (state.selected ?? 0));
  if (next) {
    select(state, next);
    return;
  }
  const found = await neighbours;
  if (found.nextUnsolved) navigate(address({ ...state.place, episode: found.nextUnsolved, beside: "" }));
  else announce("There is no further failure.");
}

function previousFailure(state) {
  const before = state.column.view.failures.filter((number) => number < (state.selected ?? Infinity));
  if (before.length) select(state, before.at(-1));
  else announce("There is no earlier failure.");
}

function nextMatch(state) {
  const { matches } = state.column.view;
  const next = matches.find((number) => number > (state.selected ?? 0)) ?? matches[0];
  if (next) select(state, next);
  else announce("No step contains the text.");
}

async function go(state, neighbours, which) {
  const id = which(await neighbours);
  if (id) navigate(address({ ...state.place, episode: id, beside: "" }));
  else announce("The list ends here.");
}

// The episodes before and after this one, in the list from which it was opened.
async function findNeighbours(place) {
  const around = { run: place.run, ...place.filters };
  let { offset } = place;
  const limit = 100;
  const { rows, total } = await request("episodes", { ...around, offset, limit });
  const ids = rows.map((row) => row.id);
  const at = ids.indexOf(place.episode);
  if (at < 0) return {};
  const solved = (row) => row.outcome === "correct" || row.outcome === "unscored" || row.outcome === "open";
  let later = rows.slice(at + 1);
  const found = { previous: ids[at - 1], next: ids[at + 1], position: offset + at + 1, total };
  found.nextUnsolved = later.find((row) => !solved(row))?.id;
  while (!found.nextUnsolved && offset + limit < total && offset - place.offset < 10 * limit) {
    offset += limit;
    later = (await request("episodes", { ...around, offset, limit })).rows;
    found.next ??= later[0]?.id;
    found.nextUnsolved = later.find((row) => !solved(row))?.id;
  }
  return found;
}

function button(text, key, action) {
  return h("button", { type: "button", "aria-keyshortcuts": key, onclick: action }, text, " ", h("kbd", { "aria-hidden": "true" }, key));
}

function matchesText(view, place) {
  if (!place.find) return "";
  return h("span", { class: "note" }, view.matches.length ? `${view.matches.length} steps contain it; next: ` : "no step contains it", view.matches.length ? h("kbd", {}, "m") : "");
}

async function showTools(state, tools, neighbours) {
  const { place, column } = state;
  if (column.view.row.outcome === "unreadable" || place.run === ORACLE) return;
  const attempts = () => request("attempts", { run: place.run, episode: place.episode });
  let [others, found] = await Promise.all([attempts(), neighbours]);
  for (let times = 0; others.reading && times < 5 && !state.shown.over; times += 1) {
    await new Promise((resolve) => setTimeout(resolve, 400));
    others = await attempts();
  }
  state.oracle = others.oracle;
  const choose = (event) => navigate(address({ ...place, beside: event.target.value }, state.selected), { replaced: true });
  const options = others.attempts.map((each) =>
    h("option", { value: `${each.run}:${each.id}`, selected: place.beside === `${each.run}:${each.id}` }, `${each.agent}, attempt ${each.epoch}: ${format.outcome(each.outcome)}, ${each.calls} calls (${each.run_name})`));
  tools.append(
    h("label", {}, "Beside it ", h("select", { name: "beside", onchange: choose },
      h("option", { value: "" }, "nothing"),
      h("option", { value: PLAYED, selected: place.beside === PLAYED, disabled: Boolean(others.oracle) }, others.oracle ? "the oracle (not available)" : "the oracle"),
      options)),
    others.oracle ? h("p", { class: "note" }, "The oracle's way cannot be shown. ", others.oracle) : "",
    found.total ? h("span", { class: "note" }, `Episode ${found.position} of ${found.total} in the list`) : "",
    found.previous ? button("Previous", "[", () => go(state, neighbours, (each) => each.previous)) : "",
    found.next ? button("Next", "]", () => go(state, neighbours, (each) => each.next)) : "",
  );
}

function besideOracle(state) {
  const { place } = state;
  if (state.oracle) announce(`The oracle's way cannot be shown. ${state.oracle}`);
  else navigate(address({ ...place, beside: place.beside === PLAYED ? "" : PLAYED }, state.selected), { replaced: true });
}

async function showBeside(state, columns) {
  const { place, shown } = state;
  const waiting = h("p", { class: "note", role: "status" }, place.beside === PLAYED ? "The oracle is playing the task." : "Loading.");
  columns.classList.add("two");
  columns.append(waiting);
  try {
    let beside;
    if (place.beside === PLAYED) {
      const view = await request("oracle", { run: place.run, episode: place.episode }, { method: "POST" });
      beside = new EpisodeColumn({ run: view.run, episode: view.row.id, prefix: "beside-" });
      beside.show(view);
    } else {
      const [run, ...id] = place.beside.split(":");
      beside = new EpisodeColumn({ run, episode: id.join(":"), prefix: "beside-" });
      await beside.load();
    }
    if (shown.over) return;
    waiting.replaceWith(beside.element);
    state.beside = beside;
    for (const [element, label] of [[state.column.element, "This episode"], [beside.element, "The episode beside it"]]) {
      element.tabIndex = 0;
      element.setAttribute("aria-label", label);
    }
    await beside.loadRest(() => shown.over);
    if (state.selected) select(state, state.selected);
  } catch (error) {
    if (error.name === "AbortError") return;
    waiting.textContent = error.message;
    waiting.className = "problem";
  }
}
