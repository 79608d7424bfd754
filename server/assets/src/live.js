// Follows one stream of server-sent events and brings the page up to date without a reload.
//
// The page carries the number of the last change that it shows (data-after). The stream starts
// there, and after a break at the last event received, so that nothing between is missed. A stream
// that has said nothing for SILENCE_MS is taken for dead, whatever the browser thinks.
import { carry, isOpen, openMembers, putInPlace, takeAway } from "./desk_lines.js";
import { showUrgent, urgent } from "./sound.js";
import { tellTimes } from "./times.js";

const SILENCE_MS = 40_000;
const MAX_WAIT_MS = 15_000;
const MOST_LINES = 200;

// The worker's page for the time without a connection says since when there is none.
let toldAt = 0;
const tellWorker = () => {
  if (Date.now() - toldAt < 5000) return;
  toldAt = Date.now();
  navigator.serviceWorker?.controller?.postMessage({ heard: toldAt });
};

export function startLive(place, htmx) {
  const sign = document.querySelector(".live");
  let after = place.dataset.after;
  let source = null;
  let silence = 0;
  let failures = 0;

  const show = (state) => {
    if (sign) sign.dataset.state = state;
  };

  const open = () => {
    const address = new URL(place.dataset.live, window.location.href);
    address.searchParams.set("after", after);
    source = new EventSource(address);
    source.addEventListener("open", () => heard());
    source.addEventListener("tick", (event) => take(event, () => {}));
    source.addEventListener("alert", (event) => take(event, () => onAlert(JSON.parse(event.data))));
    source.addEventListener("change", (event) => take(event, () => htmx.trigger(document.body, "changed")));
    source.addEventListener("reload", () => window.location.reload());
    source.addEventListener("reconnect", () => again(200 + Math.random() * 800));
    source.addEventListener("error", () => {
      show("lost");
      if (source.readyState === EventSource.CLOSED) again();
    });
  };

  const heard = () => {
    failures = 0;
    show("open");
    tellWorker();
    clearTimeout(silence);
    silence = setTimeout(() => {
      show("lost");
      again();
    }, SILENCE_MS);
  };

  const take = (event, use) => {
    heard();
    after = event.lastEventId || after;
    place.dataset.after = after;
    use();
  };

  const again = (wait) => {
    source.close();
    clearTimeout(silence);
    failures += 1;
    setTimeout(open, wait ?? Math.min(MAX_WAIT_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
  };

  // A line may stand for a group of alerts: it is found by its own name, not by its alert's.
  const lineOf = (name) =>
    [...document.querySelectorAll(".alerts > .alert")].find((row) => row.dataset.line === name);

  const onAlert = (change) => {
    const old = lineOf(change.line);
    if (!change.html) {
      if (old) takeAway(old);
    } else {
      const holder = document.createElement("template");
      holder.innerHTML = change.html;
      const row = holder.content.firstElementChild;
      const again = old && old.id !== row.id && change.raised;
      if (old && !again) putInPlace(old, row);
      else {
        const opened = old && isOpen(old);
        if (old) {
          carry(old, row);
          takeAway(old);
        }
        if (change.raised) {
          row.dataset.new = "";
          place.prepend(row);
          while (place.children.length > MOST_LINES) takeAway(place.lastElementChild);
        } else {
          const older = [...place.children].find((other) => other.dataset.at < row.dataset.at);
          place.insertBefore(row, older ?? null);
        }
        if (opened) openMembers(row);
      }
      htmx.process(row);
      tellTimes(row);
    }
    counts(change);
    place.dispatchEvent(new CustomEvent("lines", { bubbles: true }));
    if (change.urgent) urgent(change);
  };

  const counts = (change) => {
    const empty = document.querySelector("[data-empty]");
    if (empty) empty.hidden = place.children.length > 0;
    for (const [name, value] of Object.entries(change.counts ?? {})) {
      for (const node of document.querySelectorAll(`[data-count="${name}"]`)) {
        node.textContent = node.classList.contains("count") && !value ? "" : String(value);
      }
    }
    if (change.counts) showUrgent(change.counts.urgent);
  };

  show("wait");
  open();
  window.addEventListener("pagehide", () => source.close());
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
}
