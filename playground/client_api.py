"""What the page needs, under /client: no sessions, every request names the member it acts for.

GET    /client/world?member=                        server, channels, members, whether the bot is there
GET    /client/channels/{id}/messages?member=       the latest messages that the member sees, oldest first
GET    /client/channels/{id}/commands?member=       the commands offered there
POST   /client/channels/{id}/messages               form: member, content, files: say something
POST   /client/commands                             form: payload_json {member, channel, name, command_id, options},
                                                    and a file per attachment option, its field named after the option
POST   /client/choices                              {member, channel, name, command_id, option, typed, options}: what
                                                    the bot suggests for an option, {choices: [{name, value}]}; null
                                                    when it did not answer within three seconds
POST   /client/messages/{id}/press                  {member, custom_id}
POST   /client/messages/{id}/choose                 {member, custom_id, values: [...]}
POST   /client/messages/{id}/commands               {member, name, command_id}: from the message's menu
POST   /client/users/{id}/commands                  {member, channel, name, command_id}: from a person's menu
POST   /client/interactions/{id}/submit             form: payload_json {member, values: {custom_id: ...}}, and files,
                                                    their fields named after the upload: the form that its answer opened
POST   /client/members/{id}                         {locale?, has_app?}: how a member has set up their Discord
POST   /client/messages/{id}/dismiss                {member}: hide a private message
POST   /client/messages/{id}/delete                 {member}: one's own, or any for a moderator
GET    /client/events?member=                       server-sent events; Last-Event-ID replays what was missed
GET    /client/sample-face                          a drawn face, as a file to attach

What a member may not do is answered with 400 and `{"message": sentence}`.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiohttp import BodyPartReader, web

from playground.answers import json_response
from playground.commands import CommandKind, localized
from playground.errors import Json, MemberError
from playground.interactions import CommandCall, run_command
from playground.journal import Journal
from playground.messages import (
    MAX_MEMBER_FILE_BYTES,
    may_delete,
    member_deletes,
    member_dismisses,
    member_says,
    set_app,
    set_locale,
)
from playground.modals import Filling
from playground.model import (
    LOCALES,
    Channel,
    Event,
    EventKind,
    Guild,
    Interaction,
    InteractionKind,
    Message,
    MessageKind,
    User,
)
from playground.multipart import Upload
from playground.options import Focus
from playground.sample_face import SAMPLE_FACE_NAME, sample_face
from playground.state import State
from playground.uses import choose_values, press_button, run_message_command, run_user_command, submit_form
from playground.wire import Wire

SHOWN_MESSAGES = 100
# Proxies and browsers give up on a silent stream after about a minute.
KEEP_ALIVE_S = 15.0
RECONNECT_AFTER_MS = 1000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Suggested = Callable[[CommandCall, Focus], Awaitable[list[Json]]]


class ClientApi:
    """The page's side of the server."""

    def __init__(self, state: State, wire: Wire, journal: Journal, *, suggested: Suggested) -> None:
        self._state = state
        self._wire = wire
        self._journal = journal
        self._suggested = suggested
        # Tells the streams of this run from those of an earlier one, whose numbers mean nothing here.
        self._run = secrets.token_hex(4)

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.get("/client/world", _guarded(self._world)),
            web.get("/client/channels/{id}/messages", _guarded(self._messages)),
            web.get("/client/channels/{id}/commands", _guarded(self._commands)),
            web.post("/client/channels/{id}/messages", _guarded(self._say)),
            web.post("/client/commands", _guarded(self._run_command)),
            web.post("/client/choices", _guarded(self._choices)),
            web.post("/client/messages/{id}/press", _guarded(self._press)),
            web.post("/client/messages/{id}/choose", _guarded(self._choose)),
            web.post("/client/messages/{id}/commands", _guarded(self._message_command)),
            web.post("/client/users/{id}/commands", _guarded(self._user_command)),
            web.post("/client/interactions/{id}/submit", _guarded(self._submit)),
            web.post("/client/members/{id}", _guarded(self._set_up)),
            web.post("/client/messages/{id}/dismiss", _guarded(self._dismiss)),
            web.post("/client/messages/{id}/delete", _guarded(self._delete)),
            web.get("/client/events", _guarded(self._events)),
            web.get("/client/sample-face", _sample_face),
        ]

    # ----------------------------------------------------------------------------------------------------- reading

    async def _world(self, request: web.Request) -> web.StreamResponse:
        member = self._state.member(request.query.get("member") or self._state.guild.owner_id)
        channels = [c for c in self._state.channels.values() if self._state.may_see_channel(member, c)]
        return json_response(
            {
                "guild": _guild(self._state.guild),
                "other_guild": _guild(self._state.other_guild),
                "you": self._person(member),
                "members": [self._person(one) for one in self._state.members.values()],
                "bot": self._person(self._state.bot) | {"connected": self._state.bot_connected},
                "channels": [self._place(member, channel) for channel in channels],
                "roles": [
                    self._wire.role(role) | {"guild_id": str(guild.id)}
                    for guild in (self._state.guild, self._state.other_guild)
                    for role in reversed(guild.roles.values())
                ],
                "locales": LOCALES,
                "last_event": f"{self._run}-{self._journal.last}",
            }
        )

    def _person(self, user: User) -> Json:
        roles = [role.name for role in reversed(self._state.guild.roles_of(user))]
        person: Json = {"id": str(user.id), "name": user.display_name, "bot": user.bot, "roles": roles}
        return person | {"locale": user.locale, "has_app": user.has_app}

    def _place(self, member: User, channel: Channel) -> Json:
        """A channel as the member finds it: what kind of place it is, and who is at the other end if anybody is."""
        others = [who for who in channel.people if who != member.id] or [self._state.bot.id]
        found = self._wire.channel(channel) | {"name": channel.name, "context": int(channel.context)}
        return found | ({"with_id": str(others[0])} if channel.is_direct else {})

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        member = self._state.member(request.query.get("member", ""))
        channel = self._state.channel(request.match_info["id"], member=member)
        seen = [m for m in self._state.channel_messages(channel.id) if self._state.may_see(member, m)]
        latest = reversed(seen[:SHOWN_MESSAGES])
        return json_response([self._shown(member, message) for message in latest])

    def _shown(self, member: User, message: Message) -> Json:
        extra = {
            "only_you": message.is_ephemeral,
            "pings_you": message.pinged_everyone or member.id in message.pinged_users,
            "used": self._used(message),
            "can_delete": may_delete(self._state, member, message),
        }
        return self._wire.message(message) | {"playground": extra}

    def _used(self, message: Message) -> str | None:
        """The command that the message answers, itself or after its form."""
        interaction = self._state.interactions.get(message.interaction_id or 0)
        if interaction is None or message.kind not in (MessageKind.COMMAND, MessageKind.CONTEXT_COMMAND):
            return None
        return _used(self._state.interactions.get(interaction.trigger_id or 0, interaction))

    async def _commands(self, request: web.Request) -> web.StreamResponse:
        member = self._state.member(request.query.get("member", ""))
        channel = self._state.channel(request.match_info["id"], member=member)
        found = self._state.visible_commands(member, channel)
        return json_response([localized(self._wire.command(command), member.locale) for command in found])

    # ------------------------------------------------------------------------------------------------------- doing

    async def _say(self, request: web.Request) -> web.StreamResponse:
        fields, uploads = await _read_form(request)
        member = self._state.member(str(fields.get("member", "")))
        channel = self._state.channel(request.match_info["id"], member=member)
        message = member_says(self._state, member, channel, str(fields.get("content", "")), uploads=uploads)
        return json_response({"id": str(message.id)})

    async def _run_command(self, request: web.Request) -> web.StreamResponse:
        fields, uploads = await _read_form(request)
        interaction = run_command(self._state, _read_call(fields, uploads))
        return json_response(_interaction(interaction))

    async def _choices(self, request: web.Request) -> web.StreamResponse:
        fields = _json_object(await request.text())
        focus = Focus(option=str(fields.get("option", "")), typed=str(fields.get("typed", "")))
        try:
            choices = await self._suggested(_read_call(fields, []), focus)
        except TimeoutError:
            choices = None
        return json_response({"choices": choices})

    async def _press(self, request: web.Request) -> web.StreamResponse:
        fields, message, member = await self._message_action(request)
        interaction = press_button(self._state, member, message, str(fields.get("custom_id", "")))
        return json_response(_interaction(interaction))

    async def _choose(self, request: web.Request) -> web.StreamResponse:
        fields, message, member = await self._message_action(request)
        values = fields.get("values", [])
        interaction = choose_values(self._state, member, message, str(fields.get("custom_id", "")), values)
        return json_response(_interaction(interaction))

    async def _message_command(self, request: web.Request) -> web.StreamResponse:
        fields, message, member = await self._message_action(request)
        name, command_id = str(fields.get("name", "")), _id(fields, "command_id")
        interaction = run_message_command(self._state, member, message, name, command_id=command_id)
        return json_response(_interaction(interaction))

    async def _user_command(self, request: web.Request) -> web.StreamResponse:
        fields = _json_object(await request.text())
        member = self._state.member(str(fields.get("member", "")))
        channel = self._state.channel(str(fields.get("channel", "")), member=member)
        target = self._state.person(request.match_info["id"])
        name, command_id = str(fields.get("name", "")), _id(fields, "command_id")
        interaction = run_user_command(self._state, member, channel, target, name, command_id=command_id)
        return json_response(_interaction(interaction))

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        fields, uploads = await _read_form(request)
        member = self._state.member(str(fields.get("member", "")))
        found = request.match_info["id"]
        trigger = self._state.interactions.get(int(found)) if found.isdecimal() else None
        if trigger is None:
            raise MemberError("That form is not there any more.")
        files: dict[str, list[Upload]] = {}
        for upload in uploads:
            files.setdefault(upload.field, []).append(upload)
        filling = Filling(values=_mapping(fields, "values"), files=files)
        return json_response(_interaction(submit_form(self._state, member, trigger, filling)))

    async def _set_up(self, request: web.Request) -> web.StreamResponse:
        fields = _json_object(await request.text())
        member = self._state.member(request.match_info["id"])
        if "locale" in fields:
            set_locale(self._state, member, str(fields["locale"]))
        if "has_app" in fields:
            set_app(self._state, member, installed=bool(fields["has_app"]))
        return json_response({})

    async def _dismiss(self, request: web.Request) -> web.StreamResponse:
        _, message, member = await self._message_action(request)
        member_dismisses(self._state, member, message)
        return json_response({})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        _, message, member = await self._message_action(request)
        member_deletes(self._state, member, message)
        return json_response({})

    async def _message_action(self, request: web.Request) -> tuple[Json, Message, User]:
        fields = _json_object(await request.text())
        member = self._state.member(str(fields.get("member", "")))
        found = request.match_info["id"]
        message = self._state.messages.get(int(found)) if found.isdecimal() else None
        if message is None or not self._state.may_see(member, message):
            raise MemberError("That message is not there any more.")
        return fields, message, member

    # --------------------------------------------------------------------------------------------------- streaming

    async def _events(self, request: web.Request) -> web.StreamResponse:
        member = self._state.member(request.query.get("member", ""))
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await stream.prepare(request)
        await stream.write(f"retry: {RECONNECT_AFTER_MS}\n\n".encode())
        last = request.headers.get("Last-Event-ID") or request.query.get("after", "")
        after = self._position(last)
        if after is None:
            after = self._journal.last
            await stream.write(self._frame(after, "reset", {}))
        try:
            async for entry in self._journal.read(after, idle_s=KEEP_ALIVE_S):
                await stream.write(b": still here\n\n" if entry is None else self._entry(member, *entry))
        except ConnectionError:
            # The page went away; there is nobody left to tell.
            return stream
        return stream

    def _position(self, last_event_id: str) -> int | None:
        """Where a stream goes on; None when it cannot, and the page has to load everything anew."""
        run, _, number = last_event_id.partition("-")
        if run != self._run or not number.isdecimal() or not self._journal.covers(int(number)):
            return None
        return int(number)

    def _entry(self, member: User, number: int, event: Event) -> bytes:
        data = self._told(member, event)
        # Even a silent event moves the position on.
        return self._frame(number, "silent" if data is None else event.kind, data or {})

    def _frame(self, number: int, name: str, data: Json) -> bytes:
        return f"id: {self._run}-{number}\nevent: {name}\ndata: {json.dumps(data)}\n\n".encode()

    def _told(self, member: User, event: Event) -> Json | None:
        """What a member hears of an event; None when it is not for them."""
        if event.only_for not in (None, member.id):
            return None
        match event.kind:
            case EventKind.MESSAGE:
                message = self._state.messages[event.id]
                return self._shown(member, message) if self._state.may_see(member, message) else None
            case EventKind.INTERACTION | EventKind.INTERACTION_CREATED:
                interaction = self._state.interactions[event.id]
                # What is only being typed leaves no trace in the channel.
                return None if interaction.kind is InteractionKind.AUTOCOMPLETE else _interaction(interaction)
            case EventKind.BOT:
                return {"connected": self._state.bot_connected}
            case _:
                return {"id": str(event.id), "channel_id": str(event.channel_id)}


