// Requests the data of the page. The token is sent in a header: addresses are logged and shared, headers are not.

const BASE = new URL("../api/", import.meta.url);
const KEY = "codegym-mcp token";
const tabs = "BroadcastChannel" in window ? new BroadcastChannel("codegym-mcp viewer") : null;

export class RequestError extends Error {
  constructor(status, message, hint) {
    super(hint ? `${message} ${hint}` : message);
    this.status = status;
  }
}

tabs?.addEventListener("message", (event) => {
  if (event.data === "token?" && getToken()) tabs.postMessage({ token: getToken() });
});

export function getToken() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function setToken(token) {
  sessionStorage.setItem(KEY, token);
}

// Takes the token from the fragment of the address, or from another tab of this viewer.
export async function findToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    setToken(given);
    history.replaceState(history.state, "", location.pathname + location.search);
  }
  if (getToken() || !tabs) return;
  await new Promise((resolve) => {
    const take = (event) => {
      if (event.data?.token) {
        setToken(event.data.token);
        resolve();
      }
    };
    tabs.addEventListener("message", take);
    tabs.postMessage("token?");
    setTimeout(() => {
      tabs.removeEventListener("message", take);
      resolve();
    }, 150);
  });
}

export async function request(name, parameters = {}, { method = "GET", signal } = {}) {
  const url = new URL(name, BASE);
  for (const [key, value] of Object.entries(parameters)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== "" && each !== null && each !== undefined) url.searchParams.append(key, each);
    }
  }
  let response;
  try {
    response = await fetch(url, { method, signal, headers: { authorization: `Bearer ${getToken()}` } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new RequestError(0, "The server does not answer.", "It may have been stopped.");
  }
  if (response.ok) return response.json();
  let problem = {};
  try {
    problem = (await response.json()).error ?? {};
  } catch {
    // Another server answered.
  }
  throw new RequestError(response.status, problem.message ?? `The server answered ${response.status}.`, problem.hint);
}
