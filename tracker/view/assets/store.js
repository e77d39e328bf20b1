// What the page knows of a swarm's hosts: all of them, fetched once page by page,
// then kept current from the events.

import { ask } from "./live.js";

export const most = 20000; // hosts kept; the rest is in the figures only
const page = 500;
const full = 200; // hosts in an event, at most
const almost = 0.9999; // the share of who lacks anything, at most, as on the tracker

const digits = /[0-9]*/y;

// number is the digits that a text has from a place on.
function number(s, from) {
  digits.lastIndex = from;
  return digits.exec(s)[0];
}

const isDigit = (c) => c >= 48 && c <= 57;

// compare is the tracker's order of names: by characters, but numbers by their size, so
// that n9 is before n10, and of names that are the same so by the zeros.
export function compare(a, b) {
  let i = 0, j = 0, zeros = 0; // which is first by the first zeros that differ
  for (;;) {
    const from = i;
    while (i < a.length && j < b.length && a.charCodeAt(i) === b.charCodeAt(j)) i++, j++;
    let back = 0; // to where a number begins that the difference may be in
    while (i - back > from && isDigit(a.charCodeAt(i - back - 1))) back++;
    const x = number(a, i - back), y = number(b, j - back);
    if (x && y) {
      const p = x.replace(/^0+/, ""), q = y.replace(/^0+/, "");
      if (p !== q) return p.length - q.length || plain(p, q);
      zeros ||= plain(a.slice(i), b.slice(j));
      i += x.length - back;
      j += y.length - back;
    } else if (i < a.length && j < b.length) {
      return a.codePointAt(i) - b.codePointAt(j);
    } else if (i < a.length || j < b.length) {
      return a.length - i - (b.length - j);
    } else {
      return zeros;
    }
  }
}

// rank is how much is known of when a host will be done, as on the tracker: those
// that nobody can tell first, then by the time left, then other clients, which tell
// nothing, then who is done.
function rank(h) {
  if (h.share >= 1) return 3;
  if (!h.state) return 2;
  return h.left_s !== null && h.left_s !== undefined ? 1 : 0;
}

// The orders are those of the tracker; at is a host's place by name.
const plain = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const progress = (a, b) => a.rank - b.rank || (a.rank < 3 && ((b.left_s || 0) - (a.left_s || 0) || a.share - b.share)) || 0;
const worst = (a, b) => progress(a, b) || a.at - b.at;
const order = {
  done: worst,
  node: (a, b) => a.at - b.at,
  down: (a, b) => b.down_bps - a.down_bps || worst(a, b),
};

const labelOf = (h, name) => (h.labels && Object.hasOwn(h.labels, name) ? h.labels[name] : "");

export class Store {
  constructor(hash) {
    this.hash = hash;
    this.hosts = new Map(); // by address
    this.names = null; // the hosts by name, each with its place as at; null: to be made anew
    this.loaded = false;
    this.turn = 0; // which load is the last one
    this.whole = this.part = performance.now(); // when all, and when a page, were last fetched
    this.next = 0;
  }

  page(offset) {
    return ask(`/api/v1/swarms/${this.hash}/hosts?sort=node&offset=${offset}&limit=${page}`);
  }

  // load fetches all hosts; one that is under way is given up for it.
  async load() {
    const turn = ++this.turn, began = this.whole = performance.now(), fresh = new Map();
    for (let offset = 0, total = 1; offset < Math.min(total, most);) {
      const doc = await this.page(offset);
      if (turn !== this.turn) return;
      total = doc.total;
      if (!doc.hosts.length) break;
      for (const h of doc.hosts) fresh.set(h.addr, named(h));
      offset += doc.hosts.length;
    }
    for (const [addr, h] of this.hosts) if (h.came > began) fresh.set(addr, h); // an event is newer
    this.hosts = fresh;
    this.names = null;
    this.loaded = true;
  }

