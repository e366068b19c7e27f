// Building the page without strings of HTML: nothing that somebody wrote can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element: h("button", { class: "x", onclick: f, "aria-label": "..." }, child, "text", null). */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") setStyle(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function setStyle(element, style) {
  for (const [name, value] of Object.entries(style)) element.style.setProperty(name, value);
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const ICONS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-7-6 15-3-6z",
  trash: "M5 7h14M9 7V5h6v2M7 7l1 12h8l1-12M10 11v5M14 11v5",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  file: "M7 3h7l4 4v14H7zM14 3v5h4",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M9 9.5a.5.5 0 1 1-1 0 .5.5 0 0 1 1 0",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  app: "M5 5h6v6H5zM13 13h6v6h-6zM13 5h6v6h-6zM5 13h6v6H5z",
  down: "M6 9.5l6 6 6-6",
  tick: "M5 12.5l5 5L19 7.5",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  reply: "M9 6l-5 5 5 5M4 11h9c4 0 7 2 7 7",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

/** A line icon in the color of the text around it. */
export function icon(name) {
  const path = svg("path", { d: ICONS[name] });
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, path);
}

/** Three dots that come and go: something is awaited. */
export function dots() {
  return h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

const COLORS = ["#5b6ef0", "#c2508a", "#1f8f76", "#b8631d", "#8a56d6", "#2b7fb8"];

/** Everybody's picture: the bot has a face in a frame, people have their initial. */
export function avatar(user, { small = false } = {}) {
  const frame = { class: small ? "avatar small" : "avatar", viewBox: "0 0 40 40", "aria-hidden": "true" };
  const color = COLORS[Number(BigInt(user.id) % BigInt(COLORS.length))];
  if (user.bot) return svg("svg", frame, svg("rect", { width: 40, height: 40, fill: "#39406e" }), botFace());
  if (user.system) return svg("svg", frame, svg("rect", { width: 40, height: 40, fill: "#2f7d5b" }), signpost());
  const name = user.global_name ?? user.name ?? user.username;
  const initial = svg("text", { x: 20, y: 27, "text-anchor": "middle", class: "initial" });
  initial.textContent = name.slice(0, 1).toUpperCase();
  const shine = svg("circle", { cx: 31, cy: 7, r: 15, fill: "#fff", opacity: 0.14 });
  return svg("svg", frame, svg("rect", { width: 40, height: 40, fill: color }), shine, initial);
}

function botFace() {
  const line = { fill: "none", stroke: "#fff", "stroke-width": 2.4, "stroke-linecap": "round" };
  return svg(
    "g",
    {},
    svg("path", { ...line, opacity: 0.75, d: "M9 15v-4a2 2 0 0 1 2-2h4M25 9h4a2 2 0 0 1 2 2v4M31 25v4a2 2 0 0 1-2 2h-4M15 31h-4a2 2 0 0 1-2-2v-4" }),
    svg("circle", { cx: 15.5, cy: 18, r: 2, fill: "#fff" }),
    svg("circle", { cx: 24.5, cy: 18, r: 2, fill: "#fff" }),
    svg("path", { ...line, d: "M15 23.5c1.3 1.8 3 2.7 5 2.7s3.7-.9 5-2.7" }),
  );
}

function signpost() {
  const line = { fill: "none", stroke: "#fff", "stroke-width": 2.4, "stroke-linecap": "round", "stroke-linejoin": "round" };
  return svg("g", {}, svg("path", { ...line, d: "M20 9v23M11 12h15l4 4-4 4H11z" }));
}

/** How a user is called. */
export function nameOf(user) {
  return user.bot ? displayNames.get(user.id) ?? user.username : user.global_name ?? user.username;
}

// A bot's user object carries only its user name; what it is called stands in its application.
const displayNames = new Map();

export function setDisplayName(id, name) {
  displayNames.set(id, name);
}

/** How a role is called: @everyone has the sign in its name already. */
export const roleName = (role) => (role.name.startsWith("@") ? role.name : `@${role.name}`);

/** A role's color as a dot; without one it has the color of the text. */
export function roleDot(role) {
  return h("span", { class: "role-dot", "aria-hidden": "true", style: role.color ? { "--role": `#${role.color.toString(16).padStart(6, "0")}` } : {} });
}

/** Whether id a is older than id b; ids are larger than what a number holds. */
export function olderThan(a, b) {
  return a.length === b.length ? a < b : a.length < b.length;
}

export function formatSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`;
}
