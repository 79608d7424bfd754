// Today's samples, questions and tasks, and the dialogs that change them.
const by = (id) => document.getElementById(id);

export function element(name, text = "", kind = "") {
  const part = document.createElement(name);
  part.textContent = text;
  if (kind) part.className = kind;
  return part;
}

function button(text, kind, act) {
  const part = element("button", text, kind);
  part.type = "button";
  part.addEventListener("click", act);
  return part;
}

const clock = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
const what = (one) => [one.product, one.stall, one.supplier].filter(Boolean).join(" · ");

export class Lists {
  constructor(word, language, ask) {
    this.word = word;
    this.language = language;
    this.ask = ask;
    this.told = null;
    this.shown = null;
    this.then = null;
    by("label-close").addEventListener("click", () => by("label").close());
    by("opened-close").addEventListener("click", () => by("opened").close());
    by("change-cancel").addEventListener("click", () => by("change").close());
    by("change-form").addEventListener("submit", () => this.then?.());
  }

  tell(told, waiting) {
    this.told = told;
    const { word } = this;
    by("asked").textContent = by("nav-asked").textContent = told.asked ? String(told.asked) : "";
    by("count").textContent = told.samples.length ? String(told.samples.length) : "";
    by("asks").classList.toggle("some", told.asked > 0);
    const asks = told.asks.map((one) => this.question(one));
    by("ask-list").replaceChildren(...(asks.length ? asks : [element("p", word("noAsks"), "none")]));
    const tasks = told.tasks.map((one) => this.task(one));
    by("task-list").replaceChildren(...(tasks.length ? tasks : [element("li", word("noTasks"), "none")]));
    const due = (one) => (one.next.some((step) => step.code === "rerun") ? 0 : 1);
    const samples = [...told.samples].sort((a, b) => due(a) - due(b)).map((one) => this.sample(one));
    const queued = waiting.map((one) => this.queued(one));
    const all = [...queued, ...samples];
    by("sample-list").replaceChildren(...(all.length ? all : [element("p", word("noSamples"), "none")]));
  }

  queued(one) {
    const card = element("article", "", "card queued");
    card.append(element("h3", one.shown), element("p", this.word("waits"), "badge suspect"));
    return card;
  }

  result(one) {
    const line = element("li", "", one.verdict);
    const verdict = this.word(one.verdict === "none" ? "noVerdict" : one.verdict);
    line.append(element("span", one.item), element("b", one.value), element("i", verdict, `badge ${one.verdict}`));
    const how = one.how ? this.word(one.how === "number" ? "byNumber" : one.how) : "";
    line.append(element("small", [clock(one.at), one.device, how, one.limit && `${this.word("limit")} ${one.limit}`].filter(Boolean).join(" · ")));
    return line;
  }

  sample(one) {
    const { word } = this;
    const card = element("article", "", one.voided ? "card voided" : "card");
    card.dataset.sample = one.sample_id;
    const head = element("h3", one.number);
    head.append(element("small", `${clock(one.at)} ${one.operator}`));
    card.append(head, element("p", what(one), "what"));
    const badges = element("p", "", "badges");
    badges.append(element("i", word(one.in_city ? "inCity" : "notInCity"), one.in_city ? "badge pass" : "badge none"));
    if (one.voided) badges.append(element("i", `${word("voided")}：${one.void_reason}`, "badge invalid"));
    else if (!one.results.length) badges.append(element("i", word("waitingResult"), "badge none"));
    if (one.task_id) badges.append(element("i", `${word("task")}：${this.told.tasks.find((task) => task.task_id === one.task_id)?.title ?? one.task_id}`, "badge none"));
    card.append(badges);
    if (one.results.length) {
      const list = element("ul", "", "results");
      for (const result of one.results) {
        const line = this.result(result);
        line.append(button(word("move"), "quiet", () => this.move(one, result)));
        list.append(line);
      }
      card.append(list);
    }
    for (const step of one.next) card.append(this.step(step));
    if (!one.voided) {
      const acts = element("p", "", "act");
      acts.append(
        button(word("show"), "", () => this.show(one)),
        button(word("correct"), "", () => this.correct(one)),
        button(word("void"), "", () => this.void(one)),
      );
      card.append(acts);
    }
    return card;
  }

  step(step) {
    const language = this.language();
    const box = element("div", "", `step ${step.code}`);
    const left = step.left ? `（${this.word("left")} ${step.left} ${this.word("times")}）` : "";
    box.append(element("p", step[language] + left));
    if (step.hint) box.append(element("p", step.hint[language], "hint"), element("small", `${this.word("source")}：${step.hint.source}`));
    box.append(element("small", `${this.word("source")}：${step.source}`));
    return box;
  }

  question(one) {
    const { word } = this;
    const card = element("article", "", "card question");
    card.dataset.result = one.result_id;
    const list = element("ul", "", "results");
    list.append(this.result(one));
    const sent = [one.sent_number && `${word("number")} ${one.sent_number}`, one.sent_name && `${word("name")} ${one.sent_name}`].filter(Boolean).join("，");
    card.append(list, element("p", word(one.why === "none" ? "whyNone" : one.why)));
    if (sent) card.append(element("small", `${word("sentAs")}：${sent}`));
    const choices = element("div", "", "choices");
    for (const candidate of one.candidates) choices.append(this.candidate(one, candidate));
    choices.append(
      button(word("otherSample"), "", () => this.other(one)),
      button(word("none"), "", () => this.choose(one, "")),
    );
    card.append(choices);
    return card;
  }

