// The page: who one is, where one is, and what the stream of events does to it.

import * as api from "./api.js";
import { Composer } from "./composer.js";
import { avatar, h, icon, nameOf, setDisplayName } from "./dom.js";
import { Forms } from "./forms.js";
import { Menu } from "./menu.js";
import { MessageList } from "./messages.js";
import { keepTimesFresh } from "./time.js";

const TYPING_MS = 10_000;
const USER_COMMAND = 2;
const MESSAGE_COMMAND = 3;
const BOT_DIRECT = 1;

const at = (id) => document.getElementById(id);

const app = {
  world: null,
  channel: null,
  commands: [],
  stream: null,
  place: null,
  turn: 0,
  later: null,
  settled: Promise.resolve(),
  connected: true,
  unread: new Map(),

  get you() {
    return this.world.you.id;
  },
};

const actions = {
  press: (message, custom_id) => attempt(() => begin(api.press(app.you, message.id, custom_id))),
  choose: (message, custom_id, values) => attempt(() => begin(api.choose(app.you, message.id, custom_id, values))),
  menu: (message, place) => menu.open({ label: "What can be done with this message", sections: menuOf(message), ...place }),
  dismiss: (message) => attempt(() => api.dismiss(app.you, message.id)),
  remove: (message) => attempt(() => api.remove(app.you, message.id)),
  say: (content, files) => sending(() => api.say(app.you, app.channel.id, content, files)),
  run: (call, files) => sending(() => begin(api.runCommand({ ...call, member: app.you, channel: app.channel.id }, files))),
  suggest: (call) => api.loadChoices({ ...call, member: app.you, channel: app.channel.id }),
};

const messages = new MessageList({
  scroller: at("scroller"),
  list: at("messages"),
  jump: at("jump"),
  announcer: at("announcer"),
  actions,
});

const composer = new Composer({
  host: at("composer"),
  dropHint: at("drop-hint"),
  actions,
  world: () => app.world,
  place: () => placeHere(),
  commands: async () => (app.commands = await api.loadCommands(app.you, app.channel.id)),
});

const menu = new Menu();

const forms = new Forms({
  dialog: at("form-dialog"),
  world: () => app.world,
  names,
  submit: (interaction, values, files) => api.submit(app.you, interaction.id, values, files),
  closed: ({ source_id, custom_id }) => {
    // The dialog gives the focus back, unless what had it was drawn anew meanwhile.
    if (document.activeElement !== document.body) return;
    if (!source_id || !messages.focus(source_id, custom_id)) composer.focus();
  },
});

/** Something that the bot may answer with a form. */
async function begin(request) {
  forms.expect(await request);
}

/** The bot's commands for a message, and for who wrote it. */
function menuOf(message) {
  const { author } = message;
  const entries = (type, start) =>
    app.commands.filter((command) => command.type === type).map((command) => ({ label: command.name_localized, icon: avatar(app.world.bot, { small: true }), run: () => attempt(() => begin(start(command))) }));
  const aboutAuthor = author.system ? [] : entries(USER_COMMAND, (command) => api.userCommand(app.you, app.channel.id, author.id, command));
  return [
    { title: "Apps", items: entries(MESSAGE_COMMAND, (command) => api.messageCommand(app.you, message.id, command)) },
    { title: nameOf(author), items: aboutAuthor },
  ];
}

/** What is sent goes out as whom and where the page shows by then; and whoever sends something wants to see it. */
async function sending(request) {
  await app.settled;
  await request();
  messages.toEnd();
}

/** Go somewhere, or become somebody else. */
function move(action) {
  const settled = attempt(action).then(() => settled === app.settled && catchUp());
  app.settled = settled;
  return settled;
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    at("announcer").textContent = error.message;
    showNotice(h("span", {}, error.message), { for: 6000 });
  }
}

// --------------------------------------------------------------------------------------------------- who and where one is

/** Become a member; stay in the channel, or in one's own direct message if one was in one. */
async function become(member, channelName) {
  app.stream?.close();
  const known = app.world?.members.find((one) => one.id === member);
  if (known) {
    app.world.you = known;
    openComposer(app.channel);
  }
  const turn = (app.turn += 1);
  const world = await api.loadWorld(member);
  // Somebody who switches quickly is already somebody else.
  if (turn !== app.turn) return;
  app.world = world;
  app.unread.clear();
  forms.reset();
  setDisplayName(world.bot.id, world.bot.name);
  messages.you = personAsUser(world.you);
  messages.bot = { id: world.bot.id, bot: true, username: world.bot.name };
  at("server-name").textContent = world.guild.name;
  const wanted = world.channels.find((channel) => channel.name === channelName) ?? world.channels[0];
  drawPeople();
  drawBot();
  follow();
  await enter(wanted);
}

