// The picture of who feeds whom: the hosts stand in a ring by their groups, each a
// bar as long as what it has, and lines inside it lead from who sends to who gets.
// Places never change while the hosts are the same, so the eye can rest on one.
//
// Its parts are bounded: at most maxBars bars, each for as many hosts as it takes (with
// more than half as many groups as that the groups are not kept apart), and maxFlows
// lines. What it shows in motion is drawn by flow.js above it.

import { calm, make, put } from "./dom.js";
import { percent, rate } from "./words.js";
import { Flow, clear } from "./flow.js";

const maxBars = 120;
const maxFlows = 80;
const grow = 700; // ms in which a bar reaches its new length
const groupGap = 0.9, widest = 0.1; // between two groups, in widths of a bar and at most in radians
const inner = 0.7, outer = 0.9; // radii of the bars; beyond them stand the groups' names

export class Ring {
  constructor(box, note) {
    this.box = box;
    this.note = note;
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Who feeds whom: no numbers yet.");
    this.flow = new Flow(make("canvas"));
    this.flow.canvas.setAttribute("aria-hidden", "true");
    box.prepend(this.canvas, this.flow.canvas);
    this.bars = [];
    this.edges = [];
    this.chosen = null;
    new ResizeObserver(() => this.size()).observe(box);
    document.addEventListener("theme", () => this.theme());
    for (const kind of ["pointermove", "pointerdown"]) box.addEventListener(kind, (e) => this.aim(e));
    // A finger that is lifted leaves too: what it chose stays until it points elsewhere.
    box.addEventListener("pointerleave", (e) => { if (e.pointerType !== "touch") this.select(null); });
    this.theme();
  }

  theme() {
    const read = (name) => {
      this.canvas.style.color = `var(--${name})`;
      return getComputedStyle(this.canvas).color;
    };
    this.colours = Object.fromEntries(["paper", "ink", "soft", "bed", "accent", "pale"].map((n) => [n, read(n)]));
    this.font = getComputedStyle(this.box).fontFamily;
    this.flow.colours = this.colours;
    this.draw();
  }

  size() {
    const side = this.box.clientWidth, scale = Math.min(2, devicePixelRatio || 1);
    for (const c of [this.canvas, this.flow.canvas]) c.width = c.height = Math.round(side * scale);
    this.radius = this.canvas.width / 2;
    this.scale = scale;
    this.flow.size(this.radius, scale);
    this.lead();
    this.draw();
  }

  // set takes the groups of hosts, the flows between them, and the addresses of the
  // hosts to be marked.
  set(groups, edges, marked) {
    if (2 * groups.length > maxBars) groups = [{ name: "", hosts: groups.flatMap((g) => g.hosts) }];
    const total = groups.reduce((n, g) => n + g.hosts.length, 0);
    this.each = Math.max(1, Math.ceil(total / maxBars));
    while (groups.reduce((n, g) => n + Math.ceil(g.hosts.length / this.each), 0) > maxBars) this.each++;
    const old = new Map(this.bars.map((b) => [b.id, b]));
    const bars = [], place = new Map();
    this.groups = [];
    for (const g of groups) {
      const first = bars.length;
      for (let i = 0; i < g.hosts.length; i += this.each) {
        const hosts = g.hosts.slice(i, i + this.each);
        const id = `${g.name}/${i / this.each}`;
        const share = hosts.reduce((n, h) => n + Math.max(0, h.share), 0) / hosts.length;
        const whole = hosts.every((h) => h.share >= 1);
        const was = old.get(id);
        const bar = { id, hosts, share, whole, from: was ? length(was, this.since) : 0, marked: hosts.some((h) => marked.has(h.addr)) };
        for (const h of hosts) {
          place.set(h.addr, bars.length);
          place.set(h.key, bars.length);
        }
        bars.push(bar);
      }
      const name = g.name || (g.hosts.length === 1 ? g.hosts[0].key : "");
      this.groups.push({ name, first, last: bars.length - 1 });
    }
    this.since = performance.now();
    this.bars = bars;
    this.marks = bars.some((b) => b.marked);
    this.spread();
    this.edges = merge(edges, place, bars);
    this.lead();
    this.flow.set(this.edges);
    this.choose(this.chosen && bars.find((b) => b.id === this.chosen.id));
    this.animate();
  }

