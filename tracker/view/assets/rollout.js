// Keeps the page of a swarm current: fetches its hosts once, then takes the events.

import { $, put, make, share, say } from "./dom.js";
import { count, left, percent, plural, rate, reason, slow } from "./words.js";
import { live } from "./live.js";
import { Store, summary } from "./store.js";
import { HostTable } from "./hosts.js";
import { Ring } from "./ring.js";
import { Rates, drawStrip } from "./plots.js";

const page = $("rollout"), hash = page.dataset.hash;
const title = document.querySelector("h1").textContent;
const store = new Store(hash), rates = new Rates();
const ring = new Ring($("ring"), $("ring-note"));
const table = new HostTable((h) => ring.show(h));
const mostGroups = 200, mostLate = 8, mostFlows = 20;
let edges = [], swarm, told = -1, by = page.dataset.by, chosen = location.search.includes("by="), labelled = null, finished = "";

$("ring-still").remove();

// The forms change what is shown at once; without this file they load the page.
const filter = { sort: $("sort").value, label: $("label").value, value: $("value").value.trim(), name: "" };
$("find-box").hidden = false;
for (const id of ["host-go", "by-go", "host-pager"]) $(id).hidden = true;
for (const id of ["sort", "label", "value", "find"]) {
  $(id).addEventListener("input", (e) => {
    filter[id === "find" ? "name" : id] = e.target.value.trim();
    showHosts();
  });
}
for (const id of ["host-form", "by-form"]) $(id).addEventListener("submit", (e) => e.preventDefault());
$("by").addEventListener("change", (e) => {
  groupBy(e.target.value);
  chosen = true;
  showGroups();
});

function groupBy(name) {
  by = name;
  $("by").value = name;
  put($("by-name"), name);
  put($("groups-by"), name);
}

// showLabels offers the labels that hosts have. A page that was opened before any
// had one groups by the first that comes.
function showLabels(labels) {
  const now = labels.join();
  if (now === labelled) return;
  labelled = now;
  const options = (names, value) => names.map((n) => { const o = make("option", "", n); o.selected = n === value; return o; });
  if (!chosen && by === "host" && labels.length) by = labels[0];
  $("by").replaceChildren(...options([...labels, "host"], by));
  groupBy($("by").value);
  $("label").replaceChildren(...options(labels, filter.label));
  filter.label = $("label").value;
  $("label-box").hidden = labels.length === 0;
}

function showHosts() {
  if (store.loaded) table.set(store.list(filter), store.hosts.size);
}

function showGroups() {
  if (!store.loaded) return;
  const groups = store.groups(by);
  ring.set(groups, edges);
  ring.tell(picture(groups), legend());
  const rows = by === "host" ? store.list({ sort: "done" }).map((h) => ({ name: h.key, hosts: [h] })) : groups;
  const body = $("groups").tBodies[0];
  const sums = rows.slice(0, mostGroups).map(summary);
  while (body.rows.length > sums.length) body.lastElementChild.remove();
  sums.forEach((s, i) => groupRow(body, i, s));
  $("groups-more").hidden = rows.length <= mostGroups;
  put($("groups-more"), `And ${count(rows.length - mostGroups)} more.`);
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
  put(name, s.name || `no ${by}`);
  tr.bar.set(s.mean, percent(s.mean));
  put(done, `${count(s.done)} of ${count(s.hosts)}`);
  put(rest, left(s.left));
  put(slowest, s.slowest ? slow(s.slowest) : "");
}

// picture says in words what the ring shows; the table at the page's end has it all.
function picture(groups) {
  const top = edges[0];
  return `Who feeds whom: ${plural(store.hosts.size, "host")}${groups.length > 1 ? ` in ${groups.length} groups` : ""}, `
    + (top ? `${plural(edges.length, "flow")}, the strongest from ${top.from} to ${top.to} at ${rate(top.bps)}.` : "nothing moves now.")
    + " The same is in the table at the end of the page.";
}

