// The tracker's events. A page that nobody sees has no stream: it lets it go and
// takes it up again when it is looked at.

import { $, put, say } from "./dom.js";

const first = 1000, slowest = 60000; // ms between two attempts, at least and at most
const silence = 40000; // ms; the tracker sends something every 15 s, so a silent connection is none
const patience = 10000; // ms that the answer to one question may take
const asleep = 30000; // ms between two calls of unseen

// live calls handlers[event](data) for each event of url, opened() whenever a stream
// begins, and unseen() now and then while there is none because nobody looks. It shows
// in the page's head whether numbers arrive. A handler that returns a text says that
// what is shown is no longer so, and why.
export function live(url, handlers, { opened, unseen } = {}) {
  let source = null, timer = 0, watch = 0, calls = 0, wait = first, at = null, lost = false;

  function show(state, text) {
    $("live").dataset.state = state;
    put($("live-text"), text);
  }

  const old = (why) => show("lost", at ? `${why}; numbers of ${at.toLocaleTimeString()}` : why);

  function drop() {
    source?.close();
    source = null;
    clearTimeout(timer);
    clearTimeout(watch);
    clearInterval(calls);
  }

  function heard() {
    clearTimeout(watch);
    watch = setTimeout(fail, silence);
  }

  function fail() {
    const refused = source?.readyState === EventSource.CLOSED;
    drop();
    old(refused ? "Refused by the tracker" : "No connection");
    if (!lost) say("The connection to the tracker is lost. Trying again.", true);
    lost = true;
    timer = setTimeout(open, wait);
    wait = Math.min(2 * wait, slowest);
  }

  function take(handle, data) {
    heard();
    const why = handle(JSON.parse(data));
    if (typeof why === "string") return old(why);
    at = new Date();
    show("on", "live");
  }

  function open() {
    clearTimeout(timer);
    if (source || document.hidden) return;
    source = new EventSource(url);
    source.onerror = fail;
    source.onopen = () => {
      wait = first;
      if (lost) say("The connection is back.", true);
      lost = false;
      opened?.();
    };
    source.addEventListener("alive", heard);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (e) => take(handle, e.data));
    }
    heard();
  }

  document.addEventListener("visibilitychange", () => {
    drop();
    if (document.hidden) {
      if (unseen) calls = setInterval(unseen, asleep);
      return;
    }
    wait = first;
    open();
  });
  addEventListener("pagehide", drop);
  addEventListener("pageshow", (e) => { if (e.persisted) open(); });
  open();
}

// ask fetches a document of the tracker's interface.
export async function ask(path) {
  const r = await fetch(path, { headers: { Accept: "application/json" }, signal: AbortSignal.timeout(patience) });
  if (!r.ok) throw new Error(`${path}: ${r.status}`);
  return r.json();
}
