// What makes class 1 heard and seen: a short tone, the title's number, the badge of the app.
//
// There is no sound before the officer has switched it on on this device, none for an alert that
// this device has sounded for, and none for what happened while the page slept: a wake brings the
// lines, not the noise.
const SWITCH = "fs_sound";
const HEARD = "fs_sounded";
const KEPT = 300;
const FRESH_S = 60;
const LOOK_MS = 5_000;
const SLEPT_MS = 20_000;
const SETTLE_MS = 4_000;

let context = null;
let show = () => {};
let quietUntil = 0;
let lookedAt = Date.now();

const store = {
  get: (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  set: (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // A browser that keeps nothing forgets at its next page.
    }
  },
};
const isOn = () => store.get(SWITCH) === "on";

// True once for each alert, on all pages of this device.
function firstTime(alertId) {
  const heard = (store.get(HEARD) ?? "").split(" ").filter(Boolean);
  if (heard.includes(alertId)) return false;
  store.set(HEARD, [...heard, alertId].slice(-KEPT).join(" "));
  return true;
}

function tone() {
  if (!context || context.state !== "running") return;
  const at = context.currentTime;
  for (const [after, pitch] of [[0, 880], [0.18, 1175]]) {
    const source = context.createOscillator();
    const loudness = context.createGain();
    source.frequency.value = pitch;
    loudness.gain.setValueAtTime(0.0001, at + after);
    loudness.gain.exponentialRampToValueAtTime(0.25, at + after + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + after + 0.16);
    source.connect(loudness).connect(context.destination);
    source.start(at + after);
    source.stop(at + after + 0.17);
  }
}

// Browsers let a page sound only after somebody has touched it.
async function wake() {
  const Audio = window.AudioContext ?? window.webkitAudioContext;
  if (!Audio) return;
  context ??= new Audio();
  if (context.state !== "running") await context.resume().catch(() => {});
  show();
}

export function urgent(change) {
  const late = change.age_s > FRESH_S || Date.now() < quietUntil || slept();
  const first = firstTime(change.alert_id);
  if (isOn() && first && !late) tone();
}

// Timers stand still while a page sleeps: a long gap between two looks was a sleep.
function slept() {
  const gap = Date.now() - lookedAt;
  lookedAt = Date.now();
  if (gap > SLEPT_MS) quietUntil = Date.now() + SETTLE_MS;
  return gap > SLEPT_MS;
}

export function showUrgent(count) {
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (count) document.title = `(${count}) ${document.title}`;
  if (count) navigator.setAppBadge?.(count).catch?.(() => {});
  else navigator.clearAppBadge?.().catch?.(() => {});
}

export function offerSound(button) {
  if (!(window.AudioContext ?? window.webkitAudioContext)) return;
  button.hidden = false;
  show = () => {
    const state = !isOn() ? "off" : context?.state === "running" ? "on" : "wait";
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(state !== "off"));
    for (const word of button.querySelectorAll("[data-when]")) word.hidden = word.dataset.when !== state;
  };
  button.addEventListener("click", async () => {
    const waiting = isOn() && context?.state !== "running";
    if (!waiting) store.set(SWITCH, isOn() ? "off" : "on");
    if (isOn()) {
      await wake();
      tone();
    }
    show();
  });
  const first = () => isOn() && wake();
  document.addEventListener("pointerdown", first, { once: true });
  document.addEventListener("keydown", first, { once: true });
  window.addEventListener("storage", show);
  setInterval(slept, LOOK_MS);
  show();
}
