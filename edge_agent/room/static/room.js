// The testing room's page: asks for news, hands over what was entered, and says what is not in the city.
import { Lists, element } from "/lists.js";
import { Queue } from "/queue.js";
import { Register } from "/register.js";
import { WORDS } from "/words.js";

const PAUSE_MS = 2000;
const by = (id) => document.getElementById(id);
let language = (localStorage.getItem("language") ?? navigator.language).startsWith("en") ? "en" : "zh";
let told = null, operator = null, chosen = "", soon = null, unread = null;
const word = (key) => WORDS[language][key] ?? key;
const lists = new Lists(word, () => language, ask);
const queue = new Queue(answered, refused);
const register = new Register(word, () => language, registered, (sample) => lists.look(sample));

function ask(path, body, shown) {
  queue.put(path, body, operator, shown);
  draw();
  news();
}

function registered(typed) {
  ask("/api/samples", typed, [typed.product, typed.stall].filter(Boolean).join(" · "));
  by("scan").focus();
}

function answered(one, said) {
  if (one.path !== "/api/samples") return;
  lists.show({ ...one.body, sample_id: said.sample_id, number: said.number });
}

function refused(one, said) {
  const text = `${word("lost")}：${said[language] ?? said.error}`;
  if (one.path === "/api/samples") register.back(one.body, text);
  else lists.toast(text);
}

function speak() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = word("title");
  for (const part of document.querySelectorAll("[data-word]")) part.textContent = word(part.dataset.word);
  by("language").textContent = word("other");
  by("language").lang = language === "zh" ? "en" : "zh-CN";
  if (told) register.tell(told);
  draw();
}

function draw() {
  const stranger = queue.waiting.length && queue.waiting[0].by !== operator && operator !== null;
  const trouble = unread ?? told?.trouble ?? (queue.trouble?.error === "soon" ? null : queue.trouble);
  by("local").hidden = queue.reached && !queue.waiting.length;
  by("local").textContent = [queue.reached ? "" : word("noAgent"), queue.trouble && queue.trouble.zh !== trouble?.zh ? queue.trouble[language] : "", stranger ? word("notYours") : "",
    queue.waiting.length ? `${queue.waiting.length} ${word("queued")}` : ""].filter(Boolean).join(" · ");
  by("trouble").hidden = !trouble;
  if (trouble) by("trouble").replaceChildren(trouble[language], element("small", trouble.detail ?? trouble.error));
  if (!told) return;
  const { connected } = told.connection;
  by("site").textContent = (told.site && told.site[language]) || word("title");
  by("day").textContent = told.day;
  by("city").textContent = [word(connected ? "cityUp" : "cityDown"), told.on_way ? `${told.on_way} ${word("onWay")}` : word("allIn")].join(" · ");
  by("city").className = connected && !told.on_way ? "chip good" : "chip warn";
  by("operator").textContent = operator ?? "";
  by("signout").hidden = !told.signed_in;
  lists.tell(told, queue.waiting.filter((one) => one.path === "/api/samples"));
}

async function look() {
  const reply = await fetch(`/api/state?known=${told?.version ?? ""}`, { signal: AbortSignal.timeout(8000) });
  queue.reached = true;
  if (reply.status === 401) return signIn((await reply.json()).sign_in);
  const said = await reply.json();
  unread = reply.ok ? null : said;
  if (!reply.ok) return;
  if (by("signin").open) by("signin").close();
  operator = said.operator;
  const fresh = !told || said.version !== told.version;
  told = { ...told, ...said };
  if (fresh) register.tell(told);
}

async function news() {
  clearTimeout(soon);
  const before = `${queue.reached} ${queue.trouble?.zh} ${JSON.stringify(queue.waiting)} ${told?.version} ${JSON.stringify([told?.connection, told?.trouble, unread])} ${operator}`;
  try {
    await look();
    if (operator !== null) {
      const waiting = queue.waiting.length;
      await queue.flush(operator);
      if (queue.waiting.length < waiting) await look();
    }
  } catch {
    queue.reached = false;
  }
  const after = `${queue.reached} ${queue.trouble?.zh} ${JSON.stringify(queue.waiting)} ${told?.version} ${JSON.stringify([told?.connection, told?.trouble, unread])} ${operator}`;
  if (before !== after) draw();
  clearTimeout(soon);
  soon = setTimeout(news, PAUSE_MS);
}

function signIn(names) {
  operator = null;
  const dialog = by("signin");
  if (dialog.open) return;
  by("names").replaceChildren(...names.map((name) => {
    const part = document.createElement("button");
    part.type = "button";
    part.textContent = name;
    part.setAttribute("aria-pressed", String(name === chosen));
    part.addEventListener("click", () => {
      chosen = name;
      for (const other of by("names").children) other.setAttribute("aria-pressed", String(other === part));
      by("pin").focus();
    });
    return part;
  }));
  by("pin").value = "";
  dialog.showModal();
}

by("signin").addEventListener("cancel", (event) => event.preventDefault());
by("signin-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!chosen) return void (by("signin-said").textContent = word("first"));
  const post = { method: "POST", headers: { "X-Room": "1" }, body: JSON.stringify({ name: chosen, pin: by("pin").value }) };
  by("pin").value = "";
  try {
    const reply = await fetch("/api/signin", post);
    const said = await reply.json();
    by("signin-said").textContent = reply.ok ? "" : said[language] ?? said.error;
    if (reply.ok) await news();
  } catch {
    by("signin-said").textContent = word("noAgent");
  }
});
by("signout").addEventListener("click", async () => {
  await fetch("/api/signout", { method: "POST", headers: { "X-Room": "1" }, body: "{}" });
  told = null;
  chosen = "";
  news();
});
by("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  speak();
});
for (const part of document.querySelectorAll("nav button")) {
  part.addEventListener("click", () => {
    document.body.dataset.part = part.dataset.part;
    for (const other of document.querySelectorAll("nav button")) other.setAttribute("aria-current", String(other === part));
    window.scrollTo(0, 0);
  });
}
speak();
news();
