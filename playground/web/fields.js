// The fields of a form: how each kind is filled in, and what Discord would say against what is in it.

import { sampleFace } from "./api.js";
import { avatar, formatSize, h, icon, roleDot, roleName } from "./dom.js";
import { SelectMenu } from "./selects.js";

const TEXT_INPUT = 4;
const USER_SELECT = 5;
const ROLE_SELECT = 6;
const MENTIONABLE_SELECT = 7;
const CHANNEL_SELECT = 8;
const FILE_UPLOAD = 19;
const RADIO_GROUP = 21;
const CHECKBOX_GROUP = 22;
const CHECKBOX = 23;
const PARAGRAPH = 2;
const MAX_TEXT = 4000;

let fields = 0;

const personOption = (person) => ({ value: person.id, label: person.name, icon: () => avatar(person, { small: true }) });
const roleOption = (role) => ({ value: role.id, label: roleName(role), icon: () => roleDot(role) });
const roomOption = (room) => ({ value: room.id, label: `#${room.name}` });

/** The options of a menu, as a SelectMenu wants them. `place`: {people, roles, rooms} that are there. */
export function optionsOf(select, { people, roles, rooms }) {
  if (select.type === USER_SELECT) return people.map(personOption);
  if (select.type === ROLE_SELECT) return roles.map(roleOption);
  if (select.type === MENTIONABLE_SELECT) return [...people.map(personOption), ...roles.map(roleOption)];
  if (select.type === CHANNEL_SELECT) return rooms.filter((room) => select.channel_types?.includes(room.type) ?? true).map(roomOption);
  return select.options.map((option) => ({ ...option, icon: option.emoji?.name && (() => h("span", { class: "emoji" }, option.emoji.name)) }));
}

/** The values that a menu begins with. */
export function presetOf(select) {
  const own = (select.options ?? []).filter((option) => option.default).map((option) => option.value);
  return [...own, ...(select.default_values ?? []).map((entry) => entry.id)];
}

/** A field with its label. `context`: {place, failed(problem)}. */
export function makeFormField({ label, description, component, context }) {
  const Kind = KINDS[component.type] ?? MenuField;
  const field = new Kind({ label, component, context });
  field.build(description);
  return field;
}

class FormField {
  constructor({ label, component, context }) {
    Object.assign(this, { label, component, context });
    fields += 1;
    this.id = `field-${fields}`;
  }

  build(description) {
    const { component, label } = this;
    this.control = this.make();
    const star = component.required && h("span", { class: "star", "aria-hidden": "true" }, " *");
    const hint = description && h("p", { class: "field-hint", id: `${this.id}-hint` }, description);
    this.said = h("p", { class: "field-problem", id: `${this.id}-problem`, "aria-live": "polite" });
    const described = [hint && `${this.id}-hint`, `${this.id}-problem`].filter(Boolean).join(" ");
    this.focusable().setAttribute("aria-describedby", described);
    if (component.required && component.type !== FILE_UPLOAD) this.focusable().setAttribute("aria-required", "true");
    const name = h("label", { class: "field-name", for: this.isLabelled ? this.id : null }, label, star);
    this.element = h("div", { class: "form-field" }, name, hint, this.control, this.said);
  }

  get isLabelled() {
    return true;
  }

  focusable() {
    return this.control;
  }

  focus() {
    this.focusable().focus();
  }

  /** Show or clear what is wrong. */
  mark(problem) {
    this.said.textContent = problem ?? "";
    this.element.classList.toggle("wrong", Boolean(problem));
    this.focusable().setAttribute("aria-invalid", String(Boolean(problem)));
  }

  countProblem(count, one, several) {
    const { min_values: least, max_values: most, required } = this.component;
    if (!count) return required ? `Choose ${least > 1 ? several : one} first.` : null;
    if (count >= least && count <= most) return null;
    return `Takes ${least === most ? most : `${least} to ${most}`} ${most === 1 ? one.split(" ").at(-1) : several}, this is ${count}.`;
  }

  remove() {}
}

class TextField extends FormField {
  make() {
    const { component } = this;
    const attributes = { class: "field-input", id: this.id, placeholder: component.placeholder ?? "", autocomplete: "off" };
    this.input = component.style === PARAGRAPH ? h("textarea", { ...attributes, rows: "4" }) : h("input", { ...attributes, type: "text" });
    this.input.value = component.value ?? "";
    this.left = h("span", { class: "field-count", "aria-hidden": "true" });
    this.input.addEventListener("input", () => {
      this.mark(null);
      this.#count();
    });
    this.#count();
    return h("div", { class: "field-line" }, this.input, this.left);
  }

  focusable() {
    return this.input;
  }

  get value() {
    return this.input.value;
  }

  problem() {
    const { min_length: least = 0, max_length: most = MAX_TEXT, required } = this.component;
    const length = [...this.value].length;
    if (!this.value.trim()) return required ? "Fill this in first." : null;
    return length >= least && length <= most ? null : `Takes ${least} to ${most} characters, this is ${length}.`;
  }

  #count() {
    const { max_length: most } = this.component;
    const length = [...this.value].length;
    this.left.textContent = most ? `${length}/${most}` : "";
    this.left.classList.toggle("over", most !== undefined && length > most);
  }
}

