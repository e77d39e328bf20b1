// The plot of the last minutes and the strip of the parts.

import { $, put, shape } from "./dom.js";
import { rarest, rate } from "./words.js";

const kept = 300; // seconds; the page keeps them, not the tracker
const width = 300, height = 60;

export class Rates {
  constructor() {
    this.points = []; // [second, bytes a second, whether a line leads here]
    this.joined = false;
  }

  // part leaves a gap: what was before the connection was lost, or the page was not
  // looked at, says nothing of the time since.
  part() { this.joined = false; }

  add(bps) {
    const now = performance.now() / 1000;
    this.points.push([now, bps, this.joined]);
    this.joined = true;
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
    let line = "", area = "", last = "";
    for (const [t, v, joined] of this.points) {
      if (!joined || !line) {
        area += (area && `L${last} ${height}Z`) + `M${x(t)} ${height}L${x(t)} ${y(v)}`;
        line += `M${x(t)} ${y(v)}`;
      } else {
        area += `L${x(t)} ${y(v)}`;
        line += `L${x(t)} ${y(v)}`;
      }
      last = x(t);
    }
    $("rates-line").setAttribute("d", line);
    $("rates-area").setAttribute("d", `${area}L${last} ${height}Z`);
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
