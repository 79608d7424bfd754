// Web push: this browser asks for messages, and gives up asking; the worker shows them.
const bytes = (text) => {
  const padded = (text + "=".repeat((4 - (text.length % 4)) % 4)).replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(padded), (one) => one.charCodeAt(0));
};

const browser = () => {
  const data = navigator.userAgentData;
  const brand = data?.brands?.map((one) => one.brand).find((one) => !/not.?a.?brand|chromium/i.test(one));
  const agent = /(Edg|OPR|Firefox|Chrome|Safari)/.exec(navigator.userAgent)?.[1] ?? "";
  return [brand ?? agent, data?.platform || navigator.platform].filter(Boolean).join(", ").slice(0, 80);
};

export function offerPush(place) {
  const show = (name, on) => {
    const node = place.querySelector(`[data-push-${name}]`);
    if (node) node.hidden = !on;
  };
  const send = (method, path, body) =>
    fetch(`/api/v1/push-subscriptions${path}`, {
      method,
      headers: { "content-type": "application/json", "x-csrf-token": place.dataset.csrf },
      body: body && JSON.stringify(body),
    });

  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  show("on", able);
  show("cannot", !able);

  place.querySelector("[data-push-on]")?.addEventListener("click", async () => {
    show("denied", false);
    show("failed", false);
    if ((await Notification.requestPermission()) !== "granted") {
      show("denied", true);
      return;
    }
    try {
      const worker = await navigator.serviceWorker.register("/worker.js", { updateViaCache: "none" });
      await navigator.serviceWorker.ready;
      const key = bytes(place.dataset.push);
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      const made = (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })).toJSON();
      const answer = await send("POST", "", { endpoint: made.endpoint, keys: made.keys, browser: browser() });
      if (!answer.ok) throw new Error(String(answer.status));
      window.location.reload();
    } catch (error) {
      show("failed", true);
    }
  });

  for (const button of place.querySelectorAll("[data-push-off]")) {
    button.addEventListener("click", async () => {
      await send("DELETE", `/${encodeURIComponent(button.dataset.pushOff)}`);
      window.location.reload();
    });
  }
}
