// Pictures and files: mosaics, thumbnails, cards, and the large view.

import { formatSize, h, icon } from "./dom.js";

// An address is signed anew each time it is told; keeping the first good one keeps the picture from loading again.
const addresses = new Map();

export function addressOf(file) {
  const key = new URL(file.url, location.href).pathname;
  const known = addresses.get(key);
  if (known && expiry(known) > Date.now() / 1000 + 60) return known;
  addresses.set(key, file.url);
  return file.url;
}

function expiry(url) {
  return Number.parseInt(new URL(url, location.href).searchParams.get("ex") ?? "0", 16);
}

/** Whether it is one of the playground's own files; others are shown as a link, because the page loads nothing else. */
export function isOurs(url) {
  const { pathname } = new URL(url, location.href);
  return /^\/(ephemeral-)?attachments\//.test(pathname);
}

// The address may name the machine differently from the page (127.0.0.1 or localhost); the path is enough.
function local(url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}

const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export const isPicture = (file) => PICTURES.has(file.content_type) && Boolean(file.width);

/** Pictures side by side, as many as ten: one large, two halves, then rows of three. */
export function mosaic(pictures) {
  const shown = pictures.map((picture) => ({ ...picture, src: local(addressOf(picture)) }));
  const grid = h("div", { class: `mosaic mosaic-${shown.length}`, data: { count: shown.length } });
  shown.forEach((picture, index) => grid.append(tile(picture, shown, index)));
  return grid;
}

function tile(picture, all, index) {
  const label = picture.description || `Picture ${index + 1} of ${all.length}`;
  const image = h("img", { src: picture.src, alt: picture.description || "", loading: "lazy", width: picture.width, height: picture.height });
  const open = () => openLightbox(all, index);
  const button = h("button", { type: "button", class: "tile", "aria-label": `${label}. Enlarge`, onclick: open, data: { key: `tile-${picture.attachment_id ?? picture.id}` } }, image);
  if (all.length === 1) fit(button, picture);
  return picture.spoiler ? veiled(button) : button;
}

/** A single picture keeps its own proportions. */
function fit(element, picture) {
  const scale = Math.min(1, 550 / picture.width, 420 / picture.height);
  element.style.setProperty("width", `${Math.round(picture.width * scale)}px`);
  element.style.setProperty("aspect-ratio", `${picture.width} / ${picture.height}`);
}

/** Hidden until pressed. */
export function veiled(content) {
  const cover = h("div", { class: "veil" }, content);
  const reveal = h("button", { type: "button", class: "veil-button", onclick: () => lift() }, "Spoiler");
  content.inert = true;
  const lift = () => {
    content.inert = false;
    reveal.remove();
    cover.classList.add("lifted");
  };
  cover.append(reveal);
  return cover;
}

export function thumbnail(file) {
  if (!isOurs(file.url)) return externalLink(file.url);
  const picture = { ...file, src: local(addressOf(file)) };
  const label = picture.description || "Thumbnail";
  const image = h("img", { src: picture.src, alt: picture.description || "", width: picture.width, height: picture.height });
  const open = () => openLightbox([picture], 0);
  const button = h("button", { type: "button", class: "thumbnail", "aria-label": `${label}. Enlarge`, onclick: open, data: { key: `thumb-${file.attachment_id ?? new URL(file.url, location.href).pathname}` } }, image);
  return file.spoiler ? veiled(button) : button;
}

export function externalLink(url) {
  return h("a", { class: "file-card", href: url, target: "_blank", rel: "noreferrer noopener" }, icon("external"), h("span", { class: "file-name" }, url));
}

export function fileCard(file) {
  const name = file.title ?? file.filename ?? file.name;
  return h(
    "a",
    { class: "file-card", href: local(addressOf(file)), download: name },
    icon("file"),
    h("span", { class: "file-name" }, name),
    h("span", { class: "file-size" }, formatSize(file.size ?? 0)),
    icon("download"),
  );
}

/** The files of a message: pictures together, the rest as cards. */
export function attachments(files) {
  const pictures = files.filter(isPicture).map((file) => ({ ...file, spoiler: Boolean(file.flags & 8) }));
  const others = files.filter((file) => !isPicture(file));
  return [pictures.length ? mosaic(pictures) : null, ...others.map(fileCard)];
}

// ------------------------------------------------------------------------------------------------------ the large view

const dialog = document.getElementById("lightbox");
let shown = { pictures: [], index: 0 };

export function openLightbox(pictures, index) {
  shown = { pictures, index };
  draw();
  dialog.showModal();
}

function draw() {
  const { pictures, index } = shown;
  const picture = pictures[index];
  const several = pictures.length > 1;
  const caption = picture.description || picture.filename || "";
  dialog.replaceChildren(
    h(
      "figure",
      {},
      h("img", { src: picture.src, alt: picture.description || `Picture ${index + 1} of ${pictures.length}` }),
      h(
        "figcaption",
        {},
        h("span", {}, several ? `${index + 1} of ${pictures.length}` : "", several && caption ? " · " : "", caption),
        h("a", { href: picture.src, target: "_blank", rel: "noreferrer noopener" }, "Open original"),
      ),
    ),
    several && h("button", { type: "button", class: "step step-left", "aria-label": "Previous picture", onclick: () => step(-1) }, icon("left")),
    several && h("button", { type: "button", class: "step step-right", "aria-label": "Next picture", onclick: () => step(1) }, icon("right")),
    h("button", { type: "button", class: "lightbox-close", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
  );
}

function step(by) {
  const { pictures, index } = shown;
  shown.index = (index + by + pictures.length) % pictures.length;
  draw();
  dialog.querySelector(by < 0 ? ".step-left" : ".step-right")?.focus();
}

dialog.addEventListener("keydown", (event) => {
  if (shown.pictures.length < 2) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});

// A press beside the picture closes as well.
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.tagName === "FIGURE") dialog.close();
});
