// A menu that is opened from a box: one choice closes it, several are ticked. Used in messages and in forms.

import { dots, h, icon } from "./dom.js";

const MARGIN = 8;

let menus = 0;

/**
 * `options`: [{value, label, description?, icon?}]; `least` and `most` that can be chosen; `chosen`: values to begin with.
 * One that is `busy` stays closed. `changed(values)` is told of every tick, `done(values)` of a list that was closed with another choice than before.
 */
export class SelectMenu {
  constructor({ options, placeholder, label, least, most, chosen, disabled, busy, key, changed, done }) {
    Object.assign(this, { options, placeholder, least, busy, changed, done });
    this.most = Math.min(most, options.length);
    this.values = options.filter((option) => chosen.includes(option.value)).map((option) => option.value);
    this.before = this.values;
    this.active = -1;
    menus += 1;
    this.id = `select-${menus}`;
    this.face = h("span", { class: "select-face" });
    this.box = h(
      "button",
      { type: "button", class: "select-box", role: "combobox", "aria-haspopup": "listbox", "aria-expanded": "false", "aria-controls": this.id, "aria-label": label, "aria-busy": busy ? "true" : null, disabled, data: { key } },
      this.face,
      busy ? dots() : icon("down"),
    );
    this.list = h("div", { class: "select-list", role: "listbox", id: this.id, popover: "manual", "aria-label": label, "aria-multiselectable": this.most > 1 ? "true" : null });
    this.element = h("div", { class: "select" }, this.box, this.list);
    this.box.addEventListener("click", () => (this.isOpen ? this.close() : this.#open()));
    this.box.addEventListener("keydown", (event) => this.#key(event));
    this.box.addEventListener("blur", () => this.close());
    // The box keeps the focus while the list is used with a pointer.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#drawFace();
  }

  get isOpen() {
    return this.box.getAttribute("aria-expanded") === "true";
  }

  focus() {
    this.box.focus();
  }

  close() {
    if (!this.isOpen) return;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
    this.away?.abort();
    if (this.list.isConnected) this.list.hidePopover();
    const differs = this.values.length !== this.before.length || this.values.some((value) => !this.before.includes(value));
    if (differs) this.done?.(this.values);
  }

  /** Go back to what was chosen before the list was opened. */
  undo() {
    this.values = this.before;
    this.#drawFace();
  }

  #open() {
    if (this.busy) return;
    this.before = this.values;
    const options = this.options.map((option, index) => this.#draw(option, index));
    this.list.replaceChildren(...(options.length ? options : [h("p", { class: "listbox-empty" }, "There is nothing to choose from here.")]));
    this.box.setAttribute("aria-expanded", "true");
    this.list.showPopover();
    this.#place();
    this.#activate(Math.max(0, this.options.findIndex((option) => this.values.includes(option.value))));
    this.away = new AbortController();
    const { signal } = this.away;
    const outside = (event) => !this.element.contains(event.target);
    document.addEventListener("pointerdown", (event) => outside(event) && this.close(), { signal });
    document.addEventListener("scroll", (event) => outside(event) && this.#follow(), { signal, capture: true });
    window.addEventListener("resize", () => this.close(), { signal });
  }

  /** What is behind was scrolled, by a finger or by a new message: the list stays with its box while that is in view. */
  #follow() {
    const { top, bottom } = this.box.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) this.close();
    else this.#place();
  }

  /** Below the box where there is room, else above. */
  #place() {
    const box = this.box.getBoundingClientRect();
    const below = innerHeight - box.bottom - 2 * MARGIN;
    const above = box.top - 2 * MARGIN;
    const height = Math.min(this.list.scrollHeight + 2, 320, Math.max(below, above));
    const top = below >= height || below >= above ? box.bottom + 4 : box.top - height - 4;
    const set = (name, value) => this.list.style.setProperty(name, `${Math.round(value)}px`);
    set("left", box.left);
    set("top", top);
    set("width", box.width);
    set("max-height", height);
  }

  #draw(option, index) {
    return h(
      "div",
      { role: "option", id: `${this.id}-${index}`, onclick: () => this.#take(index), onpointermove: () => this.active !== index && this.#activate(index, { scroll: false }), "aria-selected": String(this.values.includes(option.value)) },
      option.icon?.(),
      h("span", { class: "select-words" }, h("span", {}, option.label), option.description && h("span", { class: "select-detail" }, option.description)),
      h("span", { class: this.most > 1 ? "tick several" : "tick" }, icon("tick")),
    );
  }

  #drawFace() {
    const chosen = this.options.filter((option) => this.values.includes(option.value));
    this.face.classList.toggle("empty", !chosen.length);
    const words = chosen.map((option) => h("span", { class: this.most > 1 ? "select-chip" : "select-one" }, option.icon?.(), option.label));
    this.face.replaceChildren(...(chosen.length ? words : [this.placeholder]));
  }

  #activate(index, { scroll = true } = {}) {
    if (!this.options.length) return;
    this.active = index;
    [...this.list.children].forEach((option, at) => option.classList.toggle("active", at === index));
    this.box.setAttribute("aria-activedescendant", `${this.id}-${index}`);
    if (scroll) this.list.children[index]?.scrollIntoView({ block: "nearest" });
  }

  #take(index) {
    const { value } = this.options[index];
    const had = this.values.includes(value);
    if (this.most === 1) this.values = had && this.least === 0 ? [] : [value];
    else if (had) this.values = this.values.filter((one) => one !== value);
    else if (this.values.length < this.most) this.values = [...this.values, value];
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(this.values.includes(this.options[at].value))));
    this.list.classList.toggle("full", this.most > 1 && this.values.length === this.most);
    this.#drawFace();
    this.changed?.(this.values);
    if (this.most === 1) this.close();
  }

  #key(event) {
    const { key } = event;
    const count = this.options.length;
    if (!this.isOpen) {
      if (key !== "ArrowDown" && key !== "ArrowUp") return;
      this.#open();
    } else if (key === "ArrowDown") this.#activate((this.active + 1) % count);
    else if (key === "ArrowUp") this.#activate((this.active - 1 + count) % count);
    else if (key === "Home") this.#activate(0);
    else if (key === "End") this.#activate(count - 1);
    else if (key === "Escape") this.close();
    else if (key === "Enter" || key === " ") this.active >= 0 && this.#take(this.active);
    else if (key.length === 1) this.#find(key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The next option that begins with a letter. */
  #find(letter) {
    const order = [...this.options.keys()].map((step) => (this.active + 1 + step) % this.options.length);
    const found = order.find((index) => this.options[index].label.toLowerCase().startsWith(letter.toLowerCase()));
    if (found !== undefined) this.#activate(found);
  }
}
