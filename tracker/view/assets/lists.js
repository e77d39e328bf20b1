// The short lists of a rollout's page: the slowest hosts, and who feeds whom.

import { $, make, put } from "./dom.js";
import { late, percent, rate } from "./words.js";

const mostLate = 8, mostFlows = 20;

// lateList returns a function that shows the slowest hosts of a status, and returns the
// addresses of those that are shown. It calls onPoint with the one that is pointed at.
export function lateList(onPoint) {
  const list = $("late");
  list.addEventListener("pointerover", (e) => onPoint(e.target.closest("li")?.host || null));
  list.addEventListener("pointerleave", () => onPoint(null));
  return (status) => {
    const hosts = status.stragglers.slice(0, mostLate);
    while (list.children.length > hosts.length) list.lastElementChild.remove();
    hosts.forEach((s, i) => {
      const li = list.children[i] || list.appendChild(newLate());
      const [who, num, why] = li.children;
      li.host = s;
      put(who, s.node);
      put(num, s.done === null ? "-" : percent(s.done));
      put(why, late(s));
    });
    const none = $("late-none"), all = status.hosts > 0 && status.done === status.hosts;
    none.hidden = hosts.length > 0;
    put(none, all ? "None: every host has all of it." : status.hosts ? "None stands out." : "Nobody is in this swarm now.");
    return new Set(hosts.map((s) => s.addr));
  };
}

function newLate() {
  const li = make("li");
  li.append(make("span", "who"), make("span", "num"), make("span", "why"));
  return li;
}

// flowTable returns a function that takes the flows, and shows them while the table is
// open.
export function flowTable() {
  const box = $("flows-details"), body = $("flows").tBodies[0];
  let flows = [];
  function show() {
    if (!box.open) return;
    const rows = flows.length ? flows.slice(0, mostFlows).map((e) => [e.from, e.to, rate(e.bps)]) : [["Nobody feeds anybody now."]];
    rows.forEach((cells, i) => {
      let tr = body.rows[i];
      if (tr?.cells.length !== cells.length) {
        const made = newFlow(cells.length);
        if (tr) tr.replaceWith(made);
        else body.append(made);
        tr = made;
      }
      cells.forEach((text, k) => put(tr.cells[k], text));
    });
    while (body.rows.length > rows.length) body.lastElementChild.remove();
  }
  box.addEventListener("toggle", show);
  return (now) => {
    flows = now;
    show();
  };
}

function newFlow(cells) {
  const tr = make("tr"), td = make("td");
  tr.append(td);
  if (cells === 1) td.colSpan = 3;
  else tr.append(make("td"), make("td", "num"));
  return tr;
}