  // change takes the hosts of an event, in a swarm of so many. An event has the
  // hosts that changed, but never more than full: of a larger swarm one page after
  // the other is fetched besides.
  change(hosts, total) {
    const now = performance.now();
    for (const h of hosts) this.put(h, now);
    if ((!this.loaded || this.hosts.size !== Math.min(total, most)) && now - this.whole > 3000 + 6 * this.hosts.size) {
      this.load().catch(() => {}); // hosts are gone, or came unseen
    } else if (this.loaded && hosts.length >= full && now - this.part > 2500) {
      this.part = now;
      this.more().catch(() => {});
    }
  }

  // more fetches the next page again.
  async more() {
    if (this.next >= this.hosts.size) this.next = 0;
    const began = performance.now(), doc = await this.page(this.next);
    for (const h of doc.hosts) {
      if (!(this.hosts.get(h.addr)?.came > began)) this.put(h, 0);
    }
    this.next += page;
  }

  // put takes in one host; came is when an event brought it, or 0. To compare names is
  // slow, so their order is kept for as long as they are the same.
  put(h, came) {
    const was = this.hosts.get(h.addr);
    if (!was && this.hosts.size >= most) return;
    h.came = came;
    this.hosts.set(h.addr, named(h));
    if (!this.names || was?.key !== h.key) {
      this.names = null;
      return;
    }
    h.at = was.at;
    this.names[h.at] = h;
  }

  byName() {
    if (!this.names) {
      this.names = [...this.hosts.values()].sort((a, b) => compare(a.key, b.key));
      this.names.forEach((h, i) => { h.at = i; });
    }
    return this.names;
  }

  // list returns the hosts that fit, in order. A name is found by any part of it.
  list({ sort, label, value, name }) {
    let all = this.byName().slice();
    if (label && value) all = all.filter((h) => labelOf(h, label) === value);
    if (name) {
      const part = name.toLowerCase();
      all = all.filter((h) => h.key.toLowerCase().includes(part) || h.addr.includes(part));
    }
    return all.sort(order[sort] || order.done);
  }

  // groups returns the hosts by a label's values, by name, those without it last; by
  // "host" they are one group without a name.
  groups(by) {
    const groups = new Map();
    for (const h of this.byName()) {
      const name = by === "host" ? "" : labelOf(h, by);
      let g = groups.get(name);
      if (!g) groups.set(name, (g = { name, hosts: [] }));
      g.hosts.push(h);
    }
    return [...groups.values()].sort((a, b) => !a.name - !b.name || compare(a.name, b.name));
  }
}

// named adds what the page works with: rank; key, the host's name, and share, what it has
// of what it wants, -1 where that is not known.
function named(h) {
  h.key = h.node || h.addr;
  const known = h.done !== null && h.done !== undefined && h.size > 0;
  if (!known) h.share = h.left_s === 0 ? 1 : -1;
  else h.share = h.done >= h.size ? 1 : Math.min(almost, h.done / h.size);
  h.rank = rank(h);
  return h;
}

// summary adds up a group as the tracker does: how long it will take is how long its
// slowest host will.
export function summary(g) {
  const s = { name: g.name, hosts: g.hosts.length, done: 0, mean: 0, left: null, slowest: null };
  let late = 0, shares = 0; // of those that are not done and whose progress is known
  for (const h of g.hosts) {
    if (h.share >= 1) {
      s.done++;
      continue;
    }
    if (h.share >= 0) {
      late++;
      shares += h.share;
    }
    if (!s.slowest || worst(h, s.slowest) < 0) s.slowest = h;
  }
  const rest = late ? shares / late : 0; // what is taken for the others too
  s.mean = s.done === s.hosts ? 1 : Math.min(almost, (s.done + (s.hosts - s.done) * rest) / s.hosts);
  s.left = s.slowest && s.slowest.left_s;
  return s;
}

// lastFirst puts the summary first whose slowest host will be done last.
export const lastFirst = (a, b) => !a.slowest - !b.slowest || (a.slowest && progress(a.slowest, b.slowest)) || compare(a.name, b.name);
