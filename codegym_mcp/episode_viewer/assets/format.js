// Puts values into words.

export const OUTCOMES = {
  correct: "correct",
  incorrect: "incorrect",
  no_submission: "no answer submitted",
  failed: "failed, not the agent's fault",
  unscored: "not scored",
  unreadable: "damaged record",
  open: "playing",
  abandoned: "abandoned, not scored",
};

const ENDINGS = { submitted: "answer submitted", open: "playing" };

export const FAULTS = {
  harness: "an environment, the server or this program",
  provider: "the provider of the model",
  agent: "the agent's own code",
};

export function words(name) {
  return name.replaceAll("_", " ");
}

export function outcome(name) {
  return OUTCOMES[name] ?? words(name);
}

export function number(value) {
  return value === null || value === undefined ? "–" : value.toLocaleString("en");
}

export function reward(value) {
  if (value === null || value === undefined) return "–";
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 0.0995) return `${(value * 1000).toFixed(value < 0.001 ? 2 : 0)} ms`;
  if (value < 120) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

export function cost(value) {
  return value === null || value === undefined ? "" : `$${value.toFixed(4)}`;
}

export function ending(name) {
  return ENDINGS[name] ?? words(name);
}

export function calls(row) {
  return row.oracle_calls === null ? number(row.calls) : `${number(row.calls)} (oracle: ${number(row.oracle_calls)})`;
}

// A run is named by its folder; a baseline also by the run to which it belongs.
export function runName(path) {
  const parts = path.split("/").filter(Boolean);
  const name = parts.at(-1) ?? path;
  return parts.at(-2) === "baselines" && parts.length > 2 ? `${parts.at(-3)}, baseline ${name}` : name;
}

export function episodeName(row, { attempt = true } = {}) {
  if (row.outcome === "unreadable") return row.task;
  return `${row.environment} / ${row.task}${attempt ? `, attempt ${row.epoch}` : ""}`;
}

export function time(iso) {
  const parsed = new Date(iso);
  return iso && !Number.isNaN(parsed.valueOf()) ? parsed.toISOString().replace("T", " ").slice(0, 19) : "";
}

// A task is written in lines of a fixed width. A line that is full continues in the next one.
export function reflowed(text) {
  return text.replace(/^(\S.{54,})\n(?=[^\s\-*+#|>])(?!\d+[.)])/gm, "$1 ").replace(/\r/g, "");
}
