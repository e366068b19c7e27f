// The menu of a message: the bot's commands for it and for who wrote it.

import { h, icon } from "./dom.js";

const MARGIN = 8;

/** One menu for the whole page. `sections`: [{title, items: [{label, icon?, run()}]}]. */
export class Menu {
  constructor() {
    this.element = h("div", { class: "menu", role: "menu", popover: "manual" });
    document.body.append(this.element);
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusout", (event) => this.element.contains(event.relatedTarget) || this.close());
  }

  /** Open at a point of the window; `back` has the focus again once the menu is closed with a key. */
  open({ label, sections, x, y, back }) {
    this.close();
    this.back = back;
    const shown = sections.filter((section) => section.items.length);
    const content = shown.length ? shown.map((section) => this.#section(section)) : h("p", { class: "menu-empty" }, "The bot has no commands for this.");
    this.element.setAttribute("aria-label", label);
    this.element.replaceChildren(...[content].flat());
    this.element.tabIndex = -1;
    this.element.showPopover();
    this.#place(x, y);
    (this.#items()[0] ?? this.element).focus({ preventScroll: true });
    this.away = new AbortController();
    const { signal } = this.away;
    document.addEventListener("pointerdown", (event) => this.element.contains(event.target) || this.close(), { signal });
    document.addEventListener("scroll", (event) => this.element.contains(event.target) || this.close(), { signal, capture: true });
    window.addEventListener("resize", () => this.close(), { signal });
  }

  close({ refocus = false } = {}) {
    if (!this.element.matches(":popover-open")) return;
    this.away?.abort();
    if (refocus) this.back?.focus();
    this.element.hidePopover();
  }

  #section({ title, items }) {
    const entries = items.map((item) => this.#item(item));
    return h("div", { class: "menu-section", role: "group", "aria-label": title }, h("p", { class: "menu-title", "aria-hidden": "true" }, title), entries);
  }

  #item({ label, icon: face, run }) {
    const pick = () => {
      this.close({ refocus: true });
      run();
    };
    return h("button", { type: "button", role: "menuitem", tabindex: "-1", onclick: pick, onpointermove: (event) => event.currentTarget.focus({ preventScroll: true }) }, face ?? icon("app"), label);
  }

  #items() {
    return [...this.element.querySelectorAll("[role=menuitem]")];
  }

  #place(x, y) {
    const { width, height } = this.element.getBoundingClientRect();
    const set = (name, value) => this.element.style.setProperty(name, `${Math.round(value)}px`);
    set("left", Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN)));
    set("top", Math.max(MARGIN, Math.min(y, innerHeight - height - MARGIN)));
  }

  #key(event) {
    const items = this.#items();
    const at = items.indexOf(document.activeElement);
    const { key } = event;
    const go = (index) => items[(index + items.length) % items.length]?.focus();
    if (key === "ArrowDown") go(at + 1);
    else if (key === "ArrowUp") go(at < 0 ? -1 : at - 1);
    else if (key === "Home") go(0);
    else if (key === "End") go(-1);
    else if (key === "Escape" || key === "Tab") this.close({ refocus: true });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
