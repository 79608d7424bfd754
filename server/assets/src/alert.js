// An alert's page under keys and thumb: the strip of pictures, and taking it on.
const framesOf = (strip) => strip.querySelector(".frames");

const shown = (strip) => {
  const frames = framesOf(strip);
  return Math.round(frames.scrollLeft / Math.max(1, frames.clientWidth));
};

const show = (strip, index, smooth = true) => {
  const frames = framesOf(strip);
  const figure = frames.children[index];
  if (!figure) return;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  frames.scrollTo({ left: figure.offsetLeft - frames.children[0].offsetLeft, behavior: smooth && !calm ? "smooth" : "instant" });
  mark(strip, index);
};

const mark = (strip, index) => {
  for (const link of strip.querySelectorAll("[data-frame]")) {
    if (Number(link.dataset.frame) === index) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
};

// Before, best, after in their order; the best one is shown first.
export function startStrips() {
  for (const strip of document.querySelectorAll("[data-strip]:not([data-ready])")) {
    strip.dataset.ready = "";
    for (const button of strip.querySelectorAll("[data-step]")) button.hidden = false;
    const figures = [...framesOf(strip).children];
    show(strip, Math.max(0, figures.findIndex((one) => one.classList.contains("best"))), false);
    framesOf(strip).addEventListener("scroll", () => mark(strip, shown(strip)), { passive: true });
  }
}

export function startAlertKeys() {
  document.addEventListener("click", (event) => {
    const strip = event.target.closest?.("[data-strip]");
    const frame = event.target.closest?.("[data-frame]");
    const step = event.target.closest?.("[data-step]");
    if (!strip || !(frame || step)) return;
    event.preventDefault();
    show(strip, frame ? Number(frame.dataset.frame) : shown(strip) + Number(step.dataset.step));
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest?.("input, textarea, select, [contenteditable]")) return;
    const strip = document.querySelector("[data-strip]");
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (strip && by) {
      event.preventDefault();
      show(strip, shown(strip) + by);
    } else if (event.key === "a") {
      document.querySelector("[data-take] button:not([disabled])")?.click();
    }
  });
}
