// Hashes the chosen file in this browser and compares it with the published fingerprint.
"use strict";
{
  const check = document.getElementById("check");
  const input = document.getElementById("file");
  const show = (wanted) => {
    for (const id of ["same", "other", "unable"]) document.getElementById(id).hidden = id !== wanted;
  };
  let turn = 0;
  input.addEventListener("change", async () => {
    const mine = ++turn;
    show("");
    const file = input.files[0];
    if (!file) return;
    try {
      const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
      if (mine !== turn) return;
      const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
      document.getElementById("found").textContent = hex;
      show(hex === check.dataset.sha256 ? "same" : "other");
    } catch {
      // Without https there is no crypto.subtle; a file may also be gone by now.
      if (mine === turn) show("unable");
    }
  });
}
