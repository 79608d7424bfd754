// The preview page: asks for the newest of one camera, again when it has been shown.
import { Editor } from "/editor.js";
import { WORDS, half } from "/words.js";

const NAMESPACE = "http://www.w3.org/2000/svg";
const PAUSE_MS = 350;
const by = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") ?? navigator.language).startsWith("en") ? "en" : "zh";
let chosen = decodeURIComponent(location.hash.slice(1));
let listed = { cameras: [], token: "", faces: false };
let camera = null;
let pictured = "";
const word = (key) => WORDS[language][key];
const editor = new Editor(by("overlay"), draw);

function speak() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = word("title");
  for (const part of document.querySelectorAll("[data-word]")) part.textContent = word(part.dataset.word);
  by("language").textContent = word("other");
  by("language").lang = language === "zh" ? "en" : "zh-CN";
}

function element(name, text = "", kind = "") {
  const part = document.createElement(name);
  part.textContent = text;
  if (kind) part.className = kind;
  return part;
}

function shape(name, attributes, text) {
  const part = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  if (text !== undefined) part.textContent = text;
  by("overlay").append(part);
  return part;
}

function label(text, x, y, size, kind, width) {
  const part = shape("text", { x, y, "font-size": size, "stroke-width": size / 5, class: kind }, text);
  const over = x + part.getComputedTextLength() - width + 4;
  if (over > 0) part.setAttribute("x", Math.max(2, x - over));
}

function draw() {
  const svg = by("overlay"), image = by("picture");
  svg.replaceChildren();
  if (!camera || !image.naturalWidth) return;
  const width = image.naturalWidth, height = image.naturalHeight;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.classList.toggle("editing", editor.active);
  const size = Math.max(12, width * 15 / Math.max(320, svg.clientWidth));
  const line = size / 7;
  if (by("show-areas").checked || editor.active) drawAreas(width, height, size, line);
  if (by("show-heads").checked && !editor.active) drawHeads(width, height, size, line);
  if (editor.active) editor.grips(width, height);
}

