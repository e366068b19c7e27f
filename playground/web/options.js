// The fields of a command's options: how each kind is filled in, and what Discord would say against a value.

import { sampleFace } from "./api.js";
import { avatar, formatSize, h, icon, roleDot, roleName } from "./dom.js";
import { Listbox } from "./listbox.js";

const STRING = 3;
const INTEGER = 4;
const BOOLEAN = 5;
const USER = 6;
const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
const NUMBER = 10;
const ATTACHMENT = 11;

// Whoever types on within this time is asked about once, for all of it.
const TYPING_PAUSE_MS = 200;

const YES_NO = [
  { value: true, label: "True" },
  { value: false, label: "False" },
];

const person = (member) => ({ value: member.id, label: member.name, icon: avatar(member, { small: true }) });

/** What can be picked for an option; null where anything can be typed. */
const PICKS = {
  [STRING]: (option) => option.choices?.map(choice) ?? null,
  [INTEGER]: (option) => option.choices?.map(choice) ?? null,
  [NUMBER]: (option) => option.choices?.map(choice) ?? null,
  [BOOLEAN]: () => YES_NO,
  [USER]: (_option, place) => place.people.map(person),
  [CHANNEL]: (option, place) => place.rooms.filter((room) => option.channel_types?.includes(room.type) ?? true).map((room) => ({ value: room.id, label: `#${room.name}` })),
  [ROLE]: (_option, place) => place.roles.map(role),
  [MENTIONABLE]: (_option, place) => [...place.people.map(person), ...place.roles.map(role)],
};

const choice = ({ name, name_localized, value }) => ({ value, label: name_localized ?? name });

const role = (one) => ({ value: one.id, label: roleName(one), icon: roleDot(one) });

/**
 * A field for an option. `form`: {place, host, removed(field), changed(), taken(), failed(problem), focused(field),
 * suggest(typed)}; the last gives a promise of the bot's choices, or of null.
 */
export function makeField(option, form) {
  if (option.type === ATTACHMENT) return new FileField(option, form);
  if (option.autocomplete) return new SuggestField(option, form);
  const picks = PICKS[option.type]?.(option, form.place);
  return picks ? new PickField(option, form, picks) : new TextField(option, form);
}

export const takesFile = (option) => option.type === ATTACHMENT;

class Field {
  constructor(option, form) {
    this.option = option;
    this.form = form;
  }

  /** Show or clear what is wrong. */
  mark(problem) {
    this.element.classList.toggle("wrong", Boolean(problem));
    this.control.setAttribute("aria-invalid", String(Boolean(problem)));
  }

  focus() {
    this.control.focus();
  }

  remove() {
    this.element.remove();
  }

  labelled(control) {
    const { name_localized: name, description_localized: description, required } = this.option;
    control.setAttribute("aria-label", `${name}${required ? ", required" : ""}: ${description}`);
    control.addEventListener("focus", () => this.form.focused(this));
    const drop = { type: "button", class: "pill-remove", "aria-label": `Remove ${name}`, tabindex: "-1", onclick: () => this.form.removed(this) };
    return [h("span", { class: "pill-name" }, name), control, !required && h("button", drop, icon("close"))];
  }
}

class TextField extends Field {
  constructor(option, form) {
    super(option, form);
    const number = option.type === INTEGER || option.type === NUMBER;
    this.control = h("input", { type: "text", class: "pill-input", inputmode: number ? "decimal" : null, autocomplete: "off", spellcheck: number ? "false" : "true" });
    this.control.addEventListener("input", () => this.grow());
    this.element = h("div", { class: "pill" }, this.labelled(this.control));
    this.grow();
  }

  get isEmpty() {
    return this.control.value === "";
  }

  get value() {
    const text = this.control.value;
    return this.option.type === STRING ? text : Number(text.replace(",", "."));
  }

  problem() {
    if (this.isEmpty) return this.option.required ? "Fill this in first." : null;
    return this.option.type === STRING ? this.#textProblem() : this.#numberProblem();
  }

