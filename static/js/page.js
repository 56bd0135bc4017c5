// Small comforts of staff and merchant pages. Everything works without this file.
//   data-copy="#id"     a button that copies the text (or value) of another element
//   data-dismiss        a button that removes the nearest .toast
//   data-confirm="…"    a form that asks before it is sent
//   data-submit-once    a form whose buttons are switched off while it is being sent
//   time[datetime]      gets its full time and zone as a tooltip
"use strict";

const said = document.createElement("p");
said.className = "visually-hidden";
said.setAttribute("role", "status");
document.body.append(said);

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const source = document.querySelector(copy.dataset.copy);
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim());
    said.textContent = copy.dataset.done || "";
    return;
  }
  event.target.closest("[data-dismiss]")?.closest(".toast")?.remove();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) {
    event.preventDefault();
    return;
  }
  if ("submitOnce" in form.dataset) {
    // After this turn, so that the pressed button's own value is still sent.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) {
        button.disabled = true;
        button.setAttribute("aria-busy", "true");
      }
    });
  }
});

// The back button may bring a page back with its buttons still switched off.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("[aria-busy=true]")) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
});

const full = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
  dateStyle: "long",
  timeStyle: "long",
});
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.title ||= full.format(at);
}
