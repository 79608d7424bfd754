// The page without a connection looks for one, and goes back to what was asked for.
import { tellTimes } from "./times.js";

const LOOK_MS = 4_000;

async function look() {
  try {
    const answer = await fetch("/healthz", { cache: "no-store" });
    if (answer.ok) window.location.reload();
  } catch {
    // Still none.
  }
}

tellTimes(document);
setInterval(() => tellTimes(document), LOOK_MS);
// Opened at its own address it has nothing to go back to.
if (document.body.dataset.contact && window.location.pathname !== "/offline") setInterval(look, LOOK_MS);
window.addEventListener("online", look);
