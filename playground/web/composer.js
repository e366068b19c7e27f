// The bar at the bottom: plain messages, the command picker, and the command form.

import { avatar, formatSize, h, icon } from "./dom.js";
import { Listbox } from "./listbox.js";
import { makeField, takesFile } from "./options.js";

const CHAT_INPUT = 1;
const SUBCOMMAND = 1;
const SUBCOMMAND_GROUP = 2;
const MAX_LENGTH = 2000;

/**
 * `actions`: {say(content, files), run(call, files), suggest(call)}, each returning a promise that fails with a sentence;
 * `world()` gives whom there is, `place()` {people, roles, rooms} of where one is, `commands()` a promise of what the bot offers here.
 */
export class Composer {
  constructor({ host, dropHint, actions, world, place, commands }) {
    Object.assign(this, { host, dropHint, actions, world, place, commands });
    this.offered = [];
    this.form = null;
    this.files = [];
    this.#build();
    this.#listenForFiles();
  }

  /** Another channel or member: begin anew. */
  reset(placeholder) {
    this.#leave();
    this.#write("");
    this.#setFiles([]);
    this.text.placeholder = placeholder;
    this.text.setAttribute("aria-label", placeholder);
  }

  /** What the bot offers has changed. */
  async refresh() {
    const typed = (await this.commands()).filter((command) => command.type === CHAT_INPUT);
    this.offered = typed.flatMap((command) => leaves(command));
    if (this.picker.isOpen) this.picker.update();
  }

  focus() {
    (this.form?.first() ?? this.text).focus();
  }

  /** Take a typed character from elsewhere on the page. */
  type() {
    if (!this.form) this.text.focus();
  }

  // -------------------------------------------------------------------------------------------------------- plain messages

  #build() {
    this.text = h("textarea", { class: "composer-text", rows: "1", maxlength: String(2 * MAX_LENGTH), spellcheck: "true" });
    this.text.addEventListener("input", () => this.#changed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    this.text.addEventListener("blur", () => this.picker.close());
    this.text.addEventListener("focus", () => this.text.value.startsWith("/") && this.#changed());
    this.input = h("input", { type: "file", multiple: true, class: "sr-only", tabindex: "-1", "aria-hidden": "true" });
    this.input.addEventListener("change", () => this.#addFiles([...this.input.files]));
    this.problem = h("p", { class: "composer-problem", role: "alert" });
    this.chips = h("div", { class: "file-chips" });
    this.popups = h("div", { class: "popups" });
    this.plain = h(
      "div",
      { class: "composer-plain" },
      h("button", { type: "button", class: "icon-button", "aria-label": "Attach files", title: "Attach files", onclick: () => this.input.click() }, icon("plus")),
      this.text,
      h("button", { type: "button", class: "icon-button send", "aria-label": "Send message", title: "Send", onclick: () => this.#send() }, icon("send")),
      this.input,
    );
    this.host.append(this.popups, this.problem, h("div", { class: "composer-box" }, this.chips, this.plain));
    this.picker = new Listbox({
      field: this.text,
      host: this.popups,
      label: "Commands",
      items: () => this.#fittingCommands(),
      pick: (item) => this.#begin(item.command),
      empty: () => this.#noCommands(),
    });
  }

  #changed() {
    this.#fit();
    this.#say("");
    if (/^\/[^\n]*$/.test(this.text.value)) this.picker.update();
    else this.picker.close();
  }

  #fit() {
    this.text.style.setProperty("height", "auto");
    this.text.style.setProperty("height", `${Math.min(this.text.scrollHeight, 240)}px`);
  }

  #write(text) {
    this.text.value = text;
    this.#fit();
    this.picker.close();
    this.#say("");
  }

  #key(event) {
    if (this.picker.key(event) || event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    }
  }

