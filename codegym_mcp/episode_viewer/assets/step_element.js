// One step of an episode: a message, or a turn of the agent with its calls and their results.

import { h, link } from "./dom.js";
import * as format from "./format.js";
import { textBlock } from "./text_block.js";

const SOURCES = { user: "Task", system: "System prompt", agent: "Agent" };
const INVALID = {
  malformed_arguments: "the arguments are not a JSON object",
  unknown_tool: "no tool has this name",
  after_end: "the episode had ended",
};
const STATUSES = {
  ok: "ok",
  refused: "refused by the tool",
  invalid: "refused: invalid call",
  fault: "the tool raised an exception",
  limit: "a limit was exceeded",
  failed: "the environment failed",
  over: "the episode was over",
};

// Creates the element of a step. `prefix` makes ids unique if two episodes are shown.
export function stepElement(step, view, { prefix, last, marked, find }) {
  const place = { run: view.run, episode: view.row.id, step: step.number };
  const text = (excerpt, part, call, className) => textBlock(excerpt, { ...place, part, call }, className, { find, isProse: part === "message" && step.source === "user" });
  const message = step.message ? text(step.message, "message", 0, "message") : "";
  // Both columns have the same task.
  const isRepeated = prefix !== "step-" && step.source === "user" && step.number === 1;
  return h(
    "li",
    { id: `${prefix}${step.number}`, class: `step ${step.source}${step.failure || isWrong(step) ? " failure" : ""}${isRight(step) ? " right" : ""}${marked ? " marked" : ""}`, tabindex: -1, "data-number": step.number, "aria-label": stepName(step) },
    h("header", {},
      prefix === "step-" ? h("a", { href: `#step-${step.number}`, class: "step-number", "aria-label": `Link to step ${step.number}` }, step.number) : h("span", { class: "step-number" }, step.number),
      h("span", { class: "source" }, SOURCES[step.source] ?? step.source),
      h("span", { class: "figures" }, figures(step))),
    step.reasoning ? h("details", { class: "reasoning", open: step.reasoning.length < 600 }, h("summary", {}, "Reasoning"), text(step.reasoning, "reasoning", 0, "quiet")) : "",
    isRepeated && message ? h("details", {}, h("summary", {}, "The same task"), message) : message,
    step.calls.map((call, position) => callElement(call, position, text, last && !step.calls.slice(position + 1).length, view.live)),
    step.failed_attempts.length ? h("details", {}, h("summary", {}, `${step.failed_attempts.length} failed requests to the model before this reply`), h("ul", {}, step.failed_attempts.map((each) => h("li", {}, each)))) : "",
    step.request_changes.length ? h("details", {}, h("summary", {}, "The request was changed for this server"), h("ul", {}, step.request_changes.map((each) => h("li", {}, each)))) : "",
    !step.message && !step.reasoning && !step.calls.length ? h("p", { class: "note" }, "An empty turn.") : "",
  );
}

function isWrong(step) {
  return step.calls.some((call) => call.answer_correct === false);
}

function isRight(step) {
  return step.calls.some((call) => call.answer_correct === true);
}

function callElement(call, position, text, isLast, live) {
  const status = callStatus(call);
  const missing = live && isLast ? "In progress." : "There is no result: the episode ended during the call.";
  const judged = call.answer_correct !== null;
  return h(
    "div",
    { class: `call${call.is_error || call.invalid || call.answer_correct === false ? " failure" : ""}${call.answer_correct ? " right" : ""}` },
    h("p", { class: "call-head" }, h("span", { "aria-hidden": "true" }, "→ "), h("code", {}, call.name), " ", status ? h("span", { class: "status" }, status) : "", call.seconds !== null ? h("span", { class: "figures" }, format.seconds(call.seconds)) : ""),
    call.arguments.text === "{}" ? "" : text(call.arguments, "arguments", position, "arguments"),
    call.reason ? h("p", { class: "problem" }, "Not told to the agent: ", call.reason) : "",
    call.result ? text(call.result, "result", position, "result") : judged ? "" : h("p", { class: "note" }, missing),
  );
}

export function callStatus(call) {
  const parts = [];
  if (call.invalid) parts.push(INVALID[call.invalid] ?? format.words(call.invalid));
  else if (call.status && call.status !== "ok") parts.push(STATUSES[call.status] ?? call.status);
  else if (call.is_error) parts.push("error");
  if (call.answer_correct !== null) parts.push(call.answer_correct ? "✓ right answer" : "✗ wrong answer");
  if (call.by_agent) parts.push("not sent: the agent's loop wrote the result");
  return parts.join("; ");
}

export function stepName(step) {
  const calls = step.calls.map((call) => {
    const status = callStatus(call);
    return status ? `${call.name}, ${status}` : call.name;
  });
  const done = calls.length ? `calls ${calls.join(", ")}` : step.source === "agent" ? "message" : SOURCES[step.source];
  return `Step ${step.number}: ${done}`;
}

function figures(step) {
  const parts = [];
  if (step.prompt_tokens !== null || step.completion_tokens !== null) {
    const thought = step.reasoning_tokens ? `, ${format.number(step.reasoning_tokens)} of them reasoning` : "";
    parts.push(`${format.number(step.prompt_tokens)} tokens in, ${format.number(step.completion_tokens)} out${thought}`);
  }
  if (step.cost_usd !== null) parts.push(format.cost(step.cost_usd));
  if (step.seconds !== null) parts.push(format.seconds(step.seconds));
  if (step.finish_reason && !["stop", "tool_call"].includes(step.finish_reason)) parts.push(`model stopped: ${format.words(step.finish_reason)}`);
  if (step.at) parts.push(format.time(step.at).slice(11));
  return parts.join(" · ");
}

// Creates the list of steps beside the episode: one link for each.
export function outlineItem(step, isMatch = false) {
  const failed = step.failure || isWrong(step);
  const sign = failed ? h("span", {}, " ✗", h("span", { class: "visually-hidden" }, step.failure ? " refused" : " wrong answer")) : isRight(step) ? h("span", {}, " ✓", h("span", { class: "visually-hidden" }, " right answer")) : "";
  const names = step.calls.map((call) => call.name).join(", ") || (step.source === "agent" ? "message" : step.source === "user" ? "task" : "system prompt");
  return h("li", { "data-number": step.number, class: isMatch && "marked" },
    h("a", { href: `#step-${step.number}`, class: failed ? "failure" : isRight(step) ? "right" : "" }, h("span", { class: "outline-number" }, step.number), " ", names, sign));
}
