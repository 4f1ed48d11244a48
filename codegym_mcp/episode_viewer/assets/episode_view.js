// One episode, step by step, with another one beside it if wanted.

import { request } from "./api.js";
import { announce, h, notify, replace } from "./dom.js";
import { EpisodeColumn } from "./episode_column.js";
import { noteOpened, PAGE_ROWS } from "./episodes_view.js";
import * as format from "./format.js";
import { setKeys } from "./keyboard.js";
import { address, shownStep } from "./location.js";
import { navigate, replaceAddress } from "./navigation.js";
import { stepName } from "./step_element.js";

const ORACLE = "oracle";
const PLAYED = "oracle:play";

export async function showEpisode(main, place, shown) {
  const column = new EpisodeColumn({ run: place.run, episode: place.episode, find: place.find });
  const view = await column.load();
  noteOpened(place.run, place.episode);
  const columns = h("div", { class: "columns" }, column.element);
  const state = { place, shown, column, columns, selected: null, beside: null };
  const { row } = view;
  const name = format.episodeName(row);
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
  shown.trail(format.runName(view.run_name), name);
  const neighbours = findNeighbours(place);
  setKeys(keys(state, find, neighbours), () => state.selected && select(state, state.selected));
  replace(
    tools,
    find,
    matchesText(view, place),
    button("Next refused call", "n", () => nextRefused(state)),
    button("Next unsolved episode", "N", () => go(state, neighbours, (found) => found.nextUnsolved, "There is no further unsolved episode in the list.")),
    button("Copy link to this step", "y", () => copyLink(state)),
  );
  shown.ready = async () => {
    if (shownStep()) select(state, shownStep());
    await column.loadRest(() => shown.over);
    if (shownStep() && state.selected !== shownStep()) select(state, shownStep());
    else if (!shownStep() && place.find && view.matches.length) select(state, view.matches[0]);
    await showTools(state, tools, neighbours);
    if (place.beside) await showBeside(state);
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
    ["G", "Last step", () => select(state, lastStep(state))],
    ["n", "Next refused call", () => nextRefused(state)],
    ["p", "Previous refused call", () => previousRefused(state)],
    ["N", "Next unsolved episode", () => go(state, neighbours, (found) => found.nextUnsolved, "There is no further unsolved episode in the list.")],
    ["m", "Next step that contains the text", () => nextMatch(state)],
    ["/", "Find in this episode", () => { find.focus(); find.select(); }],
    ["]", "Next episode of the list", () => go(state, neighbours, (found) => found.next, "This is the last episode.")],
    ["[", "Previous episode of the list", () => go(state, neighbours, (found) => found.previous, "This is the first episode.")],
    ["o", "Show or hide the oracle's way beside", () => besideOracle(state)],
    ["c", "Choose another attempt at this task", () => document.querySelector("select[name=beside]")?.focus()],
    ["y", "Copy link to this step", () => copyLink(state)],
    ["u", "Back to the list", () => backToList(state, neighbours)],
  ];
}

function lastStep({ column, beside }) {
  return Math.max(column.steps.length, beside?.steps.length ?? 0);
}

// Selects the steps of one number. The longer of two columns is read to its end.
function select(state, number) {
  const { column, beside } = state;
  const pair = [column.step(number), beside?.step(number)].filter(Boolean);
  const [element] = pair;
  if (!element) {
    notify(number > lastStep(state) ? "This is the last step." : "There is no such step.");
    return;
  }
  document.querySelectorAll(".step.selected, .outline .selected").forEach((each) => each.classList.remove("selected"));
  pair.forEach((each) => each.classList.add("selected"));
  element.focus({ preventScroll: true });
  if (hasPanes(state)) pair.forEach((each) => scrollPane(each));
  // Of columns one below the other, only the main one moves.
  else element.scrollIntoView({ block: "start" });
  const item = column.outline.querySelector(`[data-number="${number}"]`);
  item?.classList.add("selected");
  const box = column.outline.closest("nav");
  if (item && box) box.scrollTop = item.offsetTop - box.clientHeight / 2;
  state.selected = number;
  if (!column.step(number)) {
    announce(`${stepName(beside.steps[number - 1])}, beside: this episode has ended.`);
    return;
  }
  if (shownStep() !== number) history.replaceState(history.state, "", `#step-${number}`);
  announce(`${stepName(column.steps[number - 1])}. ${number} of ${column.view.row.steps}.`);
}

// Two columns next to each other scroll each for itself; the page stays, with its controls.
function hasPanes(state) {
  return state.beside !== null && getComputedStyle(state.columns).display === "grid";
}

function scrollPane(step, again = 2) {
  const pane = step.closest(".column");
  if (!pane) return;
  pane.scrollTop += step.getBoundingClientRect().top - pane.getBoundingClientRect().top - 4;
  // The heights of steps out of sight are estimated: they are known after the first scroll.
  if (again) requestAnimationFrame(() => { if (step.classList.contains("selected")) scrollPane(step, again - 1); });
}

function nextRefused(state) {
  const { failures } = state.column.view;
  const next = failures.find((number) => number > (state.selected ?? 0));
  if (next) select(state, next);
  else notify(failures.length ? "There is no further refused call in this episode." : "No call of this episode was refused.");
}

function previousRefused(state) {
  const { failures } = state.column.view;
  const before = failures.filter((number) => number < (state.selected ?? Infinity));
  if (before.length) select(state, before.at(-1));
  else notify(failures.length ? "There is no earlier refused call in this episode." : "No call of this episode was refused.");
}

async function copyLink(state) {
  const link = new URL(address(state.place, state.selected), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    notify(state.selected ? `The link to step ${state.selected} is copied.` : "The link to this episode is copied.");
  } catch {
    notify(`The browser does not allow copying. The link is: ${link}`);
  }
}

