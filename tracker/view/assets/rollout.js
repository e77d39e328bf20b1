// Keeps the page of a swarm current: fetches its hosts once, then takes the events.

import { $, put, putCut, make, share, say } from "./dom.js";
import { bytes, count, left, percent, plural, rate, slow } from "./words.js";
import { ask, live } from "./live.js";
import { Store, lastFirst, summary } from "./store.js";
import { HostTable } from "./hosts.js";
import { Ring } from "./ring.js";
import { Rates, drawStrip } from "./plots.js";
import { flowTable, lateList } from "./lists.js";

const page = $("rollout"), hash = page.dataset.hash;
const store = new Store(hash), rates = new Rates();
const ring = new Ring($("ring"), $("ring-note"));
const table = new HostTable((h) => ring.show(h)), late = lateList((h) => ring.show(h)), flows = flowTable();
const mostGroups = 200;
const groupsByName = 24; // of more the slowest come first, as the server has it
const url = new URLSearchParams(location.search);
// wanted is what a person chose to group by, "" without a choice. It is kept while no
// host has that label, as after a restart of the tracker.
let edges = [], swarm, told = -1, by = page.dataset.by, wanted = url.get("by") || "", labelled = null, marked = new Set();
// finished is when the last one was done, if the page has seen it: not if hosts came
// that were done already. lacking is how many hosts there were while one was not.
let finished = "", lacking = 0, begun = false;

// The forms change what is shown at once; until all hosts are here they load the page,
// as they do without this file.
const filter = { sort: $("sort").value, label: url.get("label") || "", value: "", name: "" };
if (filter.label) filter.value = $("value").value = (url.get("value") || "").trim(); // also before a host has the label
for (const id of ["sort", "label", "value", "find"]) {
  $(id).addEventListener("input", (e) => {
    filter[id === "find" ? "name" : id] = e.target.value.trim();
    if (id !== "find") keep({ sort: filter.sort, label: filter.value && filter.label, value: filter.value, page: "" });
    showHosts();
  });
}
for (const id of ["host-form", "by-form"]) $(id).addEventListener("submit", (e) => { if (begun) e.preventDefault(); });
$("by").addEventListener("change", (e) => {
  wanted = e.target.value;
  groupBy(wanted);
  keep({ by: wanted });
  showGroups();
});

// begin takes the place of what the server made.
function begin() {
  if (begun) return;
  begun = true;
  $("ring-still").remove();
  $("find-box").hidden = false;
  for (const id of ["host-go", "by-go", "host-pager"]) $(id).hidden = true;
}

// keep puts a choice into the address, so that it outlives the page and can be sent on.
function keep(choice) {
  for (const [name, value] of Object.entries(choice)) {
    if (value) url.set(name, value);
    else url.delete(name);
  }
  history.replaceState(null, "", url.size ? `?${url}` : location.pathname);
}

function groupBy(name) {
  by = name;
  put($("by-name"), name);
  put($("groups-by"), name);
}

// showLabels offers the labels that hosts have. Without a choice the hosts are grouped
// by the first label that comes.
function showLabels(labels) {
  const now = labels.join();
  if (now === labelled) return;
  labelled = now;
  const offer = (id, names, value) => $(id).replaceChildren(...names.map((name) => {
    const o = make("option", "", name);
    o.selected = name === value;
    return o;
  }));
  const all = [...labels, "host"];
  groupBy([wanted, by].find((name) => all.includes(name) && (name !== "host" || wanted)) || all[0]);
  offer("by", all, by);
  if (!filter.value || !filter.label) filter.label = labels.includes(filter.label) ? filter.label : labels[0] || "";
  offer("label", labels.includes(filter.label) || !filter.label ? labels : [...labels, filter.label], filter.label);
  $("label-box").hidden = !filter.label;
}

function showHosts() {
  if (store.loaded) table.set(store.list(filter), store.hosts.size);
}

function showGroups() {
  if (!store.loaded) return;
  begin();
  const groups = store.groups(by);
  ring.set(groups, edges, marked);
  ring.tell(picture(groups), legend());
  const body = $("groups").tBodies[0], total = by === "host" ? store.hosts.size : groups.length;
  const sums = (by === "host" ? hostGroups(total) : groupSums(groups)).slice(0, mostGroups);
  while (body.rows.length > sums.length) body.lastElementChild.remove();
  sums.forEach((s, i) => groupRow(body, i, s));
  $("groups-more").hidden = total <= mostGroups;
  put($("groups-more"), `And ${count(total - mostGroups)} more.`);
}

function groupSums(groups) {
  const sums = groups.map(summary);
  return sums.length > groupsByName ? sums.sort(lastFirst) : sums;
}

