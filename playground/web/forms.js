// The form that an answer of the bot opens: a dialog in front of everything, until it is submitted or left.

import { avatar, dots, h, icon } from "./dom.js";
import { makeFormField } from "./fields.js";
import { markdown } from "./markdown.js";

const ACTION_ROW = 1;
const TEXT_DISPLAY = 10;
const FILE_UPLOAD = 19;

/**
 * `submit(interaction, values, files)` gives a promise that fails with a sentence; `world()` and `names()` as elsewhere;
 * `closed(interaction)` is told when the dialog is gone.
 */
export class Forms {
  constructor({ dialog, submit, world, names, closed }) {
    Object.assign(this, { dialog, submit, world, names, closed });
    this.opened = null;
    this.expected = new Set();
    this.early = new Map();
    dialog.addEventListener("close", () => this.#left());
    dialog.addEventListener("paste", (event) => this.#files(event, event.clipboardData));
    dialog.addEventListener("dragover", (event) => event.preventDefault());
    dialog.addEventListener("drop", (event) => this.#files(event, event.dataTransfer));
  }

  /** This page has begun an interaction: a form that answers it belongs here, and not to another window. */
  expect(interaction) {
    const answered = this.early.get(interaction.id);
    this.early.delete(interaction.id);
    if (answered) this.#open(answered);
    else this.expected.add(interaction.id);
  }

  /** An interaction has moved on. */
  follow(interaction) {
    if (interaction.trigger_id) this.#followSubmission(interaction);
    else if (interaction.state === "pending" || interaction.id === this.opened?.id) return;
    else if (this.expected.delete(interaction.id)) interaction.modal && this.#open(interaction);
    else if (interaction.modal) this.early.set(interaction.id, interaction);
  }

  /** Somebody else, or everything anew: what was open belongs to before. */
  reset() {
    this.expected.clear();
    this.early.clear();
    this.dialog.close();
  }

  #followSubmission(interaction) {
    if (interaction.trigger_id !== this.opened?.id) return;
    if (interaction.state === "acknowledged") this.dialog.close();
    if (interaction.state === "failed") this.#complain("Something went wrong: the bot did not answer in time. You can try again.");
  }

  // ------------------------------------------------------------------------------------------------------------ drawing

  #open(interaction) {
    this.dialog.close();
    this.opened = interaction;
    this.fields = [];
    const { title, components } = interaction.modal;
    const { bot } = this.world();
    const body = components.map((component) => this.#component(component));
    this.problem = h("p", { class: "form-problem", role: "alert" });
    this.send = h("button", { type: "submit", class: "button primary" }, "Submit");
    const leave = () => this.dialog.close();
    const form = h(
      "form",
      { novalidate: true },
      h("header", {}, avatar(bot), h("h2", { id: "form-title" }, title), h("button", { type: "button", class: "icon-button", "aria-label": "Close the form", onclick: leave }, icon("close"))),
      h("div", { class: "form-body" }, body, h("p", { class: "form-note" }, `This goes to ${bot.name}. Do not put passwords or other secrets into it.`)),
      h("footer", {}, this.problem, h("button", { type: "button", class: "button secondary", onclick: leave }, "Cancel"), this.send),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.dialog.replaceChildren(form);
    this.dialog.showModal();
    (this.fields[0] ?? this.send).focus();
  }

  #component(component) {
    if (component.type === TEXT_DISPLAY) return h("div", { class: "text-display" }, markdown(component.content, this.names()));
    const parts = component.type === ACTION_ROW ? component.components.map((field) => ({ label: field.label, component: field })) : [component];
    return parts.map((part) => {
      const context = { place: this.names().place, failed: (problem) => this.#complain(problem) };
      const field = makeFormField({ label: part.label, description: part.description, component: part.component, context });
      this.fields.push(field);
      return field.element;
    });
  }

  // --------------------------------------------------------------------------------------------------------- submitting

  async #submit() {
    const problems = this.fields.map((field) => [field, field.problem()]);
    for (const [field, problem] of problems) field.mark(problem);
    const [wrong] = problems.find(([, problem]) => problem) ?? [];
    if (wrong) return wrong.focus();
    this.#wait(true);
    const isFile = (field) => field.component.type === FILE_UPLOAD;
    const entries = (wanted) => Object.fromEntries(this.fields.filter(wanted).map((field) => [field.component.custom_id, field.value]));
    try {
      await this.submit(this.opened, entries((field) => !isFile(field)), entries(isFile));
    } catch (error) {
      this.#complain(error.message);
    }
  }

  #wait(waiting) {
    this.problem.textContent = "";
    this.send.disabled = waiting;
    this.send.classList.toggle("busy", waiting);
    this.send.replaceChildren(h("span", { class: "button-face" }, "Submit"), waiting ? dots() : "");
  }

  #complain(problem) {
    this.#wait(false);
    this.problem.textContent = problem;
  }

  /** Pasted and dropped files go to where they were dropped, else to the first field with room. */
  #files(event, data) {
    const files = [...(data?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    const uploads = this.fields.filter((field) => field.component.type === FILE_UPLOAD);
    const under = uploads.find((field) => field.element.contains(event.target));
    const field = under ?? uploads.find((one) => one.hasRoom) ?? uploads[0];
    field?.take(files);
  }

  #left() {
    if (!this.opened) return;
    const { opened } = this;
    this.opened = null;
    for (const field of this.fields) field.remove();
    this.dialog.replaceChildren();
    this.closed(opened);
  }
}
