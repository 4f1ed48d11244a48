// Opens another view without loading the page again.

let render = () => {};
let search = location.search;

export function startNavigation(show) {
  render = show;
  addEventListener("popstate", () => {
    // A step of the same episode: the episode itself moves there.
    if (location.search !== search) navigated();
  });
  document.addEventListener("click", (event) => {
    const anchor = event.target.closest?.("a[href]");
    if (!anchor || event.defaultPrevented || event.button !== 0) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const url = new URL(anchor.href);
    if (url.origin !== location.origin || url.pathname !== location.pathname) return;
    if (url.search === location.search && url.hash) return; // A step of this episode.
    event.preventDefault();
    navigate(url.pathname + url.search + url.hash);
  });
}

export function navigate(href, { replaced = false } = {}) {
  history[replaced ? "replaceState" : "pushState"](null, "", href);
  navigated();
}

// Changes the address of what is shown, without showing it anew.
export function replaceAddress(href) {
  history.replaceState(history.state, "", href);
  search = location.search;
}

function navigated() {
  search = location.search;
  scrollTo(0, 0);
  render();
}
