// What was asked and not answered yet: kept in the browser, sent again with the same id until it is.
const KEY = "room.queue";

export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
}

export class Queue {
  constructor(answered, refused) {
    this.answered = answered;
    this.refused = refused;
    this.waiting = [];
    this.#load();
    this.busy = false;
    this.reached = true;
    this.trouble = null;
  }

  put(path, body, by, shown) {
    this.#load();
    this.waiting.push({ path, body: { ...body, submit_id: freshId() }, by, shown });
    this.#keep();
  }

  // Another tab may have put or handed over meanwhile.
  #load() { this.waiting = JSON.parse(localStorage.getItem(KEY) ?? "[]"); }

  #keep() { localStorage.setItem(KEY, JSON.stringify(this.waiting)); }

  // One after the other, in order; stops at the first that cannot be handed over now.
  async flush(operator) {
    if (this.busy) return;
    this.busy = true;
    this.#load();
    try {
      while (this.waiting.length && this.waiting[0].by === operator) {
        const one = this.waiting[0];
        const reply = await fetch(one.path, {
          method: "POST", headers: { "Content-Type": "application/json", "X-Room": "1" },
          body: JSON.stringify(one.body), signal: AbortSignal.timeout(8000),
        });
        this.reached = true;
        if (reply.status === 401) return;
        const said = await reply.json();
        this.trouble = reply.status >= 500 ? said : null;
        if (this.trouble) return;
        this.#load();
        this.waiting = this.waiting.filter((other) => other.body.submit_id !== one.body.submit_id);
        this.#keep();
        if (reply.ok) this.answered(one, said); else this.refused(one, said);
      }
    } catch {
      this.reached = false;
    } finally {
      this.busy = false;
    }
  }
}
