// What moves in the ring: dots that go along the flows from who sends to who gets,
// the faster the more. It draws at most 30 times a second, nothing where nobody
// looks, and nothing at all for who wants no motion. It also closes the ring once
// when all are done.

import { calm } from "./dom.js";

export const clear = 0.36; // radius of the middle, which is the number's

const between = 1000 / 30 - 4; // ms between two pictures, at least

export class Flow {
  constructor(canvas) {
    this.canvas = canvas;
    this.edges = [];
    this.only = null;
    this.clock = new Map(); // where the dots of a flow are, so that new numbers move none
    this.last = 0;
    this.seen = true;
    this.asked = false; // whether a frame is on its way
    new IntersectionObserver((seen) => {
      this.seen = seen.at(-1).isIntersecting;
      this.wake();
    }).observe(canvas);
  }

  // wake goes on drawing; it ends by itself where there is nothing to draw.
  wake() {
    if (this.asked || !this.seen || !this.radius) return;
    this.asked = true;
    requestAnimationFrame((t) => this.frame(t));
  }

  size(radius, scale) {
    this.radius = radius;
    this.scale = scale;
    this.wake();
  }

  set(edges) {
    const top = edges.length ? edges[0].bps : 1;
    const clock = new Map();
    for (const e of edges) {
      e.at = this.clock.get(e.id) ?? (e.id * 0.618) % 1;
      e.pace = 0.12 + 0.22 * Math.sqrt(e.bps / top); // flows a second
      clock.set(e.id, e.at);
    }
    this.clock = clock;
    this.edges = edges;
    this.wake();
  }

  // close runs a light round the ring, once.
  close() {
    if (!calm()) this.closing = performance.now();
    this.wake();
  }

  frame(now) {
    this.asked = false;
    const moving = this.closing || (this.edges.length && !calm());
    if (moving) this.wake();
    if (moving && now - this.last < between) return;
    const passed = Math.min(100, now - this.last) / 1000;
    this.last = now;
    const g = this.canvas.getContext("2d");
    g.clearRect(0, 0, 2 * this.radius, 2 * this.radius);
    if (this.closing) this.drawClose(g, (now - this.closing) / 1600);
    if (calm() || !this.edges.length) return;
    for (const colour of ["ink", "accent"]) {
      g.fillStyle = this.colours[colour];
      g.beginPath();
      for (const e of this.edges) {
        if (e.seed !== (colour === "accent")) continue;
        e.at = (e.at + passed * e.pace) % 1;
        this.clock.set(e.id, e.at);
        if (!this.only || this.only(e)) this.dot(g, e, e.at);
      }
      g.fill();
    }
  }

  dot(g, e, t) {
    const size = Math.min(2.1 * this.scale, 0.0085 * this.radius);
    const u = 1 - t;
    const x = u * u * e.x0 + 2 * u * t * e.cx + t * t * e.x1;
    const y = u * u * e.y0 + 2 * u * t * e.cy + t * t * e.y1;
    // Small at both ends, so that a dot neither appears nor goes at once.
    const r = size * Math.min(1, 6 * t, 6 * u);
    if (Math.hypot(x - this.radius, y - this.radius) < clear * this.radius) return; // the number stands there
    g.moveTo(x + r, y);
    g.arc(x, y, r, 0, 2 * Math.PI);
  }

  drawClose(g, t) {
    if (t >= 1) {
      this.closing = 0;
      return;
    }
    const c = this.radius, end = -Math.PI / 2 + 2 * Math.PI * (1 - (1 - t) ** 3);
    g.strokeStyle = this.colours.accent;
    g.globalAlpha = Math.min(1, 3 * (1 - t));
    g.lineWidth = 0.012 * c;
    g.beginPath();
    g.arc(c, c, 0.66 * c, -Math.PI / 2, end);
    g.stroke();
    g.globalAlpha = 1;
  }
}
