// The table of all hosts. Thousands are in it; only the rows in sight exist, and
// the table tells assistive technology how many there are.

import { $, put, putCut, make, share } from "./dom.js";
import { count, doing, left, percent, plural, rate } from "./words.js";

const columns = 2; // that are shown even on a phone
const spare = 6; // rows kept beyond both edges of what is seen

export class HostTable {
  constructor(onPoint) {
    this.box = $("host-box");
    this.table = $("hosts");
    this.body = this.table.tBodies[0];
    this.all = [];
    this.rows = [];
    this.onPoint = onPoint;
    this.box.addEventListener("scroll", () => this.draw(), { passive: true });
    addEventListener("resize", () => {
      this.height = 0; // the text may be of another size
      this.draw();
    }, { passive: true });
    this.body.addEventListener("pointerover", (e) => onPoint(e.target.closest("tr")?.host || null));
    this.body.addEventListener("pointerleave", () => onPoint(null));
  }

  // begin takes the place of the rows that the server sent.
  begin() {
    this.box.classList.add("all");
    this.above = make("tr", "gap");
    this.below = make("tr", "gap");
    for (const gap of [this.above, this.below]) {
      gap.setAttribute("aria-hidden", "true");
      const td = make("td");
      td.colSpan = columns;
      gap.append(td);
    }
    this.none = make("tr");
    const td = make("td", "", "No host like that.");
    td.colSpan = columns;
    this.none.append(td);
    this.body.replaceChildren(this.above, this.none, this.below);
    this.begun = true;
  }

  set(list, of) {
    if (!this.begun) this.begin();
    this.all = list;
    this.none.hidden = list.length > 0;
    this.box.classList.toggle("all", list.length > 12);
    this.table.setAttribute("aria-rowcount", list.length + 1);
    put($("host-count"), list.length === of ? plural(of, "host") : `${plural(list.length, "host")} of ${count(of)}`);
    this.draw();
  }

  draw() {
    if (!this.begun) return;
    const height = this.height || 40;
    const seen = Math.ceil(this.box.clientHeight / height) + 2 * spare;
    const from = Math.max(0, Math.min(Math.floor(this.box.scrollTop / height) - spare, this.all.length - seen));
    const to = Math.min(this.all.length, from + seen);
    while (this.rows.length < to - from) {
      const row = newRow();
      this.rows.push(row);
      this.body.insertBefore(row.tr, this.below);
    }
    while (this.rows.length > to - from) this.rows.pop().tr.remove();
    this.above.firstChild.style.height = `${from * height}px`;
    this.below.firstChild.style.height = `${(this.all.length - to) * height}px`;
    for (let i = from; i < to; i++) fill(this.rows[i - from], this.all[i], i);
    if (!this.height && this.rows.length) this.height = this.rows[0].tr.getBoundingClientRect().height || 40;
  }
}

function newRow() {
  const tr = make("tr"), th = make("th"), who = make("span", "who"), tags = make("span", "tags");
  th.scope = "row";
  th.append(who, " ", tags);
  const bar = share(), has = make("td", "wide");
  has.append(bar.box);
  const cells = ["num", "num more", "num more", "more"].map((c) => make("td", c));
  tr.append(th, has, ...cells);
  return { tr, who, tags, bar, cells };
}

function fill(row, h, i) {
  row.tr.host = h;
  row.tr.setAttribute("aria-rowindex", i + 2);
  putCut(row.who, h.key);
  putCut(row.tags, Object.keys(h.labels || {}).sort().map((k) => `${k} ${h.labels[k]}`).join(", "));
  row.bar.set(h.share, h.share < 0 ? "not told" : percent(h.share));
  const [down, up, rest, words] = row.cells;
  put(down, h.down_bps > 0 ? rate(h.down_bps) : "-");
  put(up, h.up_bps > 0 ? rate(h.up_bps) : "-");
  put(rest, left(h.left_s));
  putCut(words, doing(h));
}
