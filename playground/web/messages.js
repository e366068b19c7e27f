// The list of messages: drawing each, keeping order, place and focus while they change.

import { attachments } from "./media.js";
import { embed, renderAll } from "./components.js";
import { avatar, dots, h, icon, nameOf, olderThan } from "./dom.js";
import { markdown, plainText } from "./markdown.js";
import { clockTime, dayName, when } from "./time.js";

const LOADING = 128;
const SUPPRESS_EMBEDS = 4;
const COMPONENTS_V2 = 32768;

// Messages of one author this close together share one heading.
const TOGETHER_MS = 7 * 60 * 1000;

/**
 * Shows the messages of one channel. `you` and `bot` are user objects.
 * `actions`: {press(message, custom_id), choose(message, custom_id, values), dismiss(message), remove(message),
 * menu(message, {x, y, back})}
 */
export class MessageList {
  constructor({ scroller, list, jump, announcer, actions }) {
    Object.assign(this, { scroller, list, jump, announcer, actions });
    this.names = null;
    this.intro = null;
    this.messages = new Map();
    this.presses = new Map();
    this.choices = new Map();
    this.atEnd = true;
    scroller.addEventListener("scroll", () => this.#noticePlace());
    jump.addEventListener("click", () => this.toEnd());
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(list);
    new ResizeObserver(() => this.atEnd && this.toEnd()).observe(scroller);
  }

  /** Show a channel from the beginning: its heading, its messages, the commands still unanswered. */
  open({ intro, messages, names }) {
    Object.assign(this, { intro, names });
    this.messages = new Map(messages.map((message) => [message.id, message]));
    this.presses.clear();
    this.choices.clear();
    this.#drawAll();
    this.toEnd();
  }

  /** The heading of the channel reads differently. */
  introduce(intro) {
    this.intro?.replaceWith(intro);
    this.intro = intro;
  }

  /** A message is new or reads differently. */
  put(message) {
    const before = this.messages.get(message.id);
    this.messages.set(message.id, message);
    // An edited message begins with what the bot chose to show.
    this.choices.delete(message.id);
    this.#keepingPlace(() => (before ? this.#redraw(message.id) : this.#insert(message)));
    this.#announce(message, before);
  }

  /** Focus what was used in a message, if it is still there. */
  focus(id, custom_id) {
    const found = this.#element(id)?.querySelector(`[data-key$="-${CSS.escape(custom_id)}"]:not(:disabled)`) ?? this.#element(id);
    found?.focus();
    return Boolean(found);
  }

  drop(id) {
    if (this.messages.delete(id)) this.#keepingPlace(() => this.#remove(id));
  }

  #remove(id) {
    const next = this.#element(id)?.nextElementSibling;
    this.#element(id)?.remove();
    if (next?.dataset.id) this.#redraw(next.dataset.id);
    for (const message of this.messages.values()) {
      if (message.referenced_message?.id === id) {
        message.referenced_message = null;
        this.#redraw(message.id);
      }
    }
  }

  /** A command was sent or a button pressed, was answered, or nobody answered in time. */
  follow(interaction) {
    // A form shows by itself how it fares.
    if (interaction.trigger_id) return;
    this.#keepingPlace(() => (interaction.source_id ? this.#followPress(interaction) : this.#followCommand(interaction)));
  }