const personAsUser = (person) => ({ id: person.id, global_name: person.name, bot: person.bot });

async function enter(channel) {
  app.channel = channel;
  app.unread.delete(channel.id);
  openComposer(channel);
  // What happens while the messages are on their way is told once they are here, or they would overwrite it.
  app.later = [];
  const found = await api.loadMessages(app.you, channel.id);
  if (app.channel !== channel) return;
  messages.open({ intro: introduction(channel), messages: found, names: names() });
  catchUp();
  at("channel-name").replaceChildren(title(channel), channel.nsfw ? h("span", { class: "badge age" }, "18+") : "");
  at("channel-topic").textContent = isDirect(channel) ? `A direct message: only you and ${titleOf(channel)}` : channel.topic;
  at("typing").textContent = "";
  document.title = `${isDirect(channel) ? titleOf(channel) : `#${channel.name}`} · ${serverOf(channel).name}`;
  history.replaceState(null, "", `?${new URLSearchParams({ member: app.world.you.name, channel: channel.name })}`);
  drawChannels();
  await attempt(() => composer.refresh());
}

/** Who may do what has changed; where one is has not. */
async function refreshWorld() {
  const { you } = app;
  const world = await api.loadWorld(you);
  if (app.you !== you) return;
  app.world = world;
  app.channel = world.channels.find((channel) => channel.id === app.channel.id) ?? app.channel;
  messages.names = names();
  messages.introduce(introduction(app.channel));
  drawPeople();
  drawChannels();
  await composer.refresh();
}

/** A new place or another person begins with an empty field; the same ones, loaded anew, keep what was being written. */
function openComposer(channel) {
  const place = `${app.you} ${channel.id}`;
  if (app.place === place) return;
  app.place = place;
  composer.reset(isDirect(channel) ? `Message ${titleOf(channel)}` : `Message #${channel.name}`);
}

function catchUp() {
  const waiting = app.later ?? [];
  app.later = null;
  for (const tell of waiting) tell();
}

const isDirect = (channel) => channel.type === 1;

/** Whether the bot itself is there; elsewhere it can only be brought along. */
const botIsIn = (channel) => channel.context === BOT_DIRECT || channel.guild_id === app.world.guild.id;

const serverOf = (channel) => (channel.guild_id === app.world.other_guild.id ? app.world.other_guild : app.world.guild);

/** Who is at the other end of a direct message. */
const otherEnd = (channel) => [app.world.bot, ...app.world.members].find((person) => person.id === channel.with_id);

const titleOf = (channel) => (isDirect(channel) ? otherEnd(channel).name : channel.name);

const title = (channel) => (isDirect(channel) ? titleOf(channel) : h("span", {}, h("span", { class: "hash", "aria-hidden": "true" }, "#"), channel.name));

function introduction(channel) {
  const { bot, you } = app.world;
  const heading = isDirect(channel) ? `This is where ${titleOf(channel)} and you talk` : `This is the beginning of #${channel.name}`;
  const brought = you.has_app ? `Type / for what you brought along.` : `You have not installed ${bot.name} for yourself, so there are no commands for you.`;
  const words = botIsIn(channel) ? (isDirect(channel) ? "Nobody else sees what is said here." : "Type / to see what the bot can do.") : `${bot.name} is not here. ${brought}`;
  return h("li", { class: "introduction" }, h("h3", {}, heading), h("p", {}, words));
}

/** Who and what can be chosen where one is: a direct message has no roles and channels. */
function placeHere() {
  const { members, bot, channels, roles } = app.world;
  const here = (thing) => thing.guild_id !== undefined && thing.guild_id === app.channel.guild_id;
  return { people: [...members, bot], roles: roles.filter(here), rooms: channels.filter(here) };
}

/** What mentions are called. */
function names() {
  const { members, bot, channels, roles } = app.world;
  const by = (list) => new Map(list.map((one) => [one.id, one]));
  const [people, rooms, groups] = [by([...members, bot]), by(channels), by(roles)];
  return {
    place: placeHere(),
    user: (id) => people.get(id)?.name ?? "somebody",
    role: (id) => groups.get(id)?.name.replace(/^@/, "") ?? "a role",
    channel: (id) => rooms.get(id)?.name ?? "a channel",
    open: (id) => rooms.has(id) && (() => move(() => enter(rooms.get(id)))),
  };
}

