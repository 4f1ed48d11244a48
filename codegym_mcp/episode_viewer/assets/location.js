// The address says what is shown: ?run=, the filters, &episode=, &beside=, and #step-12.

export const LISTS = ["environment", "outcome", "difficulty", "tag", "agent", "ended"];
export const FILTERS = [...LISTS, "search", "min_reward", "max_reward", "failures", "superseded", "sort", "descending"];

export function read() {
  const parameters = new URLSearchParams(location.search);
  const query = {};
  for (const name of FILTERS) {
    const values = parameters.getAll(name);
    if (values.length) query[name] = LISTS.includes(name) ? values : values[0];
  }
  return {
    run: parameters.get("run") ?? "",
    episode: parameters.get("episode") ?? "",
    beside: parameters.get("beside") ?? "",
    find: parameters.get("find") ?? "",
    offset: Number(parameters.get("offset") ?? 0) || 0,
    filters: query,
  };
}

export function address({ run = "", episode = "", beside = "", find = "", offset = 0, filters = {} }, step = "") {
  const parameters = new URLSearchParams();
  const add = (name, value) => value && parameters.append(name, value);
  add("run", run);
  for (const [name, value] of Object.entries(filters)) {
    for (const each of Array.isArray(value) ? value : [value]) add(name, each);
  }
  add("offset", offset || "");
  add("episode", episode);
  add("beside", beside);
  add("find", find);
  const search = parameters.toString();
  return location.pathname + (search ? `?${search}` : "") + (step ? `#step-${step}` : "");
}

export function shownStep() {
  const found = /^#step-(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) : null;
}