  candidate(one, candidate) {
    const part = button("", "candidate", () => this.choose(one, candidate.sample_id));
    part.append(element("b", candidate.number), element("span", what(candidate)), element("small", clock(candidate.at)));
    return part;
  }

  choose(one, sample) {
    this.ask(`/api/results/${one.result_id}/choose`, { sample_id: sample }, `${one.item} ${one.value}`);
  }

  other(one) {
    const plain = (value) => value.normalize("NFKC").replace(/\D/g, "");
    this.open(this.word("otherSample"), [["number", this.word("number"), ""]], () => {
      const typed = plain(by("change-number").value);
      const found = this.told.samples.find((sample) => typed && plain(sample.number).endsWith(typed) && !sample.voided);
      if (found) this.choose(one, found.sample_id);
      else this.toast(this.word("badNumber"));
    });
  }

  move(sample, result) {
    const others = this.told.samples.filter((one) => one.sample_id !== sample.sample_id && !one.voided);
    this.open(this.word("move"), [], () => this.choose(result, by("change-to").value));
    const select = element("select");
    select.id = "change-to";
    select.append(new Option(this.word("none"), ""), ...others.map((one) => new Option(`${one.number} ${what(one)}`, one.sample_id)));
    by("change-fields").append(select);
  }

  correct(one) {
    const names = ["product", "stall", "supplier", "origin", "lot", "certificate", "note"];
    this.open(`${this.word("correct")} ${one.number}`, names.map((name) => [name, this.word(name), one[name]]), () => {
      const changes = {};
      for (const name of names) {
        const value = by(`change-${name}`).value.trim();
        if (value !== one[name]) changes[name] = value;
      }
      const task = by("change-task").value;
      if (task !== one.task_id) changes.task_id = task;
      if (Object.keys(changes).length) this.ask(`/api/samples/${one.sample_id}/correct`, { changes }, one.number);
    });
    const line = element("p", "", "field");
    const text = element("label", this.word("task"));
    const select = element("select");
    text.htmlFor = select.id = "change-task";
    const open = this.told.tasks.filter((task) => task.open || task.task_id === one.task_id).map((task) => [task.task_id, task.title]);
    if (one.task_id && !open.some(([id]) => id === one.task_id)) open.push([one.task_id, one.task_id]);
    select.append(...[["", this.word("noTask")], ...open].map(([id, title]) => new Option(title, id, false, id === one.task_id)));
    line.append(text, select);
    by("change-fields").append(line);
  }

  void(one) {
    this.open(`${this.word("void")} ${one.number}`, [["reason", this.word("reason"), ""]], () => {
      this.ask(`/api/samples/${one.sample_id}/void`, { reason: by("change-reason").value }, one.number);
    });
    by("change-reason").required = true;
    const chips = element("div", "", "chips");
    for (const reason of this.word("reasons")) chips.append(button(reason, "", () => { by("change-reason").value = reason; }));
    by("change-fields").append(chips);
  }

  open(title, fields, then) {
    by("opened").close();
    this.then = then;
    by("change-title").textContent = title;
    by("change-fields").replaceChildren(...fields.map(([name, label, value]) => {
      const line = element("p", "", "field");
      const text = element("label", label);
      const input = element("input");
      text.htmlFor = input.id = `change-${name}`;
      input.value = value;
      line.append(text, input);
      return line;
    }));
    by("change").showModal();
  }

  show(one) {
    by("label-number").textContent = one.number;
    by("label-what").textContent = one.product ?? "";
    by("label-where").textContent = [one.stall, one.origin].filter(Boolean).join(" · ");
    by("label-code").src = `/api/samples/${one.sample_id}/label.svg`;
    by("label-print").href = `/labels/${one.sample_id}`;
    by("opened").close();
    if (!by("label").open) by("label").showModal();
  }

  // A sample whose label was scanned, also of another day.
  look(one) {
    by("opened-sample").replaceChildren(this.sample(one));
    if (!by("opened").open) by("opened").showModal();
  }

  task(one) {
    const { word } = this;
    const line = element("li", "", one.done >= one.wanted ? "full" : "");
    const bar = element("progress");
    bar.max = Math.max(1, one.wanted);
    bar.value = Math.min(one.done, one.wanted);
    bar.setAttribute("aria-label", one.title);
    const due = one.due ? ` · ${word("due")} ${new Date(one.due).toLocaleDateString()}` : "";
    line.append(element("b", one.title), bar, element("small", `${word("done")} ${one.done} · ${word("here")} ${one.here} · ${word("of")} ${one.wanted}${due}`));
    if (one.note) line.append(element("small", one.note));
    return line;
  }

  toast(text) {
    by("toast").textContent = text;
    by("toast").hidden = false;
    clearTimeout(this.shown);
    this.shown = setTimeout(() => { by("toast").hidden = true; }, 4000);
  }
}