// ------------------------------------------------------------------------------------------------------------- the sidebar

/** Draw part of the page anew; what had the focus there has it again. */
function keepingFocus(host, ...content) {
  const key = host.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  host.replaceChildren(...content);
  if (key) host.querySelector(`[data-key="${key}"]`)?.focus();
}

function drawChannels() {
  const { guild, other_guild: other } = app.world;
  const roomsOf = (server) => app.world.channels.filter((channel) => channel.guild_id === server.id);
  const directs = app.world.channels.filter(isDirect);
  keepingFocus(
    at("channels"),
    h("h3", { id: "rooms" }, "Channels"),
    h("ul", { "aria-labelledby": "rooms" }, roomsOf(guild).map(channelItem)),
    h("h3", { id: "directs" }, "Direct messages"),
    h("ul", { "aria-labelledby": "directs" }, directs.map(channelItem)),
    h("h3", { id: "elsewhere" }, `${other.name}, a server without the bot`),
    h("ul", { "aria-labelledby": "elsewhere" }, roomsOf(other).map(channelItem)),
  );
}

function channelItem(channel) {
  const current = channel.id === app.channel.id;
  const unread = app.unread.get(channel.id);
  const open = () => {
    closeDrawer();
    move(() => enter(channel)).then(() => (narrow.matches ? at("scroller") : composer).focus());
  };
  const face = isDirect(channel) ? avatar(otherEnd(channel), { small: true }) : h("span", { class: "hash", "aria-hidden": "true" }, "#");
  const note = unread?.pings ? h("span", { class: "ping-count" }, String(unread.pings), h("span", { class: "sr-only" }, " mentions")) : null;
  const attributes = { type: "button", class: `channel${current ? " current" : ""}${unread ? " unread" : ""}`, "aria-current": current ? "page" : null, data: { key: channel.id }, onclick: open };
  const button = h("button", attributes, face, titleOf(channel), channel.nsfw && h("span", { class: "badge age", title: "Age-restricted" }, "18+"), unread && !note ? h("span", { class: "sr-only" }, " (unread)") : null, note);
  return h("li", {}, button);
}

function drawPeople() {
  keepingFocus(at("people"), ...app.world.members.map(personChoice));
  keepingFocus(at("settings"), ...settings());
}

/** How the member has set up their Discord. */
function settings() {
  const { you, locales, bot } = app.world;
  const set = (fields) => attempt(() => api.setUp(app.you, fields));
  const languages = locales.map((locale) => h("option", { value: locale, selected: locale === you.locale }, locale));
  return [
    h("label", {}, "Language ", h("select", { data: { key: "locale" }, onchange: (event) => set({ locale: event.target.value }) }, languages)),
    h("label", { title: `${you.name} can use ${bot.name} in places where it is not` }, h("input", { type: "checkbox", checked: you.has_app, data: { key: "has-app" }, onchange: (event) => set({ has_app: event.target.checked }) }), " App installed"),
  ];
}

function personChoice(member) {
  const choose = () => move(() => become(member.id, app.channel.name));
  const radio = h("input", { type: "radio", name: "member", value: member.id, checked: member.id === app.you, class: "sr-only", data: { key: member.id }, onchange: choose });
  const role = member.roles[0] ?? "member";
  return h("label", { class: "person", title: `${member.name}, ${role}` }, radio, avatar(personAsUser(member)), h("span", { class: "person-name" }, member.name), h("span", { class: "person-role" }, role));
}

function drawBot() {
  const { bot } = app.world;
  at("bot-status").replaceChildren(h("span", { class: `light ${bot.connected ? "on" : ""}` }), bot.connected ? `${bot.name} is here` : "no bot");
  drawNotice();
}

// ------------------------------------------------------------------------------------------------------------- the notice

let noticeTimer;

/** Lines above the messages: no connection, no bot, or what went wrong just now. */
function drawNotice() {
  clearTimeout(noticeTimer);
  if (!app.connected) return showNotice(h("span", {}, h("b", {}, "The playground does not answer."), " Is it still running? Trying again…"));
  if (!app.world.bot.connected) return showNotice(howToConnect());
  at("notice").hidden = true;
}

function showNotice(content, options = {}) {
  clearTimeout(noticeTimer);
  at("notice").replaceChildren(content);
  at("notice").hidden = false;
  if (options.for) noticeTimer = setTimeout(drawNotice, options.for);
}

