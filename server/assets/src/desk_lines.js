// Lines of the desk that come and go under the hands of whoever works there: the focus, the mark of
// selection and an opened group stay with the line.
export const focusLine = (row) => {
  const link = row?.querySelector(".title a");
  if (!link) return false;
  link.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  return true;
};

const neighbour = (row) => {
  const rows = [...document.querySelectorAll(".alerts .alert")];
  const at = rows.indexOf(row);
  return rows[at + 1] ?? rows[at - 1];
};

const membersOf = (row) => (row.nextElementSibling?.classList.contains("members") ? row.nextElementSibling : null);

export const isOpen = (row) => membersOf(row) !== null;

// What the old line had is given to the new one.
export const carry = (old, row) => {
  const picked = old.querySelector(".pick input")?.checked;
  const box = row.querySelector(".pick input");
  if (picked && box) box.checked = true;
};

export const putInPlace = (old, row) => {
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const onBox = held?.matches(".pick input");
  carry(old, row);
  const members = membersOf(old);
  old.replaceWith(row);
  if (members && !row.querySelector("[data-members]")) members.remove();
  else if (members) openMembers(row, members);
  if (held) (onBox ? row.querySelector(".pick input") : row.querySelector(".title a"))?.focus({ preventScroll: true });
};

export const takeAway = (row) => {
  const held = row.contains?.(document.activeElement);
  const next = held ? neighbour(row) : null;
  membersOf(row)?.remove();
  row.remove();
  if (held) focusLine(next);
};

// The other alerts of a group, under its line; `before` is what showed them until now.
export const openMembers = async (row, before = null) => {
  const fold = row.querySelector("[data-members]");
  if (!fold) return;
  fold.setAttribute("aria-expanded", "true");
  const answer = await fetch(fold.dataset.members, { headers: { "hx-request": "true" } });
  if (!answer.ok) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const members = holder.content.firstElementChild;
  if (!members || !row.isConnected) return;
  const picked = new Set([...(before?.querySelectorAll(".pick input:checked") ?? [])].map((one) => one.value));
  for (const box of members.querySelectorAll(".pick input")) box.checked = picked.has(box.value);
  const held = before?.contains(document.activeElement) ? document.activeElement.closest(".alert")?.id : "";
  if (before?.isConnected) before.replaceWith(members);
  else row.after(members);
  window.htmx.process(members);
  members.dispatchEvent(new CustomEvent("lines", { bubbles: true }));
  if (held) focusLine(document.getElementById(held));
};

export const toggleMembers = (row) => {
  const members = membersOf(row);
  if (members) {
    members.remove();
    row.querySelector("[data-members]")?.setAttribute("aria-expanded", "false");
  } else openMembers(row);
};