  #textProblem() {
    const { min_length: least = 0, max_length: most = 6000 } = this.option;
    const length = [...this.value].length;
    if (length >= least && length <= most) return null;
    return `Takes ${least} to ${most} characters, this is ${length}.`;
  }

  #numberProblem() {
    const { type, min_value: least = -(2 ** 53), max_value: most = 2 ** 53 } = this.option;
    if (!Number.isFinite(this.value)) return "Takes a number.";
    if (type === INTEGER && !Number.isInteger(this.value)) return "Takes a whole number.";
    if (this.value >= least && this.value <= most) return null;
    return `Goes from ${least} to ${most}.`;
  }

  /** Make room for the text. */
  grow() {
    const length = [...this.control.value].length;
    this.control.style.setProperty("width", `${Math.min(Math.max(length + 2, this.option.type === STRING ? 14 : 5), 60)}ch`);
    this.form.changed();
  }
}

/** A text or number for which the bot suggests values; anything else may be typed as well. */
class SuggestField extends TextField {
  constructor(option, form) {
    super(option, form);
    this.chosen = null;
    this.suggested = [];
    this.answered = null;
    this.turn = 0;
    this.listbox = new Listbox({
      field: this.control,
      host: form.host,
      label: `Suggestions for ${option.name_localized}`,
      items: () => this.#fitting(),
      pick: (item) => this.#take(item),
      empty: () => (this.answered === this.control.value ? "Nothing suggested for that." : null),
    });
    this.control.addEventListener("focus", () => this.#ask());
    this.control.addEventListener("click", () => this.listbox.isOpen || this.#ask());
    this.control.addEventListener("input", () => this.#typed());
    this.control.addEventListener("keydown", (event) => this.#key(event));
    this.control.addEventListener("blur", () => {
      this.#stopAsking();
      this.listbox.close();
    });
  }

  get value() {
    return this.chosen ? this.chosen.value : super.value;
  }

  remove() {
    super.remove();
    this.#stopAsking();
    this.listbox.remove();
  }

  #typed() {
    this.chosen = null;
    if (this.listbox.isOpen) this.#show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), TYPING_PAUSE_MS);
  }

  /** Whoever moves in the list chooses from what is there; it must not change under them. */
  #key({ key }) {
    const moves = key === "ArrowDown" || key === "ArrowUp";
    if (key === "Escape" || (moves && this.listbox.isOpen)) this.#stopAsking();
    else if (moves) this.#ask();
  }

  /** Ask the bot. An answer counts until the next question; none shows nothing, and the text can be sent as it is. */
  async #ask() {
    this.#stopAsking();
    const { turn } = this;
    const typed = this.control.value;
    const choices = await this.form.suggest(typed).catch(() => null);
    if (turn !== this.turn) return;
    this.suggested = (choices ?? []).map(choice);
    this.answered = choices && typed;
    this.#show();
  }

  #stopAsking() {
    clearTimeout(this.timer);
    this.turn += 1;
  }

  #show() {
    this.listbox.update({ activate: !this.isEmpty && !this.chosen });
  }

  /** What was suggested; while the answer to a newer text is not there, what of it the text could become. */
  #fitting() {
    if (this.answered === this.control.value) return this.suggested;
    const text = this.control.value.trim().toLowerCase();
    return this.suggested.filter((item) => item.label.toLowerCase().includes(text));
  }

  #take(item) {
    this.#stopAsking();
    this.chosen = item;
    this.control.value = item.label;
    this.grow();
    this.mark(null);
  }
}

class PickField extends Field {
  constructor(option, form, picks) {
    super(option, form);
    this.picks = picks;
    this.control = h("input", { type: "text", class: "pill-input", autocomplete: "off", spellcheck: "false" });
    this.element = h("div", { class: "pill" }, this.labelled(this.control));
    this.listbox = new Listbox({
      field: this.control,
      host: form.host,
      label: `Choices for ${option.name_localized}`,
      items: () => this.#fitting(),
      pick: (item) => this.#take(item),
      empty: () => "Nothing fits that.",
    });
    this.control.addEventListener("focus", () => this.listbox.update({ activate: !this.chosen }));
    this.control.addEventListener("click", () => this.listbox.isOpen || this.listbox.update({ activate: !this.chosen }));
    this.control.addEventListener("blur", () => this.listbox.close());
    this.control.addEventListener("input", () => {
      this.form.changed();
      // What is written out in full is chosen: Enter must not take the first of the list for it.
      this.listbox.update({ activate: !this.chosen });
    });
    this.control.style.setProperty("width", `${Math.min(24, Math.max(...picks.map((pick) => pick.label.length)) + 3)}ch`);
  }

