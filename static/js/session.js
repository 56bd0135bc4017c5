// Asks, a minute before a session ends by itself, whether the person is still there (WCAG 2.2.1).
// Without this file the session ends all the same, and the sign-in page says why.
"use strict";

const WARN_SECONDS = 60;
const session = document.querySelector("meta[name=session]");

const box = document.createElement("dialog");
box.className = "dialog";
box.setAttribute("aria-labelledby", "session-title");
const title = document.createElement("h2");
title.id = "session-title";
title.textContent = session.dataset.title;
const text = document.createElement("p");
text.textContent = session.dataset.text;
const stay = document.createElement("button");
stay.type = "button";
stay.className = "button primary";
stay.textContent = session.dataset.stay;
box.append(title, text, stay);
document.body.append(box);

function csrf() {
  const given = document.querySelector("[name=csrfmiddlewaretoken]");
  return given ? given.value : "";
}

async function left(method) {
  const headers = method === "POST" ? { "X-CSRFToken": csrf() } : {};
  const answer = await fetch(session.dataset.address, { method, headers });
  return answer.ok ? (await answer.json()).seconds_left : 0;
}

function wait(seconds) {
  const until = seconds - WARN_SECONDS;
  setTimeout(ask, Math.max(until, 1) * 1000);
}

// Another page of this browser may have been used meanwhile, so the server is asked first.
async function ask() {
  const seconds = await left("GET").catch(() => 0);
  if (seconds > WARN_SECONDS + 1) {
    box.close();
    wait(seconds);
    return;
  }
  if (seconds <= 0) {
    // What was typed stays on the page to be copied; the next click leads to the sign-in.
    if (!box.open) box.showModal();
    return;
  }
  if (!box.open) box.showModal();
  setTimeout(ask, 10000);
}

stay.addEventListener("click", async () => {
  const seconds = await left("POST").catch(() => 0);
  if (seconds > 0) {
    box.close();
    wait(seconds);
  } else {
    location.assign(session.dataset.signin);
  }
});

wait(Number(session.content));