def _guild(guild: Guild) -> Json:
    return {"id": str(guild.id), "name": guild.name}


def _guarded(handler: Handler) -> Handler:
    """Answer with a sentence what a member may not do."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except MemberError as error:
            return json_response({"message": str(error)}, status=400)

    return guarded


def _used(interaction: Interaction) -> str | None:
    """The command as members call it, with a slash where they type one; None for anything else."""
    is_typed = interaction.data.get("type") == CommandKind.CHAT_INPUT
    return f"/{interaction.command}" if is_typed else interaction.command


def _interaction(interaction: Interaction) -> Json:
    return {
        "id": str(interaction.id),
        "state": interaction.state,
        "channel_id": str(interaction.channel_id),
        "command": _used(interaction),
        "source_id": str(interaction.source_id) if interaction.source_id else None,
        "custom_id": interaction.data.get("custom_id"),
        "modal": interaction.modal,
        "trigger_id": str(interaction.trigger_id) if interaction.trigger_id else None,
    }


def _read_call(fields: Json, uploads: list[Upload]) -> CommandCall:
    return CommandCall(
        member=str(fields.get("member", "")),
        channel=str(fields.get("channel", "")),
        name=str(fields.get("name", "")),
        command_id=_id(fields, "command_id"),
        options=_mapping(fields, "options"),
        attachments={upload.field: (upload.filename, upload.content) for upload in uploads},
    )


def _id(fields: Json, key: str) -> int | None:
    found = str(fields.get(key, ""))
    return int(found) if found.isdecimal() else None


def _mapping(fields: Json, key: str) -> Mapping[str, object]:
    found = fields.get(key)
    return cast("Mapping[str, object]", found) if isinstance(found, dict) else {}


def _json_object(text: str) -> Json:
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise MemberError("The request is not JSON.") from error
    if not isinstance(found, dict):
        raise MemberError("The request is not a JSON object.")
    return cast("Json", found)


async def _read_form(request: web.Request) -> tuple[Json, list[Upload]]:
    """The fields of a form (those of `payload_json` among them) and its files."""
    if request.content_type != "multipart/form-data":
        return _json_object(await request.text()), []
    fields: Json = {}
    uploads: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.filename is not None:
            uploads.append(Upload(field=part.name or "", filename=part.filename, content=await _read_file(part)))
        elif part.name == "payload_json":
            fields |= _json_object(await part.text())
        else:
            fields[part.name or ""] = await part.text()
    return fields, uploads


async def _read_file(part: BodyPartReader) -> bytes:
    content = bytearray()
    while chunk := await part.read_chunk(1 << 16):
        content += chunk
        if len(content) > MAX_MEMBER_FILE_BYTES:
            raise MemberError(f"A file has at most {MAX_MEMBER_FILE_BYTES // 2**20} MiB.")
    return bytes(content)


async def _sample_face(_request: web.Request) -> web.StreamResponse:
    picture = await asyncio.to_thread(sample_face)
    disposition = f'inline; filename="{SAMPLE_FACE_NAME}"'
    headers = {"Content-Type": "image/png", "Content-Disposition": disposition, "Cache-Control": "max-age=3600"}
    return web.Response(body=picture, headers=headers)
