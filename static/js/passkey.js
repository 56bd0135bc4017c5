// Passkeys. A button with data-passkey asks our server for a question (its value), hands it to the
// browser ("get" or "create" in data-deed), and sends the answer to data-send. Hidden without this.
"use strict";

const canUse = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;

async function post(address, said) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  return fetch(address, { method: "POST", headers, body: JSON.stringify(said) });
}

async function use(button) {
  const asked = await post(button.dataset.passkey, {});
  if (!asked.ok) return fail(button, "");
  const question = await asked.json();
  const isNew = button.dataset.deed === "create";
  const credential = isNew
    ? await navigator.credentials.create({
        publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(question),
      })
    : await navigator.credentials.get({
        publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(question),
      });
  const next = document.querySelector("input[name=next]");
  const answer = await post(button.dataset.send, {
    credential: credential.toJSON(),
    next: next ? next.value : "",
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) return fail(button, told.detail);
  location.assign(told.to);
}

function fail(button, told) {
  const place = document.querySelector("[data-passkey-told]");
  place.textContent = told || button.dataset.failed;
  place.hidden = false;
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.hidden = !canUse;
  button.addEventListener("click", () => {
    button.disabled = true;
    use(button)
      .catch(() => fail(button, ""))
      .finally(() => {
        button.disabled = false;
      });
  });
}
