// Which task a sample counts to: the one that fits is proposed; where several fit, the form asks.
const KEY = "room.tasks";
const by = (id) => document.getElementById(id);

export class Tasks {
  constructor(word, keep) {
    this.word = word;
    this.keep = keep;
    this.told = null;
    this.byHand = null; // the tasks among which a person chose; true: before there was a product
    this.wanted = "";
    this.held = false;
    by("task_id").addEventListener("change", () => this.choose(by("task_id").value));
  }

  restore(values) {
    this.byHand = values.chose ?? null;
    this.wanted = values.task_id ?? "";
    this.held = false;
    this.suggest();
  }

  tell(told) {
    this.told = told;
    const open = told.tasks.filter((task) => task.open || task.task_id === this.wanted);
    by("task_id").replaceChildren(new Option(this.word("noTask"), ""), ...open.map((task) => new Option(task.title, task.task_id)));
    this.suggest();
  }

  // What was chosen today where the same tasks fitted.
  decided() {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return kept.day === this.told?.day ? kept : { day: this.told?.day, chosen: {} };
  }

  fits() {
    const { products, fits } = this.told;
    const name = by("product").value.trim();
    const group = products.find((one) => one.name === name)?.group ?? fits.kinds[name] ?? "";
    return name ? fits.groups[group] ?? fits.groups[""] : [];
  }

  suggest() {
    if (!this.told) return;
    const fits = this.fits();
    const among = fits.join(" ");
    const before = this.decided().chosen[among];
    this.asking = false;
    let note = "";
    if (this.byHand !== true && this.byHand !== among) {
      if (before !== undefined && fits.length) [this.wanted, note] = [before, "taskAsBefore"];
      else if (fits.length === 1) [this.wanted, note] = [fits[0], "taskByProduct"];
      else [this.wanted, this.asking] = ["", fits.length > 1];
    }
    by("task_id").value = this.wanted;
    if (by("task_id").selectedIndex < 0) by("task_id").value = "";
    by("task-note").textContent = note && this.word(note);
    by("task-ask").hidden = !this.asking;
    this.held &&= this.asking;
    if (!this.asking) return;
    const titles = this.told.tasks.filter((task) => fits.includes(task.task_id)).map((task) => [task.task_id, task.title]);
    by("task-chips").replaceChildren(...[...titles, ["", this.word("noTask")]].map(([id, title]) => {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.textContent = title;
      chip.addEventListener("click", () => this.choose(id));
      return chip;
    }));
  }

  choose(id) {
    const among = this.told ? this.fits().join(" ") : "";
    const { held } = this;
    this.byHand = by("product").value.trim() ? among : true;
    this.wanted = id;
    if (among) {
      const kept = this.decided();
      kept.chosen[among] = id;
      localStorage.setItem(KEY, JSON.stringify(kept));
    }
    this.suggest();
    this.keep();
    if (held) by("form").requestSubmit();
  }

  // True while nobody has said which of several: the form waits, and goes on by itself once told.
  asks() {
    if (this.asking) {
      this.held = true;
      by("task-ask").focus(); // not a button: another Enter must not answer
    }
    return this.asking;
  }
}
