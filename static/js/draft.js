// A form that saves itself while somebody writes. Everything works without this file.
//   form[data-draft]              is sent in the background, a second after the last change
//   [data-draft-state]            says what became of it
//   [data-only-if="id=value"]     is shown while that other field has that value
"use strict";

const WAIT_MS = 1000;

for (const form of document.querySelectorAll("form[data-draft]")) {
  const state = form.querySelector("[data-draft-state]");
  let timer = 0;
  let isSending = false;
  let isStale = false;

  const send = async () => {
    if (isSending) {
      timer = setTimeout(send, WAIT_MS);
      return;
    }
    isSending = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { Accept: "application/json" },
      });
      const said = await answer.json();
      if (answer.ok) {
        form.elements.version.value = said.version;
        tell(said.errors);
      } else {
        // Somebody else saved meanwhile, or it is not open any more: nothing more is sent.
        isStale = true;
      }
      state.textContent = said.told;
    } catch {
      // No connection: what was typed is still here, and the next change or button sends it.
      state.textContent = state.dataset.offline;
    } finally {
      isSending = false;
    }
  };

  const tell = (errors) => {
    for (const place of form.querySelectorAll("p.error[id]")) {
      const name = place.id.replace(/_error$/, "");
      const field = form.elements[name];
      // What nobody has written in yet is not wrong yet.
      const isTold = field && (field.value || place.textContent);
      place.textContent = isTold ? (errors[name] ?? "") : "";
      field?.toggleAttribute?.("aria-invalid", Boolean(place.textContent));
    }
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    if (!isStale) timer = setTimeout(send, WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!isSending) return;
    // The answer on its way brings the version that this form must name.
    event.preventDefault();
    const button = event.submitter;
    setTimeout(() => form.requestSubmit(button), WAIT_MS / 4);
  });

  const show = () => {
    for (const part of form.querySelectorAll("[data-only-if]")) {
      const [id, wanted] = part.dataset.onlyIf.split("=");
      part.hidden = form.elements[id]?.value !== wanted;
    }
  };
  form.addEventListener("change", show);
  show();
}