  #followPress(interaction) {
    if (interaction.state === "acknowledged") this.presses.delete(interaction.source_id);
    else this.presses.set(interaction.source_id, interaction);
    this.#redraw(interaction.source_id);
    if (interaction.state === "failed") this.announcer.textContent = "This interaction failed.";
  }

  #followCommand(interaction) {
    this.list.querySelector(`[data-interaction="${interaction.id}"]`)?.remove();
    if (interaction.state === "acknowledged") return;
    this.list.append(this.#drawWaiting(interaction));
    if (!this.atEnd) this.jump.hidden = false;
    if (interaction.state === "failed") this.announcer.textContent = "The bot did not respond.";
  }

  // ------------------------------------------------------------------------------------------------------------ drawing

  #drawAll() {
    const sorted = [...this.messages.values()].sort((a, b) => (olderThan(a.id, b.id) ? -1 : 1));
    const items = sorted.map((message, index) => this.#draw(message, sorted[index - 1]));
    this.list.replaceChildren(this.intro, ...items);
  }

  #insert(message) {
    const items = [...this.list.querySelectorAll("li.message[data-id]")];
    const after = items.findLast((item) => olderThan(item.dataset.id, message.id));
    const element = this.#draw(message, this.messages.get(after?.dataset.id));
    (after ?? this.intro).after(element);
    const next = element.nextElementSibling;
    if (next?.dataset.id) this.#redraw(next.dataset.id);
    if (!this.atEnd) this.jump.hidden = false;
  }

  #redraw(id) {
    const old = this.#element(id);
    const message = this.messages.get(id);
    if (!old || !message) return;
    const before = this.messages.get(old.previousElementSibling?.dataset.id);
    const key = old.contains(document.activeElement) ? document.activeElement.dataset.key ?? "message" : null;
    const fresh = this.#draw(message, before);
    old.replaceWith(fresh);
    if (key) (fresh.querySelector(`[data-key="${CSS.escape(key)}"]:not(:disabled)`) ?? fresh).focus();
  }

  #element(id) {
    return this.list.querySelector(`li.message[data-id="${id}"]`);
  }

  #draw(message, before) {
    const date = new Date(message.timestamp);
    const newDay = !before || dayName(new Date(before.timestamp)) !== dayName(date);
    const follows = !newDay && continues(message, before);
    const classes = ["message", follows && "follows", message.playground.only_you && "private", message.playground.pings_you && "pings"];
    return h(
      "li",
      { class: classes.filter(Boolean).join(" "), tabindex: "-1", data: { id: message.id }, oncontextmenu: (event) => this.#contextMenu(event, message) },
      newDay && h("div", { class: "day" }, h("span", {}, dayName(date))),
      this.#context(message),
      h(
        "div",
        { class: "message-row" },
        h("div", { class: "gutter" }, follows ? h("time", { class: "side-time", "aria-hidden": "true" }, clockTime(date)) : avatar(message.author)),
        h("div", { class: "message-body" }, !follows && heading(message, date), this.#content(message), this.#after(message)),
        this.#tools(message),
      ),
    );
  }

  /** What the message answers: a command, or another message. */
  #context(message) {
    const { used } = message.playground;
    if (used) {
      const { user } = message.interaction_metadata;
      return h("div", { class: "context" }, avatar(user, { small: true }), h("b", {}, nameOf(user)), " used ", h("span", { class: "command-used" }, used));
    }
    if (!message.message_reference) return null;
    const answered = message.referenced_message;
    if (!answered) return h("div", { class: "context" }, icon("reply"), h("i", {}, "The message is gone or cannot be shown."));
    const words = excerpt(answered, this.names);
    return h("div", { class: "context" }, avatar(answered.author, { small: true }), h("b", {}, nameOf(answered.author)), h("span", { class: "excerpt" }, words));
  }

  #content(message) {
    if (message.flags & LOADING) {
      return h("p", { class: "thinking" }, dots(), `${nameOf(message.author)} is thinking`);
    }
    const context = {
      message,
      names: this.names,
      busy: this.presses.get(message.id)?.state === "pending" ? this.presses.get(message.id).custom_id : null,
      press: (custom_id) => this.actions.press(message, custom_id),
      chosen: (custom_id) => this.choices.get(message.id)?.get(custom_id),
      choose: (custom_id, values) => {
        this.choices.set(message.id, (this.choices.get(message.id) ?? new Map()).set(custom_id, values));
        this.actions.choose(message, custom_id, values);
      },
    };
    const text = message.content && h("div", { class: "text" }, markdown(message.content, this.names), edited(message));
    const embeds = message.flags & SUPPRESS_EMBEDS ? [] : message.embeds;
    // In a layout only what the components name is shown.
    const files = message.flags & COMPONENTS_V2 ? [] : attachments(message.attachments);
    return [text, files, embeds.map((one) => embed(one, this.names)), renderAll(message.components, context)];
  }

  #after(message) {
    const failed = this.presses.get(message.id)?.state === "failed";
    const dismiss = { type: "button", class: "text-button", data: { key: "dismiss" }, onclick: () => this.actions.dismiss(message) };
    return [
      failed && h("p", { class: "failed" }, "This interaction failed"),
      message.playground.only_you && h("p", { class: "only-you" }, icon("eye"), "Only you can see this · ", h("button", dismiss, "Dismiss message")),
    ];
  }

  #tools(message) {
    return h("div", { class: "tools" }, this.#deleteButton(message), this.#moreButton(message));
  }

  #moreButton(message) {
    const open = (event) => {
      const { right, bottom } = event.currentTarget.getBoundingClientRect();
      this.actions.menu(message, { x: right - 200, y: bottom + 4, back: event.currentTarget });
    };
    return h("button", { type: "button", class: "icon-button", "aria-label": "More for this message", "aria-haspopup": "menu", title: "More", data: { key: "more" }, onclick: open }, icon("more"));
  }

  /** The browser's own menu stays where it is wanted: on links, and on text that is selected. */
  #contextMenu(event, message) {
    if (event.target.closest("a[href]") || getSelection().toString()) return;
    event.preventDefault();
    const back = event.target.closest("button") ?? event.currentTarget;
    this.actions.menu(message, { x: event.clientX, y: event.clientY, back });
  }

  #deleteButton(message) {
    if (!message.playground.can_delete) return null;
    const attributes = { type: "button", class: "icon-button danger", "aria-label": "Delete message", title: "Delete message", data: { key: "delete" } };
    const button = h("button", attributes, icon("trash"));
    button.addEventListener("click", () => {
      if (button.classList.contains("sure")) this.actions.remove(message);
      button.classList.add("sure");
      button.replaceChildren("Delete?");
    });
    button.addEventListener("blur", () => {
      button.classList.remove("sure");
      button.replaceChildren(icon("trash"));
    });
    return button;
  }

  #drawWaiting(interaction) {
    const failed = interaction.state === "failed";
    const forget = (event) => event.currentTarget.closest("li").remove();
    const dismiss = h("button", { type: "button", class: "text-button", onclick: forget }, "Dismiss message");
    const said = failed ? h("p", { class: "failed" }, "The bot did not respond in time.") : h("p", { class: "thinking" }, dots(), `Sending ${interaction.command}`);
    return h(
      "li",
      { class: failed ? "message private" : "message", data: { interaction: interaction.id } },
      h("div", { class: "context" }, avatar(this.you, { small: true }), h("b", {}, nameOf(this.you)), " used ", h("span", { class: "command-used" }, interaction.command)),
      h(
        "div",
        { class: "message-row" },
        h("div", { class: "gutter" }, avatar(this.bot)),
        h("div", { class: "message-body" }, h("div", { class: "heading" }, h("b", { class: "author" }, nameOf(this.bot)), badge("APP")), said, failed && h("p", { class: "only-you" }, icon("eye"), "Only you can see this · ", dismiss)),
      ),
    );
  }

  // -------------------------------------------------------------------------------------------------- place and announcing

  /** Whoever is at the end stays there; whoever reads further up is not moved. */
  #keepingPlace(change) {
    // The browser may not have told yet of a scroll that has happened.
    this.#noticePlace();
    change();
    if (this.atEnd) this.toEnd();
  }

  #noticePlace() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.atEnd = scrollHeight - scrollTop - clientHeight < 40;
    if (this.atEnd) this.jump.hidden = true;
  }

  /** Go to the newest message, and stay with what comes. */
  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.atEnd = true;
    this.jump.hidden = true;
  }

  #announce(message, before) {
    const said = message.flags & LOADING ? "is thinking" : excerpt(message, this.names);
    const already = before && !(before.flags & LOADING);
    if (!already && said) this.announcer.textContent = `${nameOf(message.author)}: ${said}`;
  }
}

