// The form: what is typed is kept at once, what was used lately is offered first, scans find their field.
import { Tasks } from "/tasks.js";

const DRAFT = "room.draft";
const FIELDS = ["stall", "product", "supplier", "origin", "lot", "certificate", "task_id", "note"];
const STAYS = ["stall", "supplier", "origin"];
const OURS = /^[A-Z]{0,2}\d{10,12}$/;
const by = (id) => document.getElementById(id);

export class Register {
  constructor(word, language, submitted, openSample) {
    this.word = word;
    this.language = language;
    this.openSample = openSample;
    this.told = null;
    this.tasks = new Tasks(word, () => this.keep());
    this.restore(JSON.parse(localStorage.getItem(DRAFT) ?? "{}"));
    const form = by("form");
    form.addEventListener("input", () => this.keep());
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const typed = this.typed();
      if (!typed.product) return by("product").focus();
      if (this.tasks.asks()) return;
      submitted(typed);
      this.restore(Object.fromEntries(STAYS.map((name) => [name, typed[name]])));
      this.keep();
    });
    by("clear").addEventListener("click", () => { this.restore({}); this.keep(); by("scan").focus(); });
    by("stall").addEventListener("input", () => this.offer("stall"));
    by("product").addEventListener("input", () => this.offer("product"));
    by("stall").addEventListener("change", () => this.prefill());
    by("scan").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.scan(by("scan").value.trim());
      by("scan").value = "";
    });
  }

  typed() { return Object.fromEntries(FIELDS.map((name) => [name, by(name).value.trim()])); }

  restore(values) {
    for (const name of FIELDS) by(name).value = values[name] ?? "";
    by("form-said").hidden = true;
    this.tasks.restore(values);
    this.offerAll();
  }

  keep() {
    localStorage.setItem(DRAFT, JSON.stringify({ ...this.typed(), chose: this.tasks.byHand }));
  }

  tell(told) {
    this.told = told;
    for (const [id, values] of [["suppliers", told.suppliers], ["origins", told.recent_origins]]) {
      by(id).replaceChildren(...values.map((value) => new Option(value, value)));
    }
    this.tasks.tell(told);
    this.offerAll();
  }

  offerAll() { for (const name of ["stall", "product"]) this.offer(name); }

  // Recents first, then what contains what was typed, in code or name; no pinyin is needed.
  offer(name) {
    const told = this.told;
    const typed = by(name).value.trim().toLowerCase();
    if (!told) return;
    const all = name === "stall"
      ? told.stalls.map((stall) => ({ value: stall.code, shown: `${stall.code} ${stall.name}`.trim() }))
      : told.products.map((product) => ({ value: product.name, shown: product.name }));
    const shown = new Map(all.map((one) => [one.value, one.shown]));
    const recent = told[name === "stall" ? "recent_stalls" : "recent_products"];
    const lately = recent.map((value) => ({ value, shown: shown.get(value) ?? value }));
    const found = [...lately, ...all.filter((one) => !recent.includes(one.value))]
      .filter((one) => !typed || one.shown.toLowerCase().includes(typed)).slice(0, 8);
    const chips = found.filter((one) => one.value.toLowerCase() !== typed).map((one) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.textContent = one.shown;
      chip.addEventListener("click", () => this.take(name, one.value));
      return chip;
    });
    by(`${name}-chips`).replaceChildren(...chips);
    if (name === "product") {
      const product = told.products.find((one) => one.name === by("product").value.trim());
      this.tasks.suggest();
      by("product-note").textContent = product ? product[`note_${this.language()}`] : "";
    }
  }

  take(name, value) {
    by(name).value = value;
    if (name === "stall") this.prefill();
    this.offer(name);
    this.keep();
    by(name === "stall" ? "product" : "lot").focus();
  }

  // With another stall come its last supplier and origin.
  prefill() {
    const stall = by("stall").value.trim();
    const last = this.told?.last[stall] ?? { supplier: this.told?.stalls.find((one) => one.code === stall)?.supplier ?? "" };
    for (const name of ["supplier", "origin"]) by(name).value = last[name] ?? "";
    by("scanned").textContent = last.supplier ? `${this.word("supplier")}：${last.supplier}（${this.word("filled")}）` : "";
    this.keep();
  }

  async scan(text) {
    if (!text) return;
    by("scanned").textContent = "";
    const plain = (value) => value.normalize("NFKC").toUpperCase().replace(/[^0-9A-Z]/g, "");
    const stall = this.told?.stalls.find((one) => one.code === text || text.endsWith(`/${one.code}`));
    const sample = this.told?.samples.find((one) => plain(one.number) === plain(text));
    const product = this.told?.products.find((one) => one.name === text);
    if (stall) this.take("stall", stall.code);
    else if (product) this.take("product", product.name);
    else if (sample) this.openSample(sample);
    else if (OURS.test(plain(text)) && await this.find(text)) return;
    else if (text.length < 6) return void (by("scanned").textContent = `${text}：${this.word("notKnown")}`);
    else {
      const name = by("certificate").value ? "lot" : "certificate";
      by(name).value = text;
      this.keep();
      by("scanned").textContent = `${text}：${this.word(name === "lot" ? "isLot" : "isCertificate")}`;
      return;
    }
    if (!by("scanned").textContent) by("scanned").textContent = text;
  }

  // One of our numbers that is not of today: the agent knows it. False: the code is something else.
  async find(text) {
    try {
      const reply = await fetch(`/api/find?code=${encodeURIComponent(text)}`, { signal: AbortSignal.timeout(8000) });
      if (!reply.ok) return false;
      const { ours, sample } = await reply.json();
      if (sample) this.openSample(sample);
      else if (ours) by("scanned").textContent = `${text}：${this.word("noSample")}`;
      return ours;
    } catch {
      return false;
    }
  }

  // What was refused comes back to be mended, unless something new stands there.
  back(values, said) {
    if (!this.typed().product) this.restore({ ...values, chose: true });
    by("form-said").textContent = said;
    by("form-said").hidden = false;
    this.keep();
  }
}