  // spread gives each bar its angle, clockwise from the top.
  spread() {
    const gaps = this.groups.length > 1 && this.groups.length * 2 <= this.bars.length ? this.groups.length : 0;
    const gap = Math.min(widest, groupGap * 2 * Math.PI / (this.bars.length + gaps * groupGap));
    this.gap = gaps ? gap : 0;
    this.step = (2 * Math.PI - gaps * gap) / Math.max(1, this.bars.length);
    let at = -Math.PI / 2 + (gaps ? gap / 2 : 0);
    for (const g of this.groups) {
      for (let i = g.first; i <= g.last; i++) {
        this.bars[i].angle = at + this.step / 2;
        at += this.step;
      }
      if (gaps) at += gap;
    }
  }

  // lead gives each flow its curve.
  lead() {
    const r = this.radius * (inner - 0.02), c = this.radius;
    for (const e of this.edges) {
      const a = this.bars[e.from].angle, b = this.bars[e.to].angle;
      e.x0 = c + r * Math.cos(a);
      e.y0 = c + r * Math.sin(a);
      e.x1 = c + r * Math.cos(b);
      e.y1 = c + r * Math.sin(b);
      const apart = Math.abs(Math.sin((a - b) / 2)); // 0: neighbours, 1: opposite
      const bend = 0.86 - 0.56 * apart;
      const middle = Math.atan2(Math.sin(a) + Math.sin(b), Math.cos(a) + Math.cos(b));
      e.cx = c + r * bend * Math.cos(middle);
      e.cy = c + r * bend * Math.sin(middle);
    }
  }

  // animate draws until all bars have their length.
  animate() {
    if (this.drawing) return;
    const frame = () => {
      this.draw();
      this.drawing = !calm() && performance.now() - this.since < grow;
      if (this.drawing) requestAnimationFrame(frame);
    };
    this.drawing = true;
    requestAnimationFrame(frame);
  }

  draw() {
    if (!this.radius || !this.bars.length) return;
    const g = this.canvas.getContext("2d"), c = this.radius;
    g.clearRect(0, 0, 2 * c, 2 * c);
    this.drawLines(g);
    const r0 = c * inner, r1 = c * outer;
    const half = Math.max(0.2 * this.step, this.step / 2 - 0.7 * this.scale / r0);
    for (const bar of this.bars) {
      const on = this.chosen === bar, at = length(bar, this.since);
      sector(g, c, bar.angle, half, r0, r1, on ? this.colours.soft : this.colours.bed);
      if (at > 0) sector(g, c, bar.angle, half, r0, r0 + (r1 - r0) * at, on ? this.colours.ink : bar.whole ? this.colours.accent : this.colours.pale);
      if (bar.marked) this.drawMark(g, c, bar.angle, half);
    }
    this.drawNames(g, c);
  }