function continues(message, before) {
  const near = new Date(message.timestamp) - new Date(before.timestamp) < TOGETHER_MS;
  const plain = !message.message_reference && !message.playground.used;
  const alike = message.author.id === before.author.id && message.playground.only_you === before.playground.only_you;
  return near && plain && alike;
}

function heading(message, date) {
  const { author } = message;
  return h(
    "div",
    { class: "heading" },
    h("b", { class: "author" }, nameOf(author)),
    author.bot && badge("APP"),
    author.system && badge("GUIDE"),
    h("time", { datetime: message.timestamp }, when(date)),
    !message.content && edited(message),
  );
}

const badge = (text) => h("span", { class: "badge" }, text);

const edited = (message) => message.edited_timestamp && h("span", { class: "edited", title: when(new Date(message.edited_timestamp)) }, " (edited)");

/** A message in a few words. */
export function excerpt(message, names) {
  if (message.flags & LOADING) return "is thinking";
  const displays = [...texts(message.components)];
  const embeds = message.embeds.flatMap((one) => [one.title, one.description]);
  const words = plainText([message.content, ...displays, ...embeds].filter(Boolean).join("\n"), names);
  if (words) return words.length > 140 ? `${words.slice(0, 140)}…` : words;
  return message.attachments.length ? "Press to see the attachment" : "A message without words";
}

function* texts(components) {
  for (const component of components) {
    if (component.content) yield component.content;
    yield* texts(component.components ?? []);
  }
}
