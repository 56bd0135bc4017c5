// The form of a periodic task says in words what the chosen crontab means.
"use strict";

const words = JSON.parse(document.querySelector("#readable-crontabs").textContent);
const choice = document.querySelector("#id_crontab");
const help = document.querySelector(".field-crontab .help");
const spare = document.querySelector(".field-crontab_translation");

if (spare) spare.hidden = true;
if (choice && help) {
  const told = document.createElement("div");
  help.append(told);
  const tell = () => {
    told.textContent = words[choice.value] || "";
  };
  choice.addEventListener("change", tell);
  tell();
}
