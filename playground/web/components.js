// Components and embeds as elements. What each kind looks like stands in one table.

import { dots, h, icon } from "./dom.js";
import { optionsOf, presetOf } from "./fields.js";
import { inline, markdown } from "./markdown.js";
import { externalLink, fileCard, isOurs, mosaic, thumbnail, veiled } from "./media.js";
import { SelectMenu } from "./selects.js";
import { when } from "./time.js";

const BUTTON_STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link", 6: "link" };

/**
 * `context`: {message, names, busy: the custom_id being used, press(custom_id), choose(custom_id, values),
 * chosen(custom_id): what was chosen there last}.
 */
const KINDS = {
  1: (row, context) => h("div", { class: "button-row" }, renderAll(row.components, context)),
  2: button,
  3: select,
  5: select,
  6: select,
  7: select,
  8: select,
  9: (section, context) =>
    h("div", { class: "section" }, h("div", { class: "section-text" }, renderAll(section.components, context)), render(section.accessory, context)),
  10: (text, context) => h("div", { class: "text-display" }, markdown(text.content, context.names)),
  11: (component) => thumbnail({ ...component.media, description: component.description, spoiler: component.spoiler }),
  12: gallery,
  13: (component) => spoilered(component, fileCard({ ...component.file, name: component.name, size: component.size })),
  14: (separator) => h("hr", { class: `separator spacing-${separator.spacing}${separator.divider ? "" : " invisible"}` }),
  17: container,
};

export function render(component, context) {
  const draw = KINDS[component.type];
  return draw ? draw(component, context) : h("p", { class: "unknown" }, `The playground does not show component type ${component.type}.`);
}

export const renderAll = (components, context) => components.map((component) => render(component, context));

function button(component, context) {
  const style = BUTTON_STYLES[component.style] ?? "secondary";
  const face = [component.emoji?.name && h("span", { class: "emoji" }, component.emoji.name), component.label];
  if (component.url) {
    const link = { class: `button ${style}`, href: component.url, target: "_blank", rel: "noreferrer noopener" };
    return h("a", link, face, icon("external"));
  }
  const busy = context.busy === component.custom_id;
  const attributes = {
    type: "button",
    class: `button ${style}${busy ? " busy" : ""}`,
    disabled: component.disabled,
    "aria-busy": busy ? "true" : null,
    data: { key: `button-${component.custom_id}` },
    onclick: () => busy || context.press(component.custom_id),
  };
  return h("button", attributes, busy ? h("span", { class: "button-face" }, face) : face, busy && dots());
}

function select(component, context) {
  const { custom_id, placeholder, min_values: least, max_values: most, disabled } = component;
  const busy = context.busy === custom_id;
  const menu = new SelectMenu({
    options: optionsOf(component, context.names.place),
    placeholder: placeholder ?? "Make a selection",
    label: placeholder ?? "Menu",
    least,
    most,
    chosen: context.chosen(custom_id) ?? presetOf(component),
    disabled,
    busy,
    key: `select-${custom_id}`,
    done: (values) => (values.length < least ? menu.undo() : context.choose(custom_id, values)),
  });
  return menu.element;
}

function gallery(component) {
  const items = component.items.map((item) => ({ ...item.media, description: item.description, spoiler: item.spoiler }));
  const [ours, others] = [items.filter((item) => isOurs(item.url)), items.filter((item) => !isOurs(item.url))];
  return h("div", { class: "gallery" }, ours.length ? mosaic(ours) : null, others.map((item) => externalLink(item.url)));
}

function container(component, context) {
  const box = h("div", { class: "container" }, renderAll(component.components, context));
  if (component.accent_color !== null) {
    box.classList.add("accented");
    box.style.setProperty("--accent", hex(component.accent_color));
  }
  return spoilered(component, box);
}

const spoilered = (component, element) => (component.spoiler ? veiled(element) : element);

const hex = (color) => `#${color.toString(16).padStart(6, "0")}`;

export function embed(content, names) {
  const { author, title, url, description, fields, image, footer, timestamp } = content;
  const heading = title && (url ? h("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, inline(title, names)) : inline(title, names));
  const foot = [footer?.text, timestamp && when(new Date(timestamp))].filter(Boolean).join(" · ");
  const box = h(
    "article",
    { class: "embed" },
    h(
      "div",
      { class: "embed-text" },
      author && h("p", { class: "embed-author" }, author.name),
      heading && h("h4", {}, heading),
      description && h("div", {}, markdown(description, names)),
      fields && h("dl", { class: "embed-fields" }, fields.map((field) => embedField(field, names))),
      image && picture(image),
      foot && h("p", { class: "embed-footer" }, foot),
    ),
    content.thumbnail && (isOurs(content.thumbnail.url) ? thumbnail({ ...content.thumbnail, attachment_id: content.thumbnail.url }) : null),
  );
  if (content.color !== undefined) box.style.setProperty("--accent", hex(content.color));
  return box;
}

function embedField(field, names) {
  return h("div", { class: field.inline ? "inline" : "" }, h("dt", {}, inline(field.name, names)), h("dd", {}, markdown(field.value, names)));
}

function picture(image) {
  if (!isOurs(image.url)) return externalLink(image.url);
  return mosaic([{ ...image, attachment_id: new URL(image.url).pathname }]);
}
