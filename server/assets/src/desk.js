// The desk under keys and thumb: moving along the lines, opening, acknowledging, selecting several.
import { carry, focusLine, toggleMembers } from "./desk_lines.js";

const LONG_PRESS_MS = 500;
const MOVED_PX = 10;

export function startDesk(desk) {
  const bar = desk.querySelector("#bulk-bar");
  const form = desk.querySelector("#bulk");
  const keys = desk.querySelector("#keys");
  const search = desk.querySelector("#q");
  const rows = () => [...desk.querySelectorAll(".alerts .alert")];
  const current = () => document.activeElement?.closest?.(".alerts .alert");

  for (const node of desk.querySelectorAll("[data-bulk-open], [data-bulk-close], [data-keys-open], [data-script]")) node.hidden = false;

  const count = () => {
    if (!form) return;
    const all = form.elements.namedItem("all");
    const picked = [...desk.querySelectorAll(".pick input:checked")];
    const n = all.checked ? Number(all.dataset.n) : picked.reduce((sum, box) => sum + Number(box.dataset.n), 0);
    form.querySelector("[data-picked]").textContent = String(n);
    for (const place of form.querySelectorAll("[data-picked-n]")) place.textContent = n ? ` ${n}` : "";
    const tooMany = n > Number(form.dataset.most);
    for (const button of form.querySelectorAll("[data-needs]")) {
      const note = button.hasAttribute("data-note") && !form.elements.namedItem("note").value.trim();
      button.disabled = !n || tooMany || note;
    }
    for (const row of rows()) row.toggleAttribute("data-picked-row", Boolean(row.querySelector(".pick input")?.checked));
  };

  const select = (on) => {
    if (!bar) return;
    bar.open = on;
    desk.toggleAttribute("data-selecting", on);
    if (!on) {
      for (const box of desk.querySelectorAll(".pick input:checked")) box.checked = false;
      form.elements.namedItem("all").checked = false;
    }
    count();
  };

  const pick = (row) => {
    const box = row?.querySelector(".pick input");
    if (!box) return;
    select(true);
    box.checked = !box.checked;
    count();
  };

  const move = (by) => {
    const lines = rows();
    const at = lines.indexOf(current());
    const next = at < 0 ? (by > 0 ? lines[0] : lines.at(-1)) : lines[at + by];
    if (!focusLine(next) && by > 0) desk.querySelector("#more a")?.focus();
  };

  const actions = {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    a: () => current()?.querySelector(".do form button:not([disabled])")?.click(),
    x: () => pick(current()),
    g: () => current() && toggleMembers(current()),
    "/": () => search?.focus(),
    "?": () => (keys.open ? keys.close() : keys.showModal()),
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      if (keys.open) return;
      if (typing) typing.blur();
      else if (bar?.open) select(false);
      else document.getElementById("choices")?.replaceChildren();
      return;
    }
    if (typing || (keys.open && event.key !== "?")) return;
    const act = actions[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  desk.querySelector("[data-keys-open]")?.addEventListener("click", actions["?"]);
  desk.querySelector("[data-bulk-open]")?.addEventListener("click", () => select(!bar.open));
  desk.querySelector("[data-bulk-close]")?.addEventListener("click", () => select(false));
  bar?.addEventListener("toggle", () => {
    desk.toggleAttribute("data-selecting", bar.open);
    count();
  });
  desk.addEventListener("change", (event) => {
    if (event.target.matches(".pick input") && event.target.checked) form.elements.namedItem("all").checked = false;
    count();
  });
  form?.addEventListener("input", count);
  desk.addEventListener("lines", count);

  desk.addEventListener("click", (event) => {
    const fold = event.target.closest("[data-members]");
    if (fold) {
      event.preventDefault();
      toggleMembers(fold.closest(".alert"));
    } else if (desk.hasAttribute("data-selecting") && !event.target.closest(".pick, .do, #bulk-bar, .fold, .desk-tools, .filters, .tally")) {
      // While several are selected, a tap on a line selects it.
      const row = event.target.closest(".alerts .alert");
      if (row && event.detail) {
        event.preventDefault();
        pick(row);
      }
    }
  });
  longPress(desk, (row) => {
    if (!row.querySelector(".pick input:checked")) pick(row);
  });

  // A line that a form's answer replaced keeps focus and mark.
  let left = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const old = event.detail.target;
    left = old?.matches?.(".alert") ? { old, held: old.contains(document.activeElement) } : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    const row = left && event.detail.elt?.matches?.(".alert") ? event.detail.elt : left && document.getElementById(left.old.id);
    if (!row) return;
    carry(left.old, row);
    if (left.held) row.querySelector(".title a")?.focus({ preventScroll: true });
    left = null;
    count();
  });
  count();
}

function longPress(place, act) {
  let timer = 0;
  let start = null;
  let done = false;
  const stop = () => {
    clearTimeout(timer);
    start = null;
  };
  place.addEventListener("pointerdown", (event) => {
    const row = event.target.closest(".alerts .alert");
    done = false;
    if (!row || event.pointerType === "mouse" || event.target.closest(".do, .pick")) return;
    start = event;
    timer = setTimeout(() => {
      done = true;
      navigator.vibrate?.(12);
      act(row);
    }, LONG_PRESS_MS);
  });
  place.addEventListener("pointermove", (event) => {
    if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > MOVED_PX) stop();
  });
  for (const name of ["pointerup", "pointercancel"]) place.addEventListener(name, stop);
  // The press itself opens nothing: neither the link under it nor the browser's own menu.
  place.addEventListener("contextmenu", (event) => (done || start) && event.preventDefault());
  place.addEventListener(
    "click",
    (event) => {
      if (!done) return;
      done = false;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
}