// hostGroups are the hosts as groups of one, no more of them than are shown.
function hostGroups(total) {
  const hosts = store.list({ sort: total > groupsByName ? "done" : "node" });
  return hosts.slice(0, mostGroups).map((h) => summary({ name: h.key, hosts: [h] }));
}

function groupRow(body, i, s) {
  let tr = body.rows[i];
  if (!tr?.bar) {
    const made = make("tr"), th = make("th"), wide = make("td", "wide");
    th.scope = "row";
    made.bar = share();
    wide.append(made.bar.box);
    made.append(th, wide, make("td", "num"), make("td", "num more"), make("td", "more"));
    if (tr) tr.replaceWith(made);
    else body.append(made);
    tr = made;
  }
  const [name, , done, rest, slowest] = tr.cells;
  putCut(name, s.name || `no ${by}`);
  tr.bar.set(s.mean, percent(s.mean));
  put(done, `${count(s.done)} of ${count(s.hosts)}`);
  put(rest, left(s.left));
  putCut(slowest, s.slowest ? slow(s.slowest) : "");
}

// picture says in words what the ring shows; the table at the page's end has it all.
function picture(groups) {
  const top = edges[0];
  return `Who feeds whom: ${plural(store.hosts.size, "host")}${groups.length > 1 ? ` in ${groups.length} groups` : ""}, `
    + (top ? `${plural(edges.length, "flow")}, the strongest from ${top.from} to ${top.to} at ${rate(top.bps)}.` : "nothing moves now.")
    + " The same is in the table at the end of the page.";
}

function legend() {
  const each = ring.each > 1 ? `Each bar is up to ${ring.each} hosts, as long as what they have` : "Each bar is a host, as long as what it has";
  return `${each}${ring.marks ? "; a rim marks the slowest" : ""}.` + (edges.length ? " Lines go from who sends to who gets; the green ones begin at a host that has all of it." : "");
}

function figure(id, text, after) {
  const el = $(id), now = text + "|" + after;
  if (el.now === now) return;
  el.now = now;
  el.replaceChildren(...(text ? [text, " "] : []), ...(after ? [make("small", "", after)] : []));
}

const title = () => swarm.name || hash.slice(0, 12);

function showFigures(status) {
  const all = showTitle();
  put($("name"), title());
  put($("size"), swarm.size > 0 ? `${bytes(swarm.size)}, ` : "");
  put($("mean"), all ? "100 %" : percent(swarm.mean));
  put($("mean-text"), all ? `on ${swarm.hosts === 1 ? "its one host" : `all ${plural(swarm.hosts, "host")}`}` : "arrived, on average");
  $("ring").toggleAttribute("data-done", all);
  figure("done", count(swarm.done), `of ${count(swarm.hosts)}`);
  figure("moving", rate(swarm.down_bps), "");
  const rest = left(status.left_s);
  put($("left-name"), finished ? "Last one done" : "Until the last");
  figure("left", all ? finished || "done" : rest, all || rest ? "" : "not known");
  milestone(all);
}

// showTitle says in the tab how far it is, and returns whether all are done.
function showTitle() {
  const all = swarm.hosts > 0 && swarm.done === swarm.hosts;
  if (!all) finished = "";
  else if (lacking === swarm.hosts) finished = new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
  lacking = all ? 0 : swarm.hosts;
  document.title = `${all ? "Done" : percent(swarm.mean)} - ${title()}`;
  return all;
}

// milestone tells a screen reader each tenth of the hosts and the end, no more.
function milestone(all) {
  const tenth = swarm.hosts ? Math.floor(10 * swarm.done / swarm.hosts) : -1;
  if (told >= 0 && tenth > told) {
    if (all) ring.flow.close();
    say(all ? `All ${plural(swarm.hosts, "host")} have all of ${title()}.` : `${count(swarm.done)} of ${plural(swarm.hosts, "host")} are done.`, all);
  }
  told = tenth;
}

live(`/api/v1/events?swarm=${hash}`, {
  swarm(e) {
    swarm = e.swarm;
    edges = e.edges;
    store.change(e.hosts, e.swarm.hosts);
    showFigures(e.status);
    rates.add(swarm.down_bps);
    drawStrip(e.availability.copies, swarm.hosts);
    showLabels(e.status.labels);
    marked = late(e.status);
    flows(edges);
    showGroups();
    showHosts();
  },
  gone: () => "The tracker does not know this swarm now",
}, {
  opened() {
    rates.part();
    lacking = 0;
    store.load().then(() => { showGroups(); showHosts(); }).catch(() => {
      if (!store.loaded) put($("host-count"), "The list of hosts cannot be had now; it is tried again.");
    });
  },
  // A tab in the background has its title only.
  unseen: () => ask(`/api/v1/swarms/${hash}`).then((s) => { swarm = s; showTitle(); }, () => {}),
});
