// The plot of the last minutes and the strip of the parts.

import { $, put, shape } from "./dom.js";
import { rarest, rate } from "./words.js";

const kept = 300; // seconds; the page keeps them, not the tracker
const width = 300, height = 60;

export class Rates {
  constructor() {
    this.points = []; // [second, bytes a second]
    this.began = performance.now();
  }

  add(bps) {
    const now = (performance.now() - this.began) / 1000;
    this.points.push([now, bps]);
    while (this.points.length > 2 && this.points[1][0] < now - kept) this.points.shift();
    this.draw(now);
  }

  draw(now) {
    if (this.points.length < 3) return;
    const from = Math.max(now - kept, this.points[0][0]), span = Math.max(now - from, 10);
    const rates = this.points.map((p) => p[1]);
    const top = Math.max(...rates), low = Math.min(...rates);
    $("rates").hidden = top === 0;
    const x = (t) => (width - (now - t) * width / span).toFixed(1);
    const y = (v) => (height - 1 - (top > 0 ? v / top : 0) * (height - 3)).toFixed(1);
    const path = this.points.map(([t, v]) => `${x(t)} ${y(v)}`).join("L");
    $("rates-line").setAttribute("d", `M${path}`);
    $("rates-area").setAttribute("d", `M${x(this.points[0][0])} ${height}L${path}L${width} ${height}Z`);
    const time = span < 90 ? `${Math.round(now - from)} s` : `${Math.round(span / 60)} min`;
    put($("rates-text"), `All hosts together, over ${time}: between ${rate(low)} and ${rate(top)}, now ${rate(rates.at(-1))}.`);
  }
}

const tall = 40;

export function drawStrip(copies, hosts) {
  const svg = $("strip");
  if (svg.childElementCount !== 2 * copies.length) {
    svg.replaceChildren();
    copies.forEach((_, i) => {
      const at = { x: 8 * i, width: 7 };
      svg.append(shape("rect", { ...at, class: "slot", y: 0, height: tall }), shape("rect", { ...at, class: "part" }));
    });
  }
  copies.forEach((c, i) => {
    const h = c > 0 && hosts > 0 ? Math.max(1, tall * Math.min(1, c / hosts)) : 0;
    const bar = svg.children[2 * i + 1];
    if (bar.was === h) return;
    bar.was = h;
    bar.setAttribute("y", (tall - h).toFixed(1));
    bar.setAttribute("height", h.toFixed(1));
  });
  put($("parts-text"), rarest(copies));
}
