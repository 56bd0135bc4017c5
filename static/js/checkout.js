// Comfort for a checkout that works without this file: counting down, moving on when the payment does,
// continuing to the gateway at once, and no double clicks.
"use strict";

const sheet = document.querySelector("[data-watch]");
const live = document.querySelector(".live");
const waitingWords = live?.textContent;

// --- time left: [data-left] seconds, counted by this clock's differences, never by its hour ------------

const started = Date.now();
const spoken = document.createElement("p");
spoken.className = "unseen";
spoken.setAttribute("role", "status");
document.body.append(spoken);

function clock(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours ? `${hours}:${rest}` : rest;
}

function count() {
  const passed = Math.floor((Date.now() - started) / 1000);
  for (const time of document.querySelectorAll("[data-left]")) {
    const left = Number(time.dataset.left) - passed;
    if (left > 86400) continue;
    if (left <= -1) return moveOn(`time ${time.dateTime}`);
    time.textContent = time.dataset.words.replace("{time}", clock(Math.max(0, left)));
    if (left === 300 && time.dataset.five) spoken.textContent = time.dataset.five;
    if (left === 60 && time.dataset.one) spoken.textContent = time.dataset.one;
  }
  setTimeout(count, 1000 - ((Date.now() - started) % 1000));
}
count();

// --- moving on: ask with growing pauses while the page is looked at ------------------------------------

function moveOn(news) {
  // The same news twice means that the page cannot show it; do not go round in circles.
  if (sessionStorage.getItem("moved") === location.pathname + news) return;
  sessionStorage.setItem("moved", location.pathname + news);
  location.replace(location.pathname);
}

let asked = 0;
let timer = 0;

function pause() {
  // Somebody who has just come back may be here before the gateway's word.
  if (!sheet.dataset.hurry) return asked < 5 ? 2000 : 10_000;
  return asked < 40 ? 1500 : asked < 100 ? 3000 : 8000;
}

async function ask() {
  clearTimeout(timer);
  timer = 0;
  if (document.hidden) return;
  asked += 1;
  try {
    const answer = await fetch(sheet.dataset.watch, { cache: "no-store", credentials: "omit" });
    if (answer.ok) take(await answer.json());
    say(answer.ok);
  } catch {
    say(false);
  }
  timer = setTimeout(ask, pause());
}

function take(now) {
  const seen = sheet.dataset.seen;
  const parts = [now.status];
  if (now.status === "pending") parts.push(now.is_expired ? "expired" : "running");
  if (now.attempt) parts.push(now.attempt, now.attempt_state);
  const news = parts.join(" ");
  // Somebody who is choosing is only disturbed by an end, not by a try made elsewhere.
  const isChoosing = !sheet.dataset.hurry && parts[0] === "pending" && parts[1] !== "expired";
  if (news !== seen && !isChoosing) moveOn(news);
}

function say(isHeard) {
  if (!live || live.classList.contains("lost") === !isHeard) return;
  live.classList.toggle("lost", !isHeard);
  live.textContent = isHeard ? waitingWords : live.dataset.lost;
}

if (sheet) {
  timer = setTimeout(ask, pause());
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// --- forms: once, and on to the gateway without another press -----------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "1";
  event.submitter?.setAttribute("aria-busy", "true");
  // Only a choice that was made on this page, just now, continues by itself; a return does not.
  if (form.elements.method) sessionStorage.setItem("go", location.pathname);
});

const door = document.querySelector("[data-go]");
if (sessionStorage.getItem("go") === location.pathname) {
  sessionStorage.removeItem("go");
  if (door && !new URLSearchParams(location.search).has("back")) {
    if (door instanceof HTMLFormElement) door.requestSubmit();
    else door.click();
  }
}