function nextMatch(state) {
  const { matches } = state.column.view;
  const next = matches.find((number) => number > (state.selected ?? 0)) ?? matches[0];
  if (next) select(state, next);
  else notify("No step matches.");
}

// Shows the page of the list that holds this episode.
async function backToList({ place }, neighbours) {
  const { position } = await neighbours;
  const offset = position ? Math.floor((position - 1) / PAGE_ROWS) * PAGE_ROWS : place.offset;
  navigate(address({ ...place, offset, episode: "", beside: "", find: "" }));
}

// Opens another episode of the list, with the attempt of the same run beside it.
async function go(state, neighbours, which, none) {
  const { place } = state;
  const found = await neighbours;
  const id = which(found);
  if (!id) {
    notify(found.position ? none : "The list does not hold this episode.");
    return;
  }
  navigate(address({ ...place, episode: id, beside: await besideOf(place, id) }));
}

async function besideOf(place, episode) {
  const [run] = place.beside.split(":");
  if (!place.beside || place.beside === PLAYED) return place.beside;
  const { attempts } = await request("attempts", { run: place.run, episode });
  const found = attempts.find((each) => each.run === run);
  if (!found) notify("The run that was beside has no attempt at this task.");
  return found ? `${found.run}:${found.id}` : "";
}

// The episodes before and after this one, in the list from which it was opened.
async function findNeighbours(place) {
  const around = { run: place.run, ...place.filters };
  let { offset } = place;
  const limit = PAGE_ROWS;
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
  return h("span", { class: "note" }, view.matches.length ? [`${view.matches.length} ${view.matches.length === 1 ? "step matches" : "steps match"}; press `, h("kbd", {}, "m"), " for the next"] : "no step matches");
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
  const choose = (event) => changeBeside(state, event.target.value);
  const options = others.attempts.map((each) =>
    h("option", { value: `${each.run}:${each.id}`, selected: place.beside === `${each.run}:${each.id}` }, `recorded: run ${format.runName(each.run_name)}, attempt ${each.epoch}: ${format.outcome(each.outcome)}, ${each.calls} calls`));
  tools.append(
    h("label", {}, "Compare with ", h("select", { name: "beside", onchange: choose },
      h("option", { value: "" }, "–"),
      h("option", { value: PLAYED, selected: place.beside === PLAYED, disabled: Boolean(others.oracle) }, others.oracle ? "the oracle (not available)" : "the oracle, played now"),
      options)),
    others.oracle ? h("p", { class: "note" }, "The oracle's way cannot be shown. ", others.oracle) : "",
    found.total ? h("span", { class: "note" }, `Episode ${found.position} of ${found.total} in the list`) : "",
    found.previous ? button("Previous", "[", () => go(state, neighbours, (each) => each.previous, "This is the first episode.")) : "",
    found.next ? button("Next", "]", () => go(state, neighbours, (each) => each.next, "This is the last episode.")) : "",
  );
}

function besideOracle(state) {
  const { place } = state;
  if (state.oracle) notify(`The oracle's way cannot be shown. ${state.oracle}`);
  else changeBeside(state, place.beside === PLAYED ? "" : PLAYED);
}

// Changes what is beside, without showing the episode anew: the focus stays where it is.
function changeBeside(state, beside) {
  const { columns } = state;
  state.place.beside = beside;
  state.beside = null;
  replaceAddress(address(state.place, state.selected));
  while (columns.children.length > 1) columns.lastChild.remove();
  columns.classList.remove("two");
  const choice = document.querySelector("select[name=beside]");
  if (choice) choice.value = beside;
  if (beside) showBeside(state);
}

async function showBeside(state) {
  const { place, shown, columns } = state;
  const wanted = place.beside;
  const isOver = () => shown.over || place.beside !== wanted;
  const waiting = h("p", { class: "note", role: "status" }, place.beside === PLAYED ? "The oracle is playing the task." : "Loading.");
  columns.classList.add("two");
  if (getComputedStyle(columns).display === "grid") scrollTo(0, 0);
  columns.style.setProperty("--top", `${Math.round(columns.getBoundingClientRect().top + scrollY)}px`);
  columns.append(waiting);
  try {
    let beside;
    if (place.beside === PLAYED) {
      const view = await request("oracle", { run: place.run, episode: place.episode }, { method: "POST" });
      beside = new EpisodeColumn({ run: view.run, episode: view.row.id, find: place.find, prefix: "beside-" });
      beside.show(view);
    } else {
      const [run, ...id] = place.beside.split(":");
      beside = new EpisodeColumn({ run, episode: id.join(":"), find: place.find, prefix: "beside-" });
      await beside.load();
    }
    if (isOver()) return;
    waiting.replaceWith(beside.element);
    state.beside = beside;
    for (const [element, label] of [[state.column.element, `This episode. ${state.column.title}`], [beside.element, `Beside it. ${beside.title}`]]) {
      element.tabIndex = 0;
      element.setAttribute("aria-label", label);
    }
    await beside.loadRest(isOver);
    if (!isOver()) markBeside(state);
  } catch (error) {
    if (error.name === "AbortError") return;
    waiting.textContent = error.message;
    waiting.className = "problem";
  }
}

// Brings the selected step of both columns into view, and leaves the focus where it is.
function markBeside(state) {
  const { column, beside, columns, selected } = state;
  beside.list.before(h("p", { class: "note" }, "Steps of the same number are selected together."));
  if (!selected) return;
  const pair = [column.step(selected), beside.step(selected)].filter(Boolean);
  pair.forEach((each) => each.classList.add("selected"));
  if (getComputedStyle(columns).display === "grid") pair.forEach((each) => scrollPane(each));
  else pair[0]?.scrollIntoView({ block: "start" });
}
