// The part of Discord's markdown that bots use, straight to DOM nodes.

import { h } from "./dom.js";
import { formatTimestamp } from "./time.js";

const JUMP = /^https:\/\/discord\.com\/channels\/(?:@me|\d{1,20})\/(\d{1,20})\/(\d{1,20})$/;

const FENCE = /^```(?:[a-z0-9+-]*\n)?([\s\S]*?)```/i;

// Tried in this order at every position; `nested` content is read again.
const INLINE = [
  [/^\\([^A-Za-z0-9\s])/, (found) => found[1]],
  [/^``(.+?)``(?!`)/s, (found) => h("code", {}, found[1].trim())],
  [/^`([^`]+)`/, (found) => h("code", {}, found[1])],
  [/^\*\*\*(.+?)\*\*\*/s, (found, nested) => h("strong", {}, h("em", {}, nested(found[1])))],
  [/^\*\*(.+?)\*\*(?!\*)/s, (found, nested) => h("strong", {}, nested(found[1]))],
  [/^__(.+?)__(?!_)/s, (found, nested) => h("u", {}, nested(found[1]))],
  [/^~~(.+?)~~/s, (found, nested) => h("s", {}, nested(found[1]))],
  [/^\|\|(.+?)\|\|/s, (found, nested) => spoiler(nested(found[1]))],
  [/^\*(?=\S)([^*]*?\S)\*(?!\*)/s, (found, nested) => h("em", {}, nested(found[1]))],
  [/^_(?=\S)([^_]*?\S)_(?![A-Za-z0-9_])/s, (found, nested) => h("em", {}, nested(found[1]))],
  [/^<t:(-?\d{1,13})(?::([tTdDfFR]))?>/, (found) => timestamp(Number(found[1]), found[2] ?? "f")],
  [/^<@!?(\d{1,20})>/, (found, _nested, names) => mention(`@${names.user(found[1])}`)],
  [/^<@&(\d{1,20})>/, (found, _nested, names) => mention(`@${names.role(found[1])}`)],
  [/^<#(\d{1,20})>/, (found, _nested, names) => mention(`#${names.channel(found[1])}`, names.open?.(found[1]))],
  [/^<a?:(\w{2,32}):\d{1,20}>/, (found) => `:${found[1]}:`],
  [/^<\/([^:>]{1,100}):\d{1,20}>/, (found) => mention(`/${found[1]}`)],
  [/^@(everyone|here)\b/, (found) => mention(found[0])],
  [/^\[([^\]\n]+)\]\(<?(https?:\/\/[^\s)>]+)>?\)/, (found, nested, names) => link(found[2], nested(found[1]), names)],
  [/^<?(https?:\/\/[^\s<>]*[^\s<>.,:;"'\])])>?/, (found, _nested, names) => link(found[1], [found[1]], names)],
];

/** Inline text as nodes. `names` looks up users, roles and channels by id. */
export function inline(text, names) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const match = matchInline(text, at);
    if (!match) {
      plain += text[at];
      at += 1;
      continue;
    }
    const [found, build] = match;
    flush();
    nodes.push(build(found, (inner) => inline(inner, names), names));
    at += found[0].length;
  }
  flush();
  return nodes;
}

function matchInline(text, at) {
  // Most characters begin nothing: do not try twenty patterns for each.
  if (!"\\`*_~|<@[h".includes(text[at])) return null;
  const midWord = at > 0 && /[A-Za-z0-9]/.test(text[at - 1]);
  if (midWord && (text[at] === "_" || text[at] === "h")) return null;
  const rest = text.slice(at);
  for (const [pattern, build] of INLINE) {
    const found = pattern.exec(rest);
    if (found) return [found, build];
  }
  return null;
}

/** A whole text as block elements. */
export function markdown(text, names) {
  const blocks = [];
  let rest = text.replace(/\r\n/g, "\n");
  while (rest) {
    const fence = FENCE.exec(rest);
    if (fence) {
      blocks.push(h("pre", {}, h("code", {}, fence[1].replace(/\n$/, ""))));
      rest = rest.slice(fence[0].length).replace(/^\n/, "");
      continue;
    }
    const all = /^>>> ([\s\S]*)$/.exec(rest);
    if (all) {
      blocks.push(h("blockquote", {}, markdown(all[1], names)));
      break;
    }
    rest = takeLines(rest, blocks, names);
  }
  return blocks;
}

const LINE_BLOCKS = [
  [/^(#{1,3}) +(.+)$/, (found, names) => h(`h${found[1].length + 2}`, {}, inline(found[2], names))],
  [/^-# +(.+)$/, (found, names) => h("small", { class: "subtext" }, inline(found[1], names))],
];

const GROUPS = [
  [/^> ?(.*)$/, (lines, names) => h("blockquote", {}, markdown(lines.join("\n"), names))],
  [/^ {0,3}[-*] +(.+)$/, (lines, names) => h("ul", {}, lines.map((line) => h("li", {}, inline(line, names))))],
  [/^ {0,3}\d{1,9}\. +(.+)$/, (lines, names) => h("ol", {}, lines.map((line) => h("li", {}, inline(line, names))))],
];

/** Read one block off the front of the text; returns what is left. */
function takeLines(text, blocks, names) {
  const lines = text.split("\n");
  for (const [pattern, build] of LINE_BLOCKS) {
    const found = pattern.exec(lines[0]);
    if (found) {
      blocks.push(build(found, names));
      return lines.slice(1).join("\n");
    }
  }
  for (const [pattern, build] of GROUPS) {
    const count = leading(lines, (line) => pattern.test(line));
    if (count) {
      blocks.push(build(lines.slice(0, count).map((line) => pattern.exec(line)[1]), names));
      return lines.slice(count).join("\n");
    }
  }
  const count = Math.max(1, leading(lines, (line) => !startsBlock(line)));
  const paragraph = lines.slice(0, count).join("\n");
  if (paragraph.trim()) blocks.push(h("p", {}, inline(paragraph, names)));
  return lines.slice(count).join("\n");
}

function leading(lines, test) {
  const end = lines.findIndex((line) => !test(line));
  return end < 0 ? lines.length : end;
}

function startsBlock(line) {
  return line === "" || line.startsWith("```") || [...LINE_BLOCKS, ...GROUPS].some(([pattern]) => pattern.test(line));
}

function spoiler(content) {
  const reveal = (event) => event.currentTarget.classList.add("revealed");
  return h("button", { type: "button", class: "spoiler-text", "aria-label": "Spoiler, press to show", onclick: reveal }, h("span", {}, content));
}

function mention(text, open) {
  if (open) return h("button", { type: "button", class: "mention", onclick: open }, text);
  return h("span", { class: "mention" }, text);
}

function link(url, content, names) {
  const [, channel, message] = JUMP.exec(url) ?? [];
  const jump = channel && names?.jump?.(channel, message);
  if (jump) return h("button", { type: "button", class: "text-button", onclick: jump }, content);
  return h("a", { href: url, target: "_blank", rel: "noreferrer noopener" }, content);
}

function timestamp(seconds, style) {
  const full = formatTimestamp(seconds, "F");
  return h("time", { class: "timestamp", title: full, data: { seconds, style } }, formatTimestamp(seconds, style));
}

/** The words alone, for announcements and excerpts. */
export function plainText(text, names) {
  const blocks = markdown(text, names).map((block) => block.textContent);
  return blocks.join(" ").replace(/\s+/g, " ").trim();
}