function howToConnect() {
  const api_url = `${location.origin}/api/v10`;
  const gateway_url = `${location.origin.replace(/^http/, "ws")}/gateway`;
  return h(
    "span",
    {},
    h("b", {}, "No bot is connected."),
    " Start one with ",
    h("code", {}, `DISCORD_API_URL=${api_url}`),
    " and ",
    h("code", {}, `DISCORD_GATEWAY_URL=${gateway_url}`),
    ", or stop this and run ",
    h("code", {}, "make play"),
    ", which starts everything. ",
    h("code", {}, "python -m playground --help"),
    " shows the token.",
  );
}

// ------------------------------------------------------------------------------------------------------------- the stream

function follow() {
  app.stream = api.listen(app.you, app.world.last_event, {
    open: () => connection(true),
    error: () => connection(false),
    reset: () => move(() => become(app.you, app.channel.name)),
    message: soon(heard),
    "message-deleted": soon((event) => isHere(event) && messages.drop(event.id)),
    "interaction-created": soon(followed),
    interaction: soon(followed),
    commands: () => attempt(() => composer.refresh()),
    member: () => attempt(refreshWorld),
    role: () => attempt(refreshWorld),
    "channel-deleted": channelGone,
    typing: (event) => isHere(event) && typing(),
    bot: ({ connected }) => {
      app.world.bot.connected = connected;
      drawBot();
    },
  });
}

const isHere = (event) => event.channel_id === app.channel.id;

const soon = (tell) => (event) => (app.later ? app.later.push(() => tell(event)) : tell(event));

function followed(interaction) {
  if (isHere(interaction)) messages.follow(interaction);
  forms.follow(interaction);
}

function connection(alive) {
  if (app.connected === alive) return;
  app.connected = alive;
  drawNotice();
}

function heard(message) {
  if (message.author.bot) at("typing").textContent = "";
  if (message.channel_id === app.channel.id) return messages.put(message);
  if (message.author.id === app.you) return;
  const before = app.unread.get(message.channel_id) ?? { ids: new Set(), pings: 0 };
  const pings = message.playground.pings_you && !before.ids.has(message.id) ? 1 : 0;
  app.unread.set(message.channel_id, { ids: before.ids.add(message.id), pings: before.pings + pings });
  drawChannels();
}

function channelGone(event) {
  app.world.channels = app.world.channels.filter((channel) => channel.id !== event.id);
  if (app.channel.id === event.id) move(() => enter(app.world.channels[0]));
  else drawChannels();
}

let typingTimer;

function typing() {
  clearTimeout(typingTimer);
  at("typing").textContent = `${app.world.bot.name} is typing…`;
  typingTimer = setTimeout(() => (at("typing").textContent = ""), TYPING_MS);
}

// ---------------------------------------------------------------------------------------------------- drawer and keyboard

const narrow = matchMedia("(max-width: 760px)");

function openDrawer() {
  document.body.classList.add("drawer-open");
  at("drawer-button").setAttribute("aria-expanded", "true");
  at("drawer-shade").hidden = false;
  setDrawerReach();
  at("sidebar").querySelector(".channel.current")?.focus();
}

function closeDrawer({ refocus = false } = {}) {
  document.body.classList.remove("drawer-open");
  at("drawer-button").setAttribute("aria-expanded", "false");
  at("drawer-shade").hidden = true;
  setDrawerReach();
  if (refocus) at("drawer-button").focus();
}

/** A drawer that is out of sight is out of reach of the keyboard as well, and while it is open all else is. */
function setDrawerReach() {
  const open = document.body.classList.contains("drawer-open");
  at("sidebar").inert = narrow.matches && !open;
  document.querySelector("main").inert = narrow.matches && open;
}

at("drawer-button").append(icon("menu"));
at("drawer-button").addEventListener("click", openDrawer);
at("drawer-shade").addEventListener("click", () => closeDrawer({ refocus: true }));
narrow.addEventListener("change", () => closeDrawer());

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.body.classList.contains("drawer-open")) return closeDrawer({ refocus: true });
  const elsewhere = document.activeElement === document.body || document.activeElement === at("scroller") || document.activeElement?.matches("li.message");
  const character = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey;
  if (elsewhere && character && !document.querySelector("dialog[open]")) composer.type();
});

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  composer.focus();
});

keepTimesFresh();
setDrawerReach();
const asked = new URLSearchParams(location.search);
const arrive = (member) => become(member, asked.get("channel") ?? "");
move(() => arrive(asked.get("member") ?? "").catch(() => arrive(""))).then(() => narrow.matches || composer.focus());
