// Choosing a file: it may be dropped, and a small picture of it is shown before it is sent.
// Everything works without this file.
//   form[data-drop]          takes a file that is dropped on it
//   [data-drop-hint]         says so
//   [data-drop-preview]      a figure with a canvas and a caption
"use strict";

const SIDE = 240;

const draw = async (file, figure) => {
  const canvas = figure.querySelector("canvas");
  figure.querySelector("figcaption").textContent =
    `${file.name} · ${Math.max(1, Math.round(file.size / 1000))} kB`;
  figure.hidden = false;
  canvas.hidden = true;
  if (!file.type.startsWith("image/")) return;
  try {
    // Drawn from the bytes: no address is made that the page's policy would have to allow.
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.hidden = false;
    picture.close();
  } catch {
    // No picture after all: the server says what is wrong with it.
  }
};

for (const form of document.querySelectorAll("form[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  const zone = form.querySelector(".drop");
  const figure = form.querySelector("[data-drop-preview]");
  form.querySelector("[data-drop-hint]").hidden = false;

  const show = () => {
    if (input.files.length) draw(input.files[0], figure);
    else figure.hidden = true;
  };
  input.addEventListener("change", show);
  // Somebody may have been quicker than this file, or come back to the page.
  show();
  for (const name of ["dragenter", "dragover"]) {
    zone.addEventListener(name, (event) => {
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) {
    zone.addEventListener(name, () => zone.classList.remove("over"));
  }
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    const one = new DataTransfer();
    one.items.add(event.dataTransfer.files[0]);
    input.files = one.files;
    input.dispatchEvent(new Event("change"));
  });
}
