// The console's script: htmx for forms and fragments, and the live stream of server-sent events.
import htmx from "htmx.org";
import { startAlertKeys, startStrips } from "./alert.js";
import { startDesk } from "./desk.js";
import { watchFiles } from "./files.js";
import { startLive } from "./live.js";
import { offerPush } from "./push.js";
import { offerSound, showUrgent } from "./sound.js";
import { tellTimes } from "./times.js";

window.htmx = htmx;

// A form that was answered with an error shows it instead of failing in silence.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 401) {
    window.location.assign(document.body.dataset.signin);
    event.detail.shouldSwap = false;
  } else if (xhr.status === 422 || xhr.status === 409) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:afterSettle", () => {
  tellTimes(document);
  startStrips();
});

// Without https (but on one's own machine) a browser has no workers.
if (window.isSecureContext) navigator.serviceWorker?.register("/worker.js", { updateViaCache: "none" }).catch(() => {});

document.addEventListener("DOMContentLoaded", () => {
  tellTimes(document);
  watchFiles(document);
  setInterval(() => tellTimes(document), 20_000);
  startStrips();
  if (document.getElementById("state")) startAlertKeys();
  for (const place of document.querySelectorAll("[data-desk]")) startDesk(place);
  for (const place of document.querySelectorAll("[data-sound]")) offerSound(place);
  for (const place of document.querySelectorAll("[data-urgent]")) showUrgent(Number(place.dataset.urgent));
  for (const place of document.querySelectorAll("[data-live]")) startLive(place, htmx);
  for (const place of document.querySelectorAll("[data-push]")) offerPush(place);
});
