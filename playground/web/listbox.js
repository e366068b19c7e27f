// One list of suggestions for everything that is picked: commands, choices, people, channels.

import { h } from "./dom.js";

let lists = 0;

/**
 * A popup list that belongs to a text field. The field keeps the focus; arrow keys move, Enter and Tab pick.
 * `items()` gives what fits the field's text now: [{value, label, detail?, icon?}]; `pick(item)` takes the choice.
 */
export class Listbox {
  constructor({ field, host, label, items, pick, empty }) {
    Object.assign(this, { field, items, pick, empty });
    lists += 1;
    this.id = `list-${lists}`;
    this.shown = [];
    this.active = -1;
    this.list = h("ul", { class: "listbox", role: "listbox", id: this.id, "aria-label": label, hidden: true });
    host.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.id })) {
      field.setAttribute(name, value);
    }
    // The field must keep the focus while the list is used with a pointer.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Show what fits now, and close when nothing does. */
  update({ activate = true } = {}) {
    this.shown = this.items();
    if (!this.shown.length && !this.empty?.()) return this.close();
    this.list.replaceChildren(...this.shown.map((item, index) => this.#draw(item, index)));
    if (!this.shown.length) this.list.append(h("li", { class: "listbox-empty" }, this.empty()));
    this.list.hidden = false;
    this.field.setAttribute("aria-expanded", "true");
    this.#activate(activate && this.shown.length ? 0 : -1);
  }

  close() {
    this.list.hidden = true;
    this.active = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  remove() {
    this.list.remove();
  }

  /** Use a key; true when it was for the list. */
  key(event) {
    if (!this.isOpen || event.isComposing) return false;
    const { key } = event;
    const count = this.shown.length;
    if (key === "ArrowDown") this.#activate(count ? (this.active + 1) % count : -1);
    else if (key === "ArrowUp") this.#activate(this.active > 0 ? this.active - 1 : count - 1);
    else if (key === "Escape") this.close();
    else if ((key === "Enter" || (key === "Tab" && !event.shiftKey)) && this.active >= 0) this.#take(this.active);
    else return false;
    event.preventDefault();
    return true;
  }

  #draw(item, index) {
    return h(
      "li",
      { role: "option", id: `${this.id}-${index}`, "aria-selected": "false", onclick: () => this.#take(index), onpointermove: () => this.active !== index && this.#activate(index, { scroll: false }) },
      item.icon,
      h("span", { class: "listbox-label" }, item.label),
      item.detail && h("span", { class: "listbox-detail" }, item.detail),
    );
  }

  #activate(index, { scroll = true } = {}) {
    this.active = index;
    [...this.list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === index)));
    const option = this.list.children[index];
    if (!option) return this.field.removeAttribute("aria-activedescendant");
    this.field.setAttribute("aria-activedescendant", option.id);
    if (scroll) option.scrollIntoView({ block: "nearest" });
  }

  #take(index) {
    const item = this.shown[index];
    this.close();
    this.pick(item);
  }
}