function drawAreas(width, height, size, line) {
  const pattern = shape("pattern", { id: "hatch", width: size, height: size, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
  const stripe = document.createElementNS(NAMESPACE, "rect");
  for (const [key, value] of Object.entries({ width: size / 3, height: size, fill: "rgb(239 125 116 / 35%)" })) stripe.setAttribute(key, value);
  pattern.append(stripe);
  for (const kind of ["zone", "mask"]) {
    camera[`${kind}s`].forEach((part, index) => {
      const polygon = editor.active ? editor.areas[`${kind}s`][index] : part.polygon;
      const points = polygon.map(([x, y]) => `${x * width},${y * height}`).join(" ");
      shape("polygon", { points, class: kind, "stroke-width": line });
      const left = Math.min(...polygon.map(([x]) => x)) * width, top = Math.min(...polygon.map(([, y]) => y)) * height;
      label(part.name, left + size / 2, top + size * 1.4, size, `${kind}-name`, width);
    });
  }
}

const GOOD = new Set(["dressed", "not_asked"]);
const BAD = new Set(["counting", "suspected", "episode"]);
const MARK = { yes: "✓", no: "✗", unsure: "~", "cannot tell": "?" };
const WEAR = { hat: { zh: "帽", en: "hat" }, mask: { zh: "口罩", en: "mask" }, present: { zh: "在场", en: "present" } };
const sort = (why) => (GOOD.has(why) ? "good" : BAD.has(why) ? "bad" : "");

function drawHeads(width, height, size, line) {
  for (const other of camera.others) box(other.box, width, height, "other", line / 2);
  for (const head of camera.heads) {
    const [x, y] = box(head.box, width, height, `head ${sort(head.why)}`, line);
    const answers = Object.entries(head.answers).map(([wear, answer]) => `${WEAR[wear]?.[language] ?? wear}${MARK[answer] ?? "?"}`);
    label([head.track ?? "", ...answers].join(" "), x, Math.max(size, y - size / 3), size * 0.9, "head-name", width);
  }
}

function box([x0, y0, x1, y1], width, height, kind, line) {
  shape("rect", { x: x0 * width, y: y0 * height, width: (x1 - x0) * width, height: (y1 - y0) * height, rx: line, class: kind, "stroke-width": line });
  return [x0 * width, y0 * height];
}

function tell() {
  const rate = (value) => `${value.toFixed(1)} ${word("per")}`;
  const rows = [
    ["sight", camera.sight[language], camera.sight.key === "live" ? "good" : "bad"],
    ["gate", word(camera.gate)],
    ["frames", rate(camera.frames_per_s)],
    ["looks", rate(camera.looks_per_s)],
    ["age", camera.look_age_s === null ? "–" : `${Math.max(0, camera.look_age_s).toFixed(1)} ${word("ago")}`],
  ];
  if (camera.trouble) rows.push(["trouble", camera.trouble, "bad"]);
  by("state").replaceChildren(...rows.flatMap(([key, text, kind]) => [element("dt", word(key)), element("dd", text, kind)]));
  by("measures").replaceChildren(...Object.entries(camera.measures).flatMap(([key, value]) => [element("dt", key), element("dd", String(value))]));
  const observations = camera.observations.map((one) => {
    const item = element("li", half(one.reason, language), "bad");
    item.append(document.createElement("br"), element("small", `${one.kind} · ${new Date(one.since).toLocaleTimeString(document.documentElement.lang)}`));
    return item;
  });
  by("observations").replaceChildren(...(observations.length ? observations : [element("li", word("none"), "none")]));
  const heads = camera.heads.map((head) => {
    const item = element("li", half(head.says, language), sort(head.why));
    item.append(document.createElement("br"), element("small", `${word("head")} ${head.track ?? "–"} · ${word("confidence")} ${head.confidence}`));
    return item;
  });
  by("why").replaceChildren(...(heads.length ? heads : [element("li", word("nobody"), "none")]));
  const looks = camera.looked.map((one) => {
    const item = element("li", `${one.who} · ${new Date(one.at).toLocaleString(document.documentElement.lang)}`);
    item.append(document.createElement("br"), element("small", `${word(one.action === "keep" ? "kept" : "seen")} · ${one.reason}`));
    return item;
  });
  by("looked").replaceChildren(...(looks.length ? looks : [element("li", word("none"), "none")]));
  by("edit").hidden = editor.active || !camera.editable;
  by("save").hidden = by("cancel").hidden = !editor.active;
}

function note() {
  if (editor.active) return word("help");
  if (camera && !["live", "camera_blurred"].includes(camera.sight.key)) return `${camera.sight[language]} · ${word("blind")}`;
  return by("faces").checked ? word("shown") : word("hidden");
}

function list() {
  by("cameras").replaceChildren(...listed.cameras.map((one) => {
    const button = element("button");
    button.type = "button";
    button.append(element("i", "", one.sight.key === "live" ? "" : "blind"), one.device);
    button.title = one.title;
    if (one.open) button.append(element("b", String(one.open)));
    button.setAttribute("aria-current", String(one.device === chosen));
    button.addEventListener("click", () => {
      if (editor.active) editor.end();
      chosen = location.hash = one.device;
      pictured = "";
    });
    return button;
  }));
}

async function ask(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (answer.status === 401) location.assign("/signin");
  if (!answer.ok) throw new Error(answer.status === 503 ? word("many") : (await answer.json()).error);
  return answer.json();
}

async function look() {
  listed = await ask("/api/cameras");
  by("signout").hidden = !listed.signed_in;
  by("faces-label").hidden = !listed.faces;
  if (!listed.cameras.some((one) => one.device === chosen)) chosen = listed.cameras[0]?.device ?? "";
  list();
  if (!chosen) {
    by("note").textContent = word("waiting");
    return;
  }
  const fresh = await ask(`/api/cameras/${chosen}`);
  const faces = by("faces").checked && listed.faces;
  const wanted = `${chosen}/${fresh.picture}/${faces}`;
  if (fresh.picture && wanted !== pictured && !editor.active) {
    const image = by("picture");
    image.src = `/api/cameras/${chosen}/picture.jpg?n=${fresh.picture}${faces ? "&faces=1" : ""}`;
    image.hidden = false;
    await image.decode();
    pictured = wanted;
  }
  camera = fresh;
  tell();
  if (!editor.active) draw(); // A dot that is being held must stay the same.
  by("note").textContent = note();
}

async function save() {
  const answer = await fetch(`/api/cameras/${chosen}/areas`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Preview-Token": listed.token },
    body: JSON.stringify(editor.areas),
  });
  const told = await answer.json();
  by("said").textContent = answer.ok ? word("saved") + told.backup : told.error;
  by("said").hidden = false;
  if (answer.ok) editor.end();
}

by("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  speak();
  if (camera) tell();
  draw();
});
by("signout").addEventListener("click", async () => {
  await fetch("/signout", { method: "POST", headers: { "X-Preview-Token": listed.token } });
  location.assign("/signin");
});
by("edit").addEventListener("click", () => {
  by("said").hidden = true;
  editor.begin(camera);
  tell();
});
by("cancel").addEventListener("click", () => {
  editor.end();
  tell();
});
by("save").addEventListener("click", save);
for (const id of ["show-areas", "show-heads"]) by(id).addEventListener("change", draw);
by("faces").addEventListener("change", () => { pictured = ""; });
addEventListener("resize", draw);

speak();
for (;;) {
  try {
    await look();
  } catch (error) {
    by("note").textContent = error instanceof TypeError ? word("lost") : error.message;
  }
  await new Promise((resolve) => setTimeout(resolve, document.hidden ? 2000 : PAUSE_MS));
}
