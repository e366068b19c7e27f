// The server's side of the page: see client_api.py for what each address does.

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(body.message ?? "The playground could not do that.");
  return body;
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The playground does not answer. Is it still running?");
  }
  return answer(response);
}

const query = (fields) => new URLSearchParams(fields).toString();

const post = (path, fields) =>
  request(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) });

export const loadWorld = (member) => request(`/client/world?${query(member ? { member } : {})}`);

export const loadMessages = (member, channel) => request(`/client/channels/${channel}/messages?${query({ member })}`);

export const loadCommands = (member, channel) => request(`/client/channels/${channel}/commands?${query({ member })}`);

export function say(member, channel, content, files) {
  const form = new FormData();
  form.set("member", member);
  form.set("content", content);
  files.forEach((file, index) => form.set(`files[${index}]`, file, file.name));
  return request(`/client/channels/${channel}/messages`, { method: "POST", body: form });
}

/** call: {member, channel, name, command_id, options}; files: a File by option name. */
export function runCommand(call, files) {
  const form = new FormData();
  form.set("payload_json", JSON.stringify(call));
  for (const [option, file] of Object.entries(files)) form.set(option, file, file.name);
  return request("/client/commands", { method: "POST", body: form });
}

/** call: {member, channel, name, command_id, option, typed, options}. A promise of what the bot suggests, or of null. */
export const loadChoices = async (call) => (await post("/client/choices", call)).choices;

export const press = (member, message, custom_id) => post(`/client/messages/${message}/press`, { member, custom_id });

export const choose = (member, message, custom_id, values) => post(`/client/messages/${message}/choose`, { member, custom_id, values });

export const messageCommand = (member, message, command) => post(`/client/messages/${message}/commands`, { member, name: command.name, command_id: command.id });

export const userCommand = (member, channel, user, command) => post(`/client/users/${user}/commands`, { member, channel, name: command.name, command_id: command.id });

/** values: by custom_id; files: a list of Files by custom_id. */
export function submit(member, interaction, values, files) {
  const form = new FormData();
  form.set("payload_json", JSON.stringify({ member, values }));
  for (const [field, several] of Object.entries(files)) for (const file of several) form.append(field, file, file.name);
  return request(`/client/interactions/${interaction}/submit`, { method: "POST", body: form });
}

/** settings: {locale?, has_app?}. */
export const setUp = (member, settings) => post(`/client/members/${member}`, settings);

export const dismiss = (member, message) => post(`/client/messages/${message}/dismiss`, { member });

export const remove = (member, message) => post(`/client/messages/${message}/delete`, { member });

export async function sampleFace() {
  const response = await fetch("/client/sample-face");
  if (!response.ok) throw new Error("The sample face could not be loaded.");
  return new File([await response.blob()], "sample-face.png", { type: "image/png" });
}

/** A stream of what happens; `handlers` by event name. The browser reconnects and catches up by itself. */
export function listen(member, after, handlers) {
  const stream = new EventSource(`/client/events?${query({ member, after })}`);
  for (const [name, handle] of Object.entries(handlers)) {
    if (name === "open" || name === "error") stream.addEventListener(name, () => handle());
    else stream.addEventListener(name, (event) => handle(JSON.parse(event.data)));
  }
  return stream;
}
