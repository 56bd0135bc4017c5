// Small comforts of staff and merchant pages. Everything works without this file.
//   data-copy="#id"     a button that copies the text (or value) of another element
//   data-dismiss        a button that removes the nearest .toast
//   data-confirm="…"    a form that asks before it is sent
//   data-submit-once    a form whose buttons are switched off while it is being sent
//   data-gives-file     a form that is answered by a file: once sent, the browser stays here, so what
//                       this selector finds is shown then, and what data-until-then finds is hidden
//   data-look-again="3" while this is on the page, what the server says is looked at again every so
//                       many seconds; never under the hands of somebody who types
//   .rail nav           the current door is rolled into view where a phone has no room for all
//   time[datetime]      gets its full time and zone as a tooltip
"use strict";

const said = document.createElement("p");
said.className = "visually-hidden";
said.setAttribute("role", "status");
document.body.append(said);

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
  if (form.dataset.givesFile) {
    document.querySelector(form.dataset.givesFile).hidden = false;
    document.querySelector(form.dataset.untilThen).hidden = true;
    setTimeout(() => form.querySelectorAll("button").forEach((button) => button.removeAttribute("aria-busy")));
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

const doors = document.querySelector(".rail nav");
const here = doors?.querySelector("[aria-current]");
if (here) doors.scrollLeft = here.offsetLeft - (doors.clientWidth - here.offsetWidth) / 2;

function isTyping() {
  const fields = document.querySelectorAll("#content :is(input:not([type=hidden]), textarea)");
  return [...fields].some((field) => field === document.activeElement || field.value !== field.defaultValue);
}

async function lookAgain() {
  if (!isTyping()) {
    const answer = await fetch(location.href).catch(() => null);
    if (answer?.redirected) {
      location.reload();
      return;
    }
    if (answer?.ok && !isTyping()) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.getElementById("content").replaceWith(page.getElementById("content"));
      dress();
    }
  }
  waitToLookAgain();
}

function waitToLookAgain() {
  const seconds = document.querySelector("[data-look-again]")?.dataset.lookAgain;
  if (seconds) setTimeout(lookAgain, seconds * 1000);
}

const full = new Intl.DateTimeFormat(document.documentElement.lang || undefined, {
  dateStyle: "long",
  timeStyle: "long",
});

// What the server wrote, with what only a browser can add.
function dress() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = !navigator.clipboard;
  }
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) time.title ||= full.format(at);
  }
}

dress();
waitToLookAgain();
