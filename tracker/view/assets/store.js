// What the page knows of a swarm's hosts: all of them, fetched once page by page,
// then kept current from the events.

import { ask } from "./live.js";

export const most = 20000; // hosts kept; the rest is in the figures only
const page = 500;
const full = 200; // hosts in an event, at most

const { compare } = new Intl.Collator(undefined, { numeric: true });

// rank is how much is known of when a host will be done, as on the tracker: those
// that nobody can tell first, then by the time left, then other clients, which tell
// nothing, then who is done.
function rank(h) {
  if (h.share >= 1) return 3;
  if (!h.state) return 2;
  return h.left_s !== null && h.left_s !== undefined ? 1 : 0;
}

const order = {
  done: (a, b) => a.rank - b.rank || (a.rank < 3 && ((b.left_s || 0) - (a.left_s || 0) || a.share - b.share)) || a.at - b.at,
  node: (a, b) => a.at - b.at,
  down: (a, b) => b.down_bps - a.down_bps || a.at - b.at,
};

export class Store {
  constructor(hash) {
    this.hash = hash;
    this.hosts = new Map(); // by address
    this.names = []; // the hosts by name, each with its place as at; null: to be made anew
    this.loaded = false;
    this.whole = this.part = performance.now(); // when all, and when a page, were last fetched
    this.next = 0;
  }

  // load fetches all hosts. A host that an event brought meanwhile is newer.
  async load() {
    let offset = 0, total = 1;
    const fresh = new Map();
    this.during = new Map();
    this.whole = performance.now();
    while (offset < Math.min(total, most)) {
      const doc = await ask(`/api/v1/swarms/${this.hash}/hosts?sort=node&offset=${offset}&limit=${page}`);
      total = doc.total;
      if (!doc.hosts.length) break;
      for (const h of doc.hosts) fresh.set(h.addr, named(h));
      offset += doc.hosts.length;
    }
    for (const [addr, h] of this.during) fresh.set(addr, h);
    this.during = null;
    this.hosts = fresh;
    this.names = null;
    this.loaded = true;
  }

  // change takes the hosts of an event, in a swarm of so many. An event has the
  // hosts that changed, but never more than full: of a larger swarm one page after
  // the other is fetched besides.
  change(hosts, total) {
    for (const h of hosts) {
      if (!this.hosts.has(h.addr) && this.hosts.size >= most) continue;
      this.put(h);
      this.during?.set(h.addr, h);
    }
    const now = performance.now();
    if ((!this.loaded || this.hosts.size !== Math.min(total, most)) && now - this.whole > 15000) {
      this.load().catch(() => {}); // hosts are gone, or came unseen
    } else if (this.loaded && hosts.length >= full && now - this.part > 2500) {
      this.part = now;
      this.more().catch(() => {});
    }
  }

  // more fetches the next page again.
  async more() {
    if (this.next >= this.hosts.size) this.next = 0;
    const doc = await ask(`/api/v1/swarms/${this.hash}/hosts?sort=node&offset=${this.next}&limit=${page}`);
    for (const h of doc.hosts) this.put(h);
    this.next += page;
  }

  // put takes in one host. To compare names is slow, so their order is kept for as long
  // as they are the same.
  put(h) {
    const was = this.hosts.get(h.addr);
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
    if (label && value) all = all.filter((h) => h.labels?.[label] === value);
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
      const name = by === "host" ? "" : h.labels?.[by] || "";
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
  h.share = known ? Math.min(1, h.done / h.size) : h.left_s === 0 ? 1 : -1;
  h.rank = rank(h);
  return h;
}

// summary adds up a group as the tracker does.
export function summary(g) {
  const s = { name: g.name, hosts: g.hosts.length, done: 0, mean: 0, left: -1, slowest: null };
  let known = 0;
  for (const h of g.hosts) {
    if (h.share >= 0) {
      known++;
      s.mean += h.share;
    }
    if (h.share >= 1) {
      s.done++;
      continue;
    }
    if (h.left_s !== null && h.left_s !== undefined) s.left = Math.max(s.left, h.left_s);
    if (!s.slowest || order.done(h, s.slowest) < 0) s.slowest = h;
  }
  s.mean = s.done === s.hosts ? 1 : s.mean / Math.max(1, known);
  return s;
}