class MenuField extends FormField {
  make() {
    const { component, context } = this;
    this.menu = new SelectMenu({
      options: optionsOf(component, context.place),
      placeholder: component.placeholder ?? "Make a selection",
      label: this.label,
      least: component.required ? component.min_values : 0,
      most: component.max_values,
      chosen: presetOf(component),
      changed: () => this.mark(null),
    });
    return this.menu.element;
  }

  get isLabelled() {
    return false;
  }

  focusable() {
    return this.menu.box;
  }

  get value() {
    return this.menu.values;
  }

  problem() {
    return this.countProblem(this.value.length, "one", "choices");
  }
}

/** Options in full view: one of them, or as many as may be ticked. */
class ChoicesField extends FormField {
  make() {
    const { component, label } = this;
    const one = component.type === RADIO_GROUP;
    this.inputs = component.options.map((option) => h("input", { type: one ? "radio" : "checkbox", name: this.id, value: option.value, checked: option.default, onchange: () => this.mark(null) }));
    const rows = component.options.map((option, index) => h("label", { class: "choice" }, this.inputs[index], h("span", { class: "select-words" }, h("span", {}, option.label), option.description && h("span", { class: "select-detail" }, option.description))));
    return h("div", { class: "choices", role: one ? "radiogroup" : "group", "aria-label": label }, rows);
  }

  get isLabelled() {
    return false;
  }

  focus() {
    (this.inputs.find((input) => input.checked) ?? this.inputs[0]).focus();
  }

  get chosen() {
    return this.inputs.filter((input) => input.checked).map((input) => input.value);
  }

  get value() {
    return this.component.type === RADIO_GROUP ? this.chosen[0] ?? null : this.chosen;
  }

  problem() {
    return this.countProblem(this.chosen.length, "one", "choices");
  }
}

class CheckField extends FormField {
  make() {
    this.input = h("input", { type: "checkbox", id: this.id, checked: this.component.default });
    return h("div", { class: "choices" }, h("label", { class: "choice" }, this.input, h("span", { "aria-hidden": "true" }, "Yes")));
  }

  focusable() {
    return this.input;
  }

  get value() {
    return this.input.checked;
  }

  problem() {
    return null;
  }
}

class UploadField extends FormField {
  make() {
    this.files = [];
    this.input = h("input", { type: "file", multiple: this.component.max_values > 1, class: "sr-only", tabindex: "-1", "aria-hidden": "true" });
    this.input.addEventListener("change", () => this.take([...this.input.files]));
    this.choose = h("button", { type: "button", class: "upload-choose", id: this.id, "aria-label": `${this.label}: choose ${this.#noun()}`, onclick: () => this.input.click() });
    this.sample = h("button", { type: "button", class: "text-button sample", onclick: () => this.#takeSample() }, "Use the sample face");
    this.chips = h("div", { class: "upload-chips" });
    this.zone = h("div", { class: "upload" }, this.chips, h("div", { class: "upload-line" }, this.choose, this.sample), this.input);
    this.#draw();
    return this.zone;
  }

  focusable() {
    return this.choose;
  }

  get value() {
    return this.files;
  }

  get hasRoom() {
    return this.files.length < this.component.max_values;
  }

  problem() {
    if (this.sample.disabled) return "The sample face is still on its way. Send it in a moment.";
    return this.countProblem(this.files.length, "a file", "files");
  }

  /** Add files; of a field for one, the newest stays. */
  take(files) {
    const most = this.component.max_values;
    this.input.value = "";
    this.files = most === 1 ? files.slice(-1) : [...this.files, ...files].slice(0, most);
    this.mark(this.files.length === most && files.length > most ? `Takes at most ${most} files.` : null);
    this.#draw();
  }

  remove() {
    this.#letGo();
  }

  #noun() {
    const { max_values: most } = this.component;
    return most === 1 ? "a file" : `up to ${most} files`;
  }

  #letGo() {
    for (const image of this.chips.querySelectorAll("img")) URL.revokeObjectURL(image.src);
  }

  #draw() {
    this.#letGo();
    this.chips.replaceChildren(...this.files.map((file) => this.#chip(file)));
    const words = h("span", {}, h("b", {}, this.files.length && !this.hasRoom ? "Choose again" : `Choose ${this.#noun()}`), h("span", { class: "file-hint wide-only" }, "or paste, or drop"));
    this.choose.replaceChildren(icon("picture"), words);
    this.sample.hidden = !this.hasRoom;
  }

  #chip(file) {
    const picture = file.type.startsWith("image/") ? h("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file");
    const drop = () => {
      this.files = this.files.filter((one) => one !== file);
      this.mark(null);
      this.#draw();
      this.focus();
    };
    const words = h("span", {}, file.name, h("span", { class: "file-hint" }, formatSize(file.size)));
    return h("div", { class: "file-chip" }, picture, words, h("button", { type: "button", class: "icon-button", "aria-label": `Take ${file.name} away`, onclick: drop }, icon("close")));
  }

  async #takeSample() {
    this.sample.disabled = true;
    try {
      this.take([await sampleFace()]);
      this.focus();
    } catch (error) {
      this.context.failed(error.message);
    } finally {
      this.sample.disabled = false;
    }
  }
}

const KINDS = { [TEXT_INPUT]: TextField, [FILE_UPLOAD]: UploadField, [RADIO_GROUP]: ChoicesField, [CHECKBOX_GROUP]: ChoicesField, [CHECKBOX]: CheckField };