  async #send() {
    const content = this.text.value;
    if (content.startsWith("/") && !this.files.length) return this.#sendTyped(content);
    if (!content.trim() && !this.files.length) return;
    if ([...content.trim()].length > MAX_LENGTH) return this.#say(`A message has at most ${MAX_LENGTH} characters.`);
    const { files } = this;
    try {
      this.#write("");
      this.#setFiles([]);
      await this.actions.say(content, files);
    } catch (error) {
      this.#write(content);
      this.#setFiles(files);
      this.#say(error.message);
    }
  }

  /** "/name" written out in full begins that command; any other text with a slash is not sent by accident. */
  #sendTyped(content) {
    const typed = content.slice(1).trim().toLowerCase();
    const command = this.offered.find((one) => one.shown === typed) ?? this.offered.find((one) => one.path === typed);
    if (command) this.#begin(command);
    else this.#say(`There is no command /${typed} here.`);
  }

  #say(problem) {
    this.problem.textContent = problem;
  }

  // ------------------------------------------------------------------------------------------------------------- commands

  #fittingCommands() {
    const typed = this.text.value.slice(1).toLowerCase();
    const starts = this.offered.filter((command) => command.shown.startsWith(typed));
    const contains = this.offered.filter((command) => !command.shown.startsWith(typed) && (command.shown.includes(typed.trim()) || command.path.startsWith(typed)));
    return [...starts, ...contains].map((command) => ({
      command,
      label: `/${command.shown}`,
      detail: command.description,
      icon: avatar(this.world().bot),
    }));
  }

  #noCommands() {
    if (!this.world().bot.connected) return "No bot is connected, so there are no commands.";
    if (!this.offered.length) return "The bot has no commands here.";
    return "No command begins like that.";
  }

  #begin(command) {
    this.#write("");
    this.#say("");
    this.plain.hidden = true;
    this.form = new CommandForm({
      command,
      place: this.place(),
      popups: this.popups,
      leave: () => {
        this.#leave();
        this.text.focus();
      },
      send: (call, files) => this.#run(call, files),
      suggest: this.actions.suggest,
    });
    this.plain.after(this.form.element);
    for (const file of this.files) this.form.offer(file);
    this.#setFiles([]);
    this.form.start();
  }

  async #run(call, files) {
    await this.actions.run(call, files);
    this.#leave();
    this.text.focus();
  }

  #leave() {
    this.form?.remove();
    this.form = null;
    this.plain.hidden = false;
  }

  // ---------------------------------------------------------------------------------------------------------------- files

  #listenForFiles() {
    document.addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (!files.length || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.#addFiles(files);
    });
    let depth = 0;
    const over = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    const isCovered = () => document.querySelector("dialog[open]");
    document.addEventListener("dragenter", (event) => {
      if (!over(event) || isCovered()) return;
      depth += 1;
      this.dropHint.textContent = this.form?.dropWords() ?? "Drop to attach it to a message";
      this.dropHint.hidden = false;
    });
    document.addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      if (!depth) this.dropHint.hidden = true;
    });
    document.addEventListener("dragover", (event) => over(event) && event.preventDefault());
    document.addEventListener("drop", (event) => {
      if (!over(event)) return;
      event.preventDefault();
      depth = 0;
      this.dropHint.hidden = true;
      if (!isCovered()) this.#addFiles([...event.dataTransfer.files]);
    });
  }

  #addFiles(files) {
    this.input.value = "";
    if (this.form) files.forEach((file) => this.form.offer(file));
    else {
      this.#setFiles([...this.files, ...files].slice(0, 10));
      this.text.focus();
    }
  }

  #setFiles(files) {
    this.files = files;
    for (const image of this.chips.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.chips.replaceChildren(...files.map((file) => this.#chip(file)));
  }

  #chip(file) {
    const picture = file.type.startsWith("image/") ? h("img", { src: URL.createObjectURL(file), alt: "" }) : icon("file");
    const drop = () => this.#setFiles(this.files.filter((one) => one !== file));
    return h(
      "div",
      { class: "file-chip" },
      picture,
      h("span", {}, file.name, h("span", { class: "file-hint" }, formatSize(file.size))),
      h("button", { type: "button", class: "icon-button", "aria-label": `Take ${file.name} away`, onclick: drop }, icon("close")),
    );
  }
}

/** Every command that can be run: subcommands stand for themselves. `shown` is what `path` reads like in one's language. */
function leaves(command, step = command, path = step.name, shown = step.name_localized) {
  const options = step.options ?? [];
  const nested = options.filter((option) => option.type === SUBCOMMAND || option.type === SUBCOMMAND_GROUP);
  if (nested.length) return nested.flatMap((option) => leaves(command, option, `${path} ${option.name}`, `${shown} ${option.name_localized}`));
  return [{ id: command.id, path, shown, description: step.description_localized, options }];
}