function legend() {
  const each = ring.each > 1 ? `Each bar is ${ring.each} hosts` : "Each bar is a host";
  return `${each}, as long as what it has.` + (edges.length ? " Lines go from who sends to who gets; the green ones begin at a host that has all of it." : "");
}

function showLate(status) {
  const list = $("late"), late = (status.stragglers || []).slice(0, mostLate);
  while (list.children.length > late.length) list.lastElementChild.remove();
  late.forEach((s, i) => {
    let li = list.children[i];
    if (!li) list.append((li = make("li")), "\n");
    if (li.children.length !== 3) li.replaceChildren(make("span", "who"), make("span", "num"), make("span", "why"));
    const [who, num, why] = li.children, rest = left(s.left_s);
    put(who, s.node || s.addr);
    put(num, s.done === null || s.done === undefined ? "-" : percent(s.done));
    put(why, reason(s.why, s.state) + (rest ? `, ${rest} left` : ""));
  });
  $("late-none").hidden = late.length > 0;
  const all = status.hosts > 0 && status.done === status.hosts;
  put($("late-none"), all ? "None: every host has all of it." : status.hosts ? "None stands out." : "Nobody is in this swarm now.");
}

function showFlows() {
  if (!$("flows-details").open) return;
  const body = $("flows").tBodies[0], list = edges.slice(0, mostFlows);
  while (body.rows.length > Math.max(1, list.length)) body.lastElementChild.remove();
  list.forEach((e, i) => {
    let tr = body.rows[i];
    if (tr?.cells.length !== 3) {
      tr?.remove();
      tr = make("tr");
      tr.append(make("td"), make("td"), make("td", "num"));
      body.insertBefore(tr, body.rows[i] || null);
    }
    [e.from, e.to, rate(e.bps)].forEach((text, k) => put(tr.cells[k], text));
  });
  if (!list.length && body.rows[0]?.cells.length !== 1) {
    const tr = make("tr"), td = make("td", "", "Nobody feeds anybody now.");
    td.colSpan = 3;
    tr.append(td);
    body.replaceChildren(tr);
  }
}
$("flows-details").addEventListener("toggle", showFlows);

function figure(id, text, after) {
  const el = $(id), now = text + "|" + after;
  if (el.now === now) return;
  el.now = now;
  el.replaceChildren(...(text ? [text, " "] : []), ...(after ? [make("small", "", after)] : []));
}

function showFigures(status) {
  const all = swarm.hosts > 0 && swarm.done === swarm.hosts;
  put($("mean"), all ? "100 %" : percent(swarm.mean));
  put($("mean-text"), all ? `on ${swarm.hosts === 1 ? "its one host" : `all ${plural(swarm.hosts, "host")}`}` : "arrived, on average");
  $("ring").toggleAttribute("data-done", all);
  figure("done", count(swarm.done), `of ${count(swarm.hosts)}`);
  figure("moving", rate(swarm.down_bps), "");
  const rest = left(status.left_s);
  if (!all) finished = "";
  else if (told >= 0 && told < 10) finished = `at ${new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}`;
  figure("left", all ? "done" : rest, all ? finished : rest ? "" : "not known");
  document.title = `${all ? "Done" : percent(swarm.mean)} - ${title}`;
  milestone(all);
}

// milestone tells a screen reader each tenth of the hosts and the end, no more.
function milestone(all) {
  const tenth = swarm.hosts ? Math.floor(10 * swarm.done / swarm.hosts) : 0;
  if (told >= 0 && tenth > told) {
    if (all) ring.flow.close();
    say(all ? `All ${plural(swarm.hosts, "host")} have all of ${title}.` : `${swarm.done} of ${plural(swarm.hosts, "host")} are done.`, all);
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
    showLate(e.status);
    showGroups();
    showHosts();
    showFlows();
  },
}, () => {
  store.load().then(() => { showGroups(); showHosts(); })
    .catch(() => put($("host-count"), "The list of hosts cannot be had now; the figures above go on."));
});
