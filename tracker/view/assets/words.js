// Numbers and reasons in words, as words.go makes them on the server.

const reasons = {
  none: "nothing holds it back",
  seed: "what it lacks only seeds have",
  peers: "its peers send no more",
  disk: "its disk is slow",
  choked: "its peers choke it",
  link: "its link is full",
  tracker: "it knows nobody, and its tracker does not answer",
  limit: "its own rate limit",
};

const silentAfter = 90; // seconds without a report, as in starling status

export function reason(why, state) {
  if (state === "error") return "stopped by an error on the host";
  if (state === "checking") return "checks what is on its disk";
  const words = Object.hasOwn(reasons, why) ? reasons[why] : "";
  if (state === "stalled") return words && why !== "none" ? `stalled: ${words}` : "gets nothing at the moment";
  return words || "does not say why";
}

// late says why a straggler is late and how long it will take.
export function late(s) {
  if (s.seen_s >= silentAfter) return `nothing was heard of it for ${left(s.seen_s)}`;
  const rest = left(s.left_s);
  return reason(s.why, s.state) + (rest ? `, ${rest} left` : "");
}

// doing says how a host is doing.
export function doing(h) {
  if (h.state === "left") return "had all of it and left";
  if (h.state !== "error" && h.state !== "checking" && h.share >= 1) return "has all of it";
  if (!h.state) return "another client, which tells nothing";
  return reason(h.why, h.state);
}

const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

export function bytes(n) {
  n = n > 0 ? n : 0;
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${fixed(n, unit > 0 && n < 99.95 ? 1 : 0)} ${units[unit]}`;
}

// fixed rounds to so many digits as Go does: what lies between two goes to the even one.
function fixed(n, digits) {
  const scaled = n * 10 ** digits, low = Math.floor(scaled), part = scaled - low;
  return ((part > 0.5 || (part === 0.5 && low % 2) ? low + 1 : low) / 10 ** digits).toFixed(digits);
}

export const rate = (n) => `${bytes(n)}/s`;

// percent rounds down, and never shows what is not whole as 100 %.
export function percent(share) {
  if (share >= 1) return "100 %";
  if (!(share > 0)) return "0 %";
  return `${(Math.min(999, Math.floor(share * 1000 + 1e-6)) / 10).toFixed(1)} %`;
}

// left prints seconds to go, or nothing where they are not known or none is left.
export function left(s) {
  if (!(s > 0)) return "";
  if (s < 100) return `${s} s`;
  if (s < 6000) return `${Math.floor((s + 30) / 60)} min`;
  if (s < 360000) return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
  return `${Math.floor(s / 86400)} d`;
}

export const count = (n) => String(n).replace(/\B(?=(\d{3})+$)/g, ",");
export const plural = (n, one) => (n === 1 ? `1 ${one}` : `${count(n)} ${one}s`);
export const copies = (n) => n >= 100 ? count(Math.floor(n)) : (Math.floor(n * 10) / 10).toFixed(1).replace(/\.0$/, "");

// slow says how far the slowest host of a group is.
export const slow = (h) => (h.share < 0 ? `${h.key}, which tells nothing` : `${h.key} ${percent(h.share)}, ${reason(h.why, "")}`);

const onHosts = (n) => (copies(n) === "1" ? "1 host" : `${copies(n)} hosts`);

// rarest says how often the rarest and the commonest part are there.
export function rarest(parts) {
  if (!parts.length) return "Nobody has told which parts it has.";
  const low = Math.min(...parts), high = Math.max(...parts);
  if (low <= 0) return "There is a part that no host has.";
  if (copies(low) === copies(high)) return `Every part is on ${onHosts(low)}.`;
  return `The rarest part is on ${onHosts(low)}, the commonest on ${copies(high)}.`;
}
