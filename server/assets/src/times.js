// How long ago something was, in the page's language, kept current by the browser.
const STEPS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const format = new Intl.RelativeTimeFormat(document.documentElement.lang || "zh-CN", {
  numeric: "auto",
  style: "short",
});

function ago(seconds) {
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return format.format(-Math.trunc(seconds / size), unit);
  }
  return format.format(-Math.max(0, Math.trunc(seconds)), "second");
}

// Writes the distance into every <span data-ago="ISO time"> inside `root`.
export function tellTimes(root) {
  const now = Date.now();
  for (const place of root.querySelectorAll("[data-ago]")) {
    const at = Date.parse(place.dataset.ago);
    if (!Number.isNaN(at)) place.textContent = ago((now - at) / 1000);
  }
}
