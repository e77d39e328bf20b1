// Small things that the pages do with elements. Text from the network reaches the
// page as text only.

export const $ = (id) => document.getElementById(id);

// put sets an element's text where it differs, so that what has not changed is
// neither drawn nor read out again.
export function put(el, text) {
  if (el && el.textContent !== text) el.textContent = text;
}

// putCut is put for text that may be too long for its place: all of it is there to be
// pointed at.
export function putCut(el, text) {
  put(el, text);
  if (el.title !== text) el.title = text;
}

// make returns a new element with a class and text.
export function make(tag, cls, text) {
  const el = document.createElement(tag);
  if (cls) el.className = cls;
  if (text !== undefined) el.textContent = text;
  return el;
}

const NS = "http://www.w3.org/2000/svg";

export function shape(tag, attributes) {
  const el = document.createElementNS(NS, tag);
  for (const [k, v] of Object.entries(attributes)) el.setAttribute(k, v);
  return el;
}

// share is a bar with its number beside it, and the function that sets them: a new one,
// or one that the server made.
export function share(box = newShare()) {
  const fill = box.querySelector(".fill"), num = box.querySelector(".num");
  let last = -1;
  return {
    box,
    set(part, text) {
      put(num, text);
      if (part === last) return;
      last = part;
      fill.setAttribute("width", (100 * Math.min(1, Math.max(0, part))).toFixed(1));
      fill.setAttribute("class", part >= 1 ? "fill whole" : "fill");
    },
  };
}

function newShare() {
  const box = make("span", "share");
  const svg = shape("svg", { class: "bar", viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" });
  svg.append(shape("rect", { class: "bed", width: 100, height: 6 }), shape("rect", { class: "fill", width: 0, height: 6 }));
  box.append(svg, make("span", "num"));
  return box;
}

// calm is whether the person wants no motion.
const motion = matchMedia("(prefers-reduced-motion: reduce)");
export const calm = () => motion.matches;

let said = 0;

// say has a screen reader speak at its next pause. What is not urgent is left out
// if something was said in the last half minute.
export function say(text, urgent) {
  const now = performance.now();
  if (!urgent && said && now - said < 30000) return;
  said = now;
  $("say").textContent = text;
}