  get chosen() {
    const text = this.control.value.trim().toLowerCase();
    return this.picks.find((pick) => pick.label.toLowerCase() === text);
  }

  get isEmpty() {
    return this.control.value.trim() === "";
  }

  get value() {
    return this.chosen?.value;
  }

  problem() {
    if (this.isEmpty) return this.option.required ? "Pick one first." : null;
    return this.chosen ? null : "Pick one from the list.";
  }

  remove() {
    super.remove();
    this.listbox.remove();
  }

  /** Everything while a choice stands, else what the text could become. */
  #fitting() {
    if (this.chosen) return this.picks;
    const text = this.control.value.trim().toLowerCase();
    return this.picks.filter((pick) => pick.label.toLowerCase().includes(text));
  }

  #take(item) {
    this.control.value = item.label;
    this.form.changed();
    this.mark(null);
  }
}

class FileField extends Field {
  constructor(option, form) {
    super(option, form);
    this.file = null;
    this.input = h("input", { type: "file", class: "sr-only", tabindex: "-1", "aria-hidden": "true" });
    this.input.addEventListener("change", () => this.input.files[0] && this.take(this.input.files[0]));
    this.element = h("div", { class: "file-field", role: "group", "aria-label": `${option.name_localized}: ${option.description_localized}` });
    this.#draw();
  }

  get isEmpty() {
    return this.file === null;
  }

  get value() {
    return this.file;
  }

  problem() {
    if (this.isLoading) return "The sample face is still on its way. Send it in a moment.";
    return this.isEmpty && this.option.required ? "Choose a file first." : null;
  }

  take(file) {
    this.file = file;
    this.#draw();
    this.mark(null);
    this.form.changed();
    this.form.taken();
  }

  remove() {
    super.remove();
    this.#letGo();
  }

  #letGo() {
    if (this.preview) URL.revokeObjectURL(this.preview);
    this.preview = null;
  }

  #draw() {
    this.#letGo();
    const { name_localized: name, required } = this.option;
    const drop = { type: "button", class: "icon-button file-remove", "aria-label": this.file ? `Take ${this.file.name} away` : `Remove ${name}` };
    drop.onclick = () => (this.file ? this.#clear() : this.form.removed(this));
    this.element.replaceChildren(
      ...(this.file ? this.#full() : this.#empty()),
      this.input,
      ...(this.file || !required ? [h("button", drop, icon("close"))] : []),
    );
    this.control.addEventListener("focus", () => this.form.focused(this));
  }

  #empty() {
    const { name_localized: name } = this.option;
    this.control = h("button", { type: "button", class: "file-choose", onclick: () => this.input.click() }, icon("picture"), h("span", {}, h("b", {}, name), h("span", { class: "file-hint" }, "Choose", h("span", { class: "wide-only" }, ", paste or drop"), " a file")));
    const sample = h("button", { type: "button", class: "text-button sample", onclick: () => this.#takeSample(sample) }, "Use the sample face");
    return [this.control, sample];
  }

  #full() {
    this.preview = this.file.type.startsWith("image/") ? URL.createObjectURL(this.file) : null;
    const picture = this.preview ? h("img", { src: this.preview, alt: "" }) : icon("file");
    const words = h("span", {}, h("b", {}, this.option.name_localized), h("span", { class: "file-hint" }, `${this.file.name} · ${formatSize(this.file.size)}`));
    this.control = h("button", { type: "button", class: "file-choose full", "aria-label": `${this.option.name_localized}: ${this.file.name}. Choose another file`, onclick: () => this.input.click() }, picture, words);
    return [this.control];
  }

  #clear() {
    this.file = null;
    this.input.value = "";
    this.#draw();
    this.form.changed();
    this.control.focus();
  }

  async #takeSample(button) {
    button.disabled = true;
    this.isLoading = true;
    try {
      this.take(await sampleFace());
    } catch (error) {
      button.disabled = false;
      this.form.failed(error.message);
    } finally {
      this.isLoading = false;
    }
  }
}
