// An episode as a column: its facts, what is wrong with it, and its steps, which are loaded in parts.

import { request } from "./api.js";
import { append, h, replace } from "./dom.js";
import * as format from "./format.js";
import { outlineItem, stepElement } from "./step_element.js";
import { textBlock } from "./text_block.js";

export class EpisodeColumn {
  constructor({ run, episode, find = "", prefix = "step-" }) {
    this.run = run;
    this.episode = episode;
    this.find = find;
    this.prefix = prefix;
    this.steps = [];
    this.facts = h("div", { class: "facts-box" });
    this.list = h("ol", { class: "steps", "aria-label": "Steps" });
    this.outline = h("ol", {});
    this.element = h("section", { class: "column" }, this.facts, this.list);
  }

  async load() {
    this.show(await this.fetch(0));
    return this.view;
  }

  fetch(first) {
    return request("episode", { run: this.run, episode: this.episode, first, search: this.find });
  }

  show(view) {
    this.view = view;
    this.run = view.run;
    this.episode = view.row.id;
    this.showFacts();
    this.addSteps(view.steps);
    this.next = view.next_step;
  }

  // Loads the steps that were not sent with the episode.
  async loadRest(isOver = () => false) {
    while (this.next !== null && !isOver()) {
      const view = await this.fetch(this.next);
      this.addSteps(view.steps);
      this.next = view.next_step;
    }
  }

  // Loads what has happened since; returns the new steps.
  async update() {
    // The last step may have got its results since.
    const first = Math.max(0, this.steps.length - 1);
    const view = await this.fetch(first);
    const changed = view.steps.filter((step, position) => JSON.stringify(step) !== JSON.stringify(this.steps[first + position]));
    const factsChanged = JSON.stringify([view.row, view.live, view.state]) !== JSON.stringify([this.view.row, this.view.live, this.view.state]);
    this.view = { ...view, steps: [] };
    for (const step of changed) {
      if (step.number <= this.steps.length) {
        this.steps[step.number - 1] = step;
        this.list.children[step.number - 1].replaceWith(this.createStep(step));
        this.outline.children[step.number - 1].replaceWith(this.createItem(step));
      } else this.addSteps([step]);
    }
    if (factsChanged) this.showFacts();
    return changed;
  }

  addSteps(steps) {
    this.steps.push(...steps);
    append(this.list, steps.map((step) => this.createStep(step)));
    append(this.outline, steps.map((step) => this.createItem(step)));
  }

  createItem(step) {
    return outlineItem(step, this.view.matches.includes(step.number));
  }

  createStep(step) {
    const last = step.number === this.view.row.steps;
    return stepElement(step, this.view, { prefix: this.prefix, last, marked: this.view.matches.includes(step.number), find: this.find });
  }

  step(number) {
    return this.list.querySelector(`[data-number="${number}"]`);
  }

  showFacts() {
    const { view } = this;
    const { row } = view;
    const place = { run: view.run, episode: row.id, step: 0 };
    const extra = (name, part) => view[part] ? h("details", { open: part === "error" }, h("summary", {}, name), textBlock(view[part], { ...place, part })) : "";
    replace(
      this.facts,
      h("h2", {}, this.title, " ", h("span", { class: `badge ${row.outcome}` }, format.outcome(row.outcome))),
      view.problems.map((problem) => h("p", { class: "problem" }, problem)),
      row.superseded ? h("p", { class: "note" }, "This attempt failed; it was repeated when the run was resumed.") : "",
      row.outcome === "unreadable" && !view.problems.length ? h("p", { class: "problem" }, row.error) : "",
      h("dl", { class: "facts" }, this.factList().map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
      view.submitted ? this.answers(place) : "",
      view.live ? h("p", { class: "live" }, "The episode is being played. New calls appear here.") : "",
      extra(view.fault ? `Error, caused by ${format.FAULTS[view.fault] ?? view.fault}` : "Error", "error"),
      extra("Final state of the environment, which the agent does not see", "final_state"),
      extra("Output of the agent program", "stdout"),
      extra("Error output of the agent program", "stderr"),
      extra("The line of the file", "line"),
    );
    this.facts.querySelectorAll("details").forEach((each) => { if (view.line) each.open = true; });
  }

  get title() {
    const { run, run_name: name, row } = this.view;
    if (run === "oracle") return "Oracle, played now";
    return row.outcome === "unreadable" ? format.runName(name) : `Recorded: run ${format.runName(name)}, attempt ${row.epoch}`;
  }

  // The submitted answer; beside a wrong one, the oracle's on request.
  answers(place) {
    const { view } = this;
    const box = h("div", { class: "answers" });
    const add = (name, excerpt, where) => append(box, [h("div", {}, h("p", { class: "note" }, name), textBlock(excerpt, { ...where, part: "submitted" }, "arguments", { find: this.find }))]);
    add("Submitted answer", view.submitted, place);
    if (view.row.outcome !== "incorrect" || view.run === "oracle") return box;
    const button = h("button", { type: "button" }, "Show the oracle's answer");
    const state = h("p", { class: "note", role: "status" });
    button.addEventListener("click", async () => {
      button.disabled = true;
      state.textContent = "The oracle is playing the task.";
      try {
        const oracle = await request("oracle", { run: view.run, episode: view.row.id }, { method: "POST" });
        button.parentElement.remove();
        if (oracle.submitted) add("The oracle's answer", oracle.submitted, { run: oracle.run, episode: oracle.row.id, step: 0 });
        else append(box, [h("p", { class: "note" }, "The oracle submitted no answer.")]);
      } catch (error) {
        if (error.name === "AbortError") return;
        state.textContent = error.message;
        state.className = "problem";
      }
    });
    return append(box, [h("div", {}, button, state)]);
  }

  factList() {
    const { view } = this;
    const { row } = view;
    if (row.outcome === "unreadable") return [];
    const facts = [
      ...(row.agent ? [["Agent", row.agent]] : []),
      ["Reward", view.live ? "not yet" : format.reward(row.reward)],
      ["Calls", `${format.calls(row)}, without the submission`],
    ];
    const add = (name, value) => value && facts.push([name, value]);
    add("Overlap with the right answer", view.overlap !== null && `${Math.round(100 * view.overlap)} %`);
    add("Calls allowed", view.max_calls && format.number(view.max_calls));
    const invalid = row.invalid_calls ? `, ${format.number(row.invalid_calls)} of them invalid` : "";
    add("Refused calls", row.failed_calls && `${format.number(row.failed_calls)}${invalid}`);
    add("Repeated calls", view.repeated_calls && format.number(view.repeated_calls));
    add("How it ended", format.ending(row.ended));
    add("Limits met", view.limits_met.map(format.words).join(", "));
    add("Difficulty", row.difficulty && String(row.difficulty));
    add("Seed", view.seed !== null && String(view.seed));
    add("Tags", row.tags.join(", "));
    add("Time", row.seconds !== null && format.seconds(row.seconds));
    add("Tokens", row.tokens !== null && `${format.number(view.prompt_tokens)} in, ${format.number(view.completion_tokens)} out`);
    add("Cost", format.cost(row.cost_usd));
    add("Exit code", view.exit_code !== null && String(view.exit_code));
    add("Started (UTC)", format.time(row.at));
    return facts;
  }
}
