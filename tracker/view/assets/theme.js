// Runs before the page is drawn, so that a chosen theme does not flash. Without a
// choice the system's holds.
(() => {
  const kept = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const root = document.documentElement;
  const chosen = kept();
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
  const changed = () => document.dispatchEvent(new Event("theme"));

  addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = dark() ? "Light theme" : "Dark theme"; };
    button.hidden = false;
    name();
    button.addEventListener("click", () => {
      root.dataset.theme = dark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch { /* kept for this page only */ }
      name();
      changed();
    });
    system.addEventListener("change", () => { name(); changed(); });
  });
})();
