// The service worker: shows a message that was pushed, and opens the alert it is about.
self.addEventListener("push", (event) => {
  let told = {};
  try {
    told = event.data?.json() ?? {};
  } catch {
    told = { title: event.data?.text() ?? "" };
  }
  const options = {
    body: told.body ?? "", tag: told.tag || undefined, renotify: Boolean(told.tag),
    icon: "/static/seal.svg", data: { url: told.url || "/alerts" },
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