/** The form of one command: its fields, what else could be filled in, and what is wrong. */
class CommandForm {
  constructor({ command, place, popups, leave, send, suggest }) {
    Object.assign(this, { command, place, popups, leave, send, suggest });
    this.fields = [];
    this.help = h("p", { class: "command-help", "aria-live": "polite" });
    this.fileRow = h("div", { class: "file-fields" });
    this.pills = h("div", { class: "pills" });
    this.more = h("div", { class: "more" });
    this.sendButton = h("button", { type: "submit", class: "icon-button send", "aria-label": `Send /${command.shown}`, title: "Send" }, icon("send"));
    const cancel = h("button", { type: "button", class: "icon-button", "aria-label": "Leave the command", title: "Leave (Esc)", onclick: leave }, icon("close"));
    const line = h("div", { class: "pills-wrap" }, h("span", { class: "command-name" }, `/${command.shown}`), this.pills, this.more);
    this.element = h(
      "form",
      { class: "command-form", "aria-label": `/${command.shown}`, novalidate: true },
      h("div", { class: "command-head" }, this.help, cancel),
      h("div", { class: "command-line" }, h("div", { class: "command-fields" }, this.fileRow, line), this.sendButton),
    );
    this.element.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.element.addEventListener("keydown", (event) => this.#key(event));
    const file = command.options.find(takesFile);
    for (const option of command.options) if (option.required || option === file) this.#add(option);
    this.#drawMore();
    this.#explain(null);
  }

  start() {
    (this.first() ?? this.sendButton).focus();
  }

  /** The field to begin with: what is typed before what is attached. */
  first() {
    return this.fields.find((field) => !takesFile(field.option)) ?? this.fields[0];
  }

  remove() {
    for (const field of this.fields) field.remove();
    this.element.remove();
  }

  /** Take a pasted or dropped file. */
  offer(file) {
    const option = this.#optionForFile();
    if (!option) return this.#complain(`/${this.command.shown} takes no file.`);
    (this.#field(option) ?? this.#add(option)).take(file);
    this.#drawMore();
  }

  dropWords() {
    const option = this.#optionForFile();
    return option ? `Drop to use it as ${option.name_localized}` : `/${this.command.shown} takes no file`;
  }

  /** The first that has no file yet, shown ones before others; when all have one, the one in focus. */
  #optionForFile() {
    const fitting = this.command.options.filter(takesFile);
    const shown = this.fields.filter((field) => takesFile(field.option));
    const free = shown.find((field) => field.isEmpty)?.option ?? fitting.find((option) => !this.#field(option));
    const focused = shown.find((field) => field.element.contains(document.activeElement))?.option;
    return free ?? focused ?? fitting[0];
  }

  #field(option) {
    return this.fields.find((field) => field.option === option);
  }

  #add(option) {
    const field = makeField(option, {
      place: this.place,
      host: this.popups,
      removed: (gone) => this.#removeField(gone),
      changed: () => this.#complain(""),
      taken: () => this.#goOn(),
      failed: (problem) => this.#complain(problem),
      focused: (current) => this.#explain(current),
      suggest: (typed) => this.suggest({ ...this.#call(), option: option.name, typed }),
    });
    this.fields.push(field);
    (takesFile(option) ? this.fileRow : this.pills).append(field.element);
    return field;
  }

  /** After a file: to what is still missing, or to where Enter sends. */
  #goOn() {
    const missing = this.fields.find((field) => field.option.required && field.isEmpty);
    const typed = this.fields.find((field) => !takesFile(field.option));
    (missing ?? typed ?? this.sendButton).focus();
  }

  #removeField(field) {
    const index = this.fields.indexOf(field);
    this.fields.splice(index, 1);
    field.remove();
    this.#drawMore();
    (this.fields[index - 1] ?? this.first() ?? this.sendButton).focus();
  }

  #drawMore() {
    const left = this.command.options.filter((option) => !this.#field(option));
    this.more.replaceChildren(...left.map((option) => this.#moreButton(option)));
  }

  #moreButton(option) {
    const add = () => {
      const field = this.#add(option);
      this.#drawMore();
      field.focus();
    };
    return h("button", { type: "button", class: "more-option", title: option.description_localized, "aria-label": `Add ${option.name_localized}: ${option.description_localized}`, onclick: add }, icon("plus"), option.name_localized);
  }

  #explain(field) {
    this.current = field;
    this.element.classList.remove("complaining");
    const { name_localized: name, description_localized: description, required } = field?.option ?? {};
    const words = field ? [h("b", {}, name), ` ${description}`, required ? "" : h("i", {}, " optional")] : [this.command.description];
    this.help.replaceChildren(...words);
  }

  #complain(problem) {
    if (!problem && !this.element.classList.contains("complaining")) return;
    this.#explain(this.current);
    this.current?.mark?.(null);
    if (!problem) return;
    this.element.classList.add("complaining");
    this.help.replaceChildren(problem);
  }

  #key(event) {
    const field = this.fields.find((one) => one.element.contains(event.target));
    if (field?.listbox?.key(event) || event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.leave();
    } else if (event.key === "Enter" && event.target.tagName === "INPUT") {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "Backspace" && field?.isEmpty && event.target.tagName === "INPUT") {
      event.preventDefault();
      this.#backspace(field);
    }
  }

  /** Backspace in an empty field goes back: the option goes, and with the last one the command. */
  #backspace(field) {
    if (!field.option.required) this.#removeField(field);
    else if (field === this.first()) this.leave();
    else this.fields[this.fields.indexOf(field) - 1]?.focus();
  }

  async #submit() {
    for (const field of this.fields) field.mark(null);
    for (const field of this.fields) {
      const problem = field.problem();
      if (!problem) continue;
      field.focus();
      this.#complain(`${field.option.name_localized}: ${problem}`);
      field.mark(problem);
      return;
    }
    this.sendButton.disabled = true;
    try {
      await this.send(this.#call(), this.#values(takesFile));
    } catch (error) {
      this.#complain(error.message);
    } finally {
      this.sendButton.disabled = false;
    }
  }

  /** The command as it is filled in now. */
  #call() {
    return { command_id: this.command.id, name: this.command.path, options: this.#values((option) => !takesFile(option)) };
  }

  /** What is filled in, by option name. */
  #values(wanted) {
    const given = this.fields.filter((field) => !field.isEmpty && wanted(field.option));
    return Object.fromEntries(given.map((field) => [field.option.name, field.value]));
  }
}
