// The tracker's events. A page that nobody sees has no stream: it lets it go and
// takes it up again when it is looked at.

import { $, put, say } from "./dom.js";

const slowest = 60000; // ms between two attempts, at most

// live calls handlers[event](data) for each event of url, and opened() whenever a
// stream begins; it shows in the page's head whether numbers arrive.
export function live(url, handlers, opened = () => {}) {
  let source = null, timer = 0, wait = 1000, at = null, lost = false;

  function show(state, text) {
    $("live").dataset.state = state;
    put($("live-text"), text);
  }

  function fail() {
    source?.close();
    source = null;
    show("lost", at ? `No connection; numbers of ${at.toLocaleTimeString()}` : "No connection");
    if (!lost) say("The connection to the tracker is lost. Trying again.", true);
    lost = true;
    clearTimeout(timer);
    timer = setTimeout(open, wait);
    wait = Math.min(2 * wait, slowest);
  }

  function open() {
    clearTimeout(timer);
    if (source || document.hidden) return;
    source = new EventSource(url);
    source.onerror = fail;
    source.onopen = () => {
      wait = 1000;
      show("on", "live");
      if (lost) say("The connection is back.", true);
      lost = false;
      opened();
    };
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (e) => {
        at = new Date();
        handle(JSON.parse(e.data));
      });
    }
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      source?.close();
      source = null;
      clearTimeout(timer);
    } else {
      wait = 1000;
      open();
    }
  });
  addEventListener("pagehide", () => { source?.close(); source = null; clearTimeout(timer); });
  addEventListener("pageshow", (e) => { if (e.persisted) open(); });
  open();
}

// ask fetches a document of the tracker's interface.
export async function ask(path) {
  const r = await fetch(path, { headers: { Accept: "application/json" } });
  if (!r.ok) throw new Error(`${path}: ${r.status}`);
  return r.json();
}