  drawLines(g) {
    const top = this.edges.length ? this.edges[0].bps : 1;
    const faintest = 0.32 - 0.2 * this.edges.length / maxFlows; // few lines may be stronger than many
    g.lineCap = "round";
    for (const e of this.edges) {
      const on = !this.chosen || this.bars[e.from] === this.chosen || this.bars[e.to] === this.chosen;
      const weight = Math.sqrt(e.bps / top); // by the rate itself the weaker ones could not be seen
      g.globalAlpha = on ? (this.chosen ? 0.85 : faintest + 0.3 * weight) : 0.04;
      g.strokeStyle = e.seed ? this.colours.accent : this.colours.soft;
      g.lineWidth = this.scale * (0.5 + 1.5 * weight);
      g.beginPath();
      g.moveTo(e.x0, e.y0);
      g.quadraticCurveTo(e.cx, e.cy, e.x1, e.y1);
      g.stroke();
    }
    g.globalAlpha = 1;
    const c = this.radius, halo = g.createRadialGradient(c, c, 0.24 * c, c, c, clear * c);
    halo.addColorStop(0, this.colours.paper);
    halo.addColorStop(1, this.colours.paper.replace(/rgba?\(([^)]*)\)/, (_, p) => `rgba(${p.split(",").slice(0, 3)}, 0)`));
    g.fillStyle = halo;
    g.fillRect(0, 0, 2 * c, 2 * c);
  }

  // drawMark puts a rim round the end of a bar.
  drawMark(g, c, angle, half) {
    g.strokeStyle = this.colours.ink;
    g.lineWidth = Math.max(2 * this.scale, 0.009 * c);
    g.beginPath();
    g.arc(c, c, c * outer, angle - half, angle + half);
    g.stroke();
  }

  drawNames(g, c) {
    if (this.groups.length < 2 || this.groups.length > 24) return;
    g.fillStyle = this.colours.soft;
    g.font = `${12 * this.scale}px ${this.font}`;
    g.textAlign = "center";
    g.textBaseline = "middle";
    for (const group of this.groups) {
      const a = (this.bars[group.first].angle + this.bars[group.last].angle) / 2;
      const flip = Math.sin(a) > 0.01;
      g.save();
      g.translate(c + c * 0.955 * Math.cos(a), c + c * 0.955 * Math.sin(a));
      g.rotate(a + (flip ? -Math.PI / 2 : Math.PI / 2));
      const room = (this.bars[group.last].angle - this.bars[group.first].angle + this.step + 0.8 * this.gap) * c * 0.93;
      g.fillText(cut(g, group.name, room), 0, 0);
      g.restore();
    }
  }

  aim(e) {
    const rect = this.box.getBoundingClientRect();
    const x = (e.clientX - rect.left) / rect.width * 2 - 1, y = (e.clientY - rect.top) / rect.height * 2 - 1;
    const r = Math.hypot(x, y);
    if (r < 0.55 || r > 1) return this.select(null);
    const at = Math.atan2(y, x);
    let best = null, near = this.step / 2;
    for (const b of this.bars) {
      const d = Math.abs(Math.atan2(Math.sin(b.angle - at), Math.cos(b.angle - at)));
      if (d < near) [best, near] = [b, d];
    }
    this.select(best);
  }

  // show points at the bar that has a host in it.
  show(host) {
    this.select(host ? this.bars.find((b) => b.hosts.some((h) => h.addr === host.addr)) || null : null);
  }

  select(bar) {
    if (this.chosen === bar) return;
    this.choose(bar);
    this.draw();
  }

  choose(bar) {
    this.chosen = bar || null;
    this.flow.only = bar ? (e) => this.bars[e.from] === bar || this.bars[e.to] === bar : null;
    put(this.note, bar ? this.words(bar) : this.legend || "");
  }

  words(bar) {
    const at = this.bars.indexOf(bar);
    const sum = (end) => this.edges.filter((e) => e[end] === at).reduce((n, e) => n + e.bps, 0);
    const who = bar.hosts.length === 1 ? bar.hosts[0].key : `${bar.hosts.length} hosts, ${bar.hosts[0].key} to ${bar.hosts.at(-1).key}`;
    return `${who}: ${percent(bar.whole ? 1 : bar.share)}, gets ${rate(sum("to"))}, gives ${rate(sum("from"))} of what is drawn.`;
  }

  // tell sets what the picture says to who cannot see it, and its legend.
  tell(text, legend) {
    if (this.canvas.getAttribute("aria-label") !== text) this.canvas.setAttribute("aria-label", text);
    this.legend = legend;
    if (!this.chosen) put(this.note, legend);
    this.note.hidden = false;
  }
}

// merge adds up the flows between the same two bars and keeps the strongest.
function merge(edges, place, bars) {
  const found = new Map();
  for (const e of edges || []) {
    const from = place.get(e.from), to = place.get(e.to);
    if (from === undefined || to === undefined || from === to || !(e.bps > 0)) continue;
    const id = from * maxBars * 2 + to, was = found.get(id);
    if (was) was.bps += e.bps;
    else found.set(id, { id, from, to, bps: e.bps, seed: bars[from].whole });
  }
  return [...found.values()].sort((a, b) => b.bps - a.bps).slice(0, maxFlows);
}

// length is how long a bar is on its way from what it was.
function length(bar, since) {
  const t = calm() ? 1 : Math.min(1, (performance.now() - since) / grow);
  return bar.from + (bar.share - bar.from) * (1 - (1 - t) ** 3);
}

// sector fills the part of a ring that is half to either side of an angle.
function sector(g, c, angle, half, from, to, colour) {
  g.fillStyle = colour;
  g.beginPath();
  g.arc(c, c, from, angle - half, angle + half);
  g.arc(c, c, to, angle + half, angle - half, true);
  g.fill();
}

// cut shortens a name to the room it has; of one that would lose all but its beginning
// nothing is left.
function cut(g, text, room) {
  if (g.measureText(text).width <= room) return text;
  while (text.length > 3 && g.measureText(text + "…").width > room) text = text.slice(0, -1);
  return text.length > 3 ? text + "…" : "";
}
