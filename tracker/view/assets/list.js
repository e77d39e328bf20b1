// Keeps the list of swarms current.

import { $, put, putCut, make, share } from "./dom.js";
import { bytes, copies, count, percent, plural, rate } from "./words.js";
import { ask, live } from "./live.js";

const table = $("swarms"), body = table.tBodies[0];
const offset = Number(table.dataset.offset), limit = Number(table.dataset.limit);
const rows = new Map(); // by hash
for (const tr of body.querySelectorAll("tr[data-hash]")) {
  const cells = [...tr.cells];
  rows.set(tr.dataset.hash, { tr, link: cells[0].firstChild, bar: share(cells[1].firstChild), cells: cells.slice(2) });
}

function newRow() {
  const tr = make("tr"), name = make("th"), link = make("a");
  name.scope = "row";
  name.append(link);
  const bar = share(), mean = make("td", "wide");
  mean.append(bar.box);
  const cells = ["num", "num", "num more", "num more"].map((c) => make("td", c));
  tr.append(name, mean, ...cells);
  return { tr, link, bar, cells };
}

function fill(row, s) {
  if (row.link.pathname !== `/swarms/${s.infohash}`) row.link.href = `/swarms/${s.infohash}`;
  putCut(row.link, s.name || s.infohash.slice(0, 12));
  row.bar.set(s.mean, percent(s.mean));
  const [done, moving, rarest, size] = row.cells;
  put(done, `${count(s.done)} of ${count(s.hosts)}`);
  put(moving, s.down_bps > 0 ? rate(s.down_bps) : "-");
  put(rarest, s.availability_min === null ? "-" : copies(s.availability_min));
  put(size, s.size > 0 ? bytes(s.size) : "-");
}

// show puts the rows in order, moving only those that are out of place.
function show(list, total) {
  const seen = new Set();
  let at = body.firstElementChild, down = 0, active = 0;
  for (const s of list) {
    seen.add(s.infohash);
    down += s.down_bps;
    if (s.done < s.hosts) active++;
    let row = rows.get(s.infohash);
    if (!row) rows.set(s.infohash, (row = newRow()));
    fill(row, s);
    if (row.tr === at) at = at.nextElementSibling;
    else body.insertBefore(row.tr, at);
  }
  for (const [hash, row] of rows) {
    if (seen.has(hash)) continue;
    row.tr.remove();
    rows.delete(hash);
  }
  $("blank").hidden = total > 0;
  $("box").hidden = total === 0;
  put($("sum"), plural(total, "swarm") + (total ? `, ${count(active)} under way${list.length < total ? " on this page" : ""}, ${rate(down)} moving` : ""));
}

let asked = 0;

live("/api/v1/events", {
  async swarms(e) {
    if (offset === 0) return show(e.swarms.slice(0, limit), e.total);
    if (performance.now() - asked < 5000) return; // the other pages are not in the event
    asked = performance.now();
    const page = await ask(`/api/v1/swarms?offset=${offset}&limit=${limit}`).catch(() => null);
    if (page) show(page.swarms, page.total);
  },
});
