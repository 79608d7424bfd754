// The service worker: shows messages that were pushed, and says so when the server cannot be reached.
//
// It keeps one page and what that page needs, and nothing else: what is old is never shown as if it
// were so now. The server writes self.FOODSENTRY before this text: the version, the page in both
// languages, its files. Another version has another text, so that the browser takes it over.
const { version, pages, files } = self.FOODSENTRY;
const SHELL = `fs-shell-${version}`;
const NOTES = "fs-notes";
const CONTACT = "/contact";

let contact = null;

async function heard(at, language) {
  const before = contact ?? (await lastContact());
  contact = { at: Math.max(at, before?.at ?? 0), language: language ?? before?.language ?? "" };
  const notes = await caches.open(NOTES);
  await notes.put(CONTACT, new Response(JSON.stringify(contact)));
}

async function lastContact() {
  if (contact) return contact;
  const told = await (await caches.open(NOTES)).match(CONTACT);
  return told ? await told.json() : null;
}

async function offline() {
  const last = await lastContact();
  const address = last?.language?.startsWith("en") ? pages.en : pages.zh_CN;
  const kept = await (await caches.open(SHELL)).match(address);
  if (!kept) return Response.error();
  let text = await kept.text();
  if (last) {
    const when = new Intl.DateTimeFormat(address === pages.en ? "en-GB" : "zh-CN", {
      timeZone: "Asia/Shanghai", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
    }).format(last.at);
    text = text.replace('data-contact="unknown"', 'data-contact="known"').replaceAll("%SINCE%", when).replaceAll("%ISO%", new Date(last.at).toISOString());
  }
  const headers = new Headers(kept.headers);
  headers.set("cache-control", "no-store");
  headers.delete("content-length");
  return new Response(text, { status: 503, headers });
}

async function visit(request) {
  try {
    const answer = await fetch(request);
    heard(Date.now(), answer.headers.get("content-language")).catch(() => {});
    return answer;
  } catch {
    return offline();
  }
}

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(SHELL).then((shell) => shell.addAll([...Object.values(pages), ...files])));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("fs-shell-") && name !== SHELL;
  const clean = caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))));
  event.waitUntil(Promise.all([clean, self.clients.claim()]));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(visit(request));
  // The page's own files have their content's hash in their names: they cannot be old.
  else if (files.includes(new URL(request.url).pathname)) event.respondWith(fetch(request).catch(() => caches.match(request.url)));
});

self.addEventListener("message", (event) => {
  if (event.data?.heard) event.waitUntil(heard(Math.min(event.data.heard, Date.now())));
});

self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    told = { title: event.data?.text() ?? "" };
  }
  const options = {
    body: told.body ?? "", tag: told.tag || undefined, renotify: Boolean(told.tag),
    icon: self.FOODSENTRY.icon, badge: self.FOODSENTRY.badge, data: { url: told.url || "/alerts" },
    requireInteraction: told.severity === 1,
  };
  event.waitUntil(self.registration.showNotification(told.title || "邑食无忧", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  // Only our own pages: what was pushed may not lead elsewhere.
  const target = new URL(event.notification.data?.url ?? "/alerts", self.location.origin);
  event.waitUntil(self.clients.openWindow(target.pathname + target.search));
});
