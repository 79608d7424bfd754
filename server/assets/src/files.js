// Says before anything is sent that a chosen file is too large or that there are too many, reveals
// what has to be hidden without script, and opens the step that an address points at.
export function watchFiles(root) {
  for (const field of root.querySelectorAll("input[type=file][data-most]")) {
    field.addEventListener("change", () => field.setCustomValidity(trouble(field)) || field.reportValidity());
  }
  for (const button of root.querySelectorAll("[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      for (const part of document.querySelectorAll("details:not(.step)")) part.open = true;
      window.print();
    });
  }
  for (const notice of root.querySelectorAll("[data-reveal]")) {
    document.body.addEventListener("changed", () => (notice.hidden = false));
  }
  // Of several steps only one is filled in at a time.
  for (const step of root.querySelectorAll("details.step")) {
    step.addEventListener("toggle", () => {
      if (!step.open) return;
      for (const other of root.querySelectorAll("details.step[open]")) if (other !== step) other.open = false;
    });
  }
}

function trouble(field) {
  const files = [...field.files];
  if (files.length > Number(field.dataset.many)) return field.dataset.sayMany;
  const large = files.find((file) => file.size > Number(field.dataset.most));
  return large ? field.dataset.saySize.replace("{name}", large.name) : "";
}
