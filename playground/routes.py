"""Discord's REST routes: which there are, what each does to the state, what it answers. No sockets."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playground import interactions, messages
from playground.commands import Command, read_command, read_commands, refuse_too_many, without_localizations
from playground.errors import ApiError, Json, Refusal
from playground.model import Event, EventKind
from playground.multipart import Body
from playground.rate_limits import Bucket
from playground.state import State
from playground.validation import Problems
from playground.wire import Wire

# https://discord.com/developers/docs/events/gateway#session-start-limit-object
_SESSION_STARTS = {"total": 1000, "remaining": 999, "reset_after": 86_400_000, "max_concurrency": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request, as far as a route needs it."""

    state: State
    wire: Wire
    gateway_url: str
    parameters: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Body = field(default_factory=Body)

    def id(self, name: str) -> int:
        """An id in the path. Raises ApiError 50035 when it is none."""
        value = self.parameters[name]
        if value.isascii() and value.isdecimal() and len(value) <= _ID_DIGITS:
            return int(value)
        problems = Problems()
        problems.add((name,), "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        raise ApiError(Refusal.INVALID_FORM, errors=problems.tree)

    def is_set(self, name: str) -> bool:
        """Whether a flag in the query is on."""
        return self.query.get(name, "").lower() in ("1", "true")


_ID_DIGITS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body; None for no body."""

    status: int
    body: object = None


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation. `needs_bot` is False where a token in the path opens the door."""

    method: str
    template: str
    handle: Handler
    bucket: Bucket | None = None
    needs_bot: bool = True
    pattern: re.Pattern[str]

    def rate_key(self, parameters: Mapping[str, str]) -> str:
        """The part of the path that has a bucket of its own."""
        return "/".join(parameters.get(name, "") for name in ("channel_id", "token"))


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a path below /api/v10. Raises ApiError 404 or 405."""
    candidates = _BY_LENGTH.get(path.count("/"), ())
    matches = [(route, found.groupdict()) for route in candidates if (found := route.pattern.fullmatch(path))]
    if not matches:
        raise ApiError(Refusal.NOT_FOUND)
    for route, parameters in matches:
        if route.method == method:
            return route, parameters
    raise ApiError(Refusal.METHOD_NOT_ALLOWED)


# ----------------------------------------------------------------------------------------------- about the bot itself


def _me(call: Call) -> Answer:
    return Answer(200, call.wire.me())


def _user(call: Call) -> Answer:
    user = call.state.user(call.id("user_id"))
    if user is None:
        raise ApiError(Refusal.UNKNOWN_USER)
    return Answer(200, call.wire.user(user))


def _application(call: Call) -> Answer:
    return Answer(200, call.wire.application())


def _gateway(call: Call) -> Answer:
    return Answer(200, {"url": call.gateway_url})


def _gateway_bot(call: Call) -> Answer:
    return Answer(200, {"url": call.gateway_url, "shards": 1, "session_start_limit": _SESSION_STARTS})


# ------------------------------------------------------------------------------------------------------------- guilds


def _my_guilds(call: Call) -> Answer:
    guild = call.state.guild
    permissions = str(int(guild.permissions(call.state.bot)))
    return Answer(200, [{"id": str(guild.id), "name": guild.name, "owner": False, "permissions": permissions}])


def _check_guild(call: Call) -> None:
    if call.id("guild_id") != call.state.guild.id:
        raise ApiError(Refusal.MISSING_ACCESS)


def _get_guild(call: Call) -> Answer:
    _check_guild(call)
    return Answer(200, call.wire.guild())


def _list_channels(call: Call) -> Answer:
    _check_guild(call)
    return Answer(200, call.wire.guild_channels())


def _get_member(call: Call) -> Answer:
    _check_guild(call)
    user = call.state.user(call.id("user_id"))
    if user is None:
        raise ApiError(Refusal.UNKNOWN_USER)
    return Answer(200, call.wire.member(user) | {"user": call.wire.user(user)})


# ----------------------------------------------------------------------------------------------------------- commands


def _scope(call: Call) -> int | None:
    """The guild that a command route is about, None for global commands. Raises ApiError."""
    if call.id("application_id") != call.state.bot.id:
        raise ApiError(Refusal.UNKNOWN_APPLICATION)
    if "guild_id" not in call.parameters:
        return None
    if call.id("guild_id") != call.state.guild.id:
        raise ApiError(Refusal.MISSING_ACCESS)
    return call.state.guild.id


def _commands_in(state: State, guild_id: int | None) -> list[Command]:
    return [command for command in state.commands.values() if command.guild_id == guild_id]


def _list_commands(call: Call) -> Answer:
    found = [call.wire.command(command) for command in _commands_in(call.state, _scope(call))]
    return Answer(200, found if call.is_set("with_localizations") else [without_localizations(one) for one in found])


def _overwrite_commands(call: Call) -> Answer:
    guild_id = _scope(call)
    definitions = read_commands(call.body.payload)
    before = {command.key: command for command in _commands_in(call.state, guild_id)}
    for command in before.values():
        del call.state.commands[command.id]
    stored = [_store_command(call.state, guild_id, new, before.get((new["type"], new["name"]))) for new in definitions]
    call.state.publish(Event(kind=EventKind.COMMANDS))
    return Answer(200, [call.wire.command(command) for command in stored])


def _store_command(state: State, guild_id: int | None, definition: Json, before: Command | None) -> Command:
    """Keep a definition; a command that did not change keeps its version, one of the same name its id."""
    if before is not None and before.definition == definition:
        command = before
    else:
        identity = before.id if before else state.new_id()
        command = Command(id=identity, version=state.new_id(), guild_id=guild_id, definition=definition)
    state.commands[command.id] = command
    return command


def _create_command(call: Call) -> Answer:
    guild_id = _scope(call)
    problems = Problems()
    definition = read_command(call.body.payload, problems)
    problems.raise_if_any()
    existing = _commands_in(call.state, guild_id)
    before = next((command for command in existing if command.key == (definition["type"], definition["name"])), None)
    if before is None:
        refuse_too_many([definition["type"], *(command.kind for command in existing)])
    command = _store_command(call.state, guild_id, definition, before)
    call.state.publish(Event(kind=EventKind.COMMANDS))
    return Answer(200 if before else 201, call.wire.command(command))


def _command(call: Call) -> Command:
    guild_id = _scope(call)
    command = call.state.commands.get(call.id("command_id"))
    if command is None or command.guild_id != guild_id:
        raise ApiError(Refusal.UNKNOWN_COMMAND)
    return command


def _get_command(call: Call) -> Answer:
    return Answer(200, call.wire.command(_command(call)))


def _edit_command(call: Call) -> Answer:
    before = _command(call)
    problems = Problems()
    definition = read_command({**before.definition, **call.body.form}, problems)
    problems.raise_if_any()
    command = _store_command(call.state, before.guild_id, definition, before)
    call.state.publish(Event(kind=EventKind.COMMANDS))
    return Answer(200, call.wire.command(command))


def _delete_command(call: Call) -> Answer:
    del call.state.commands[_command(call).id]
    call.state.publish(Event(kind=EventKind.COMMANDS))
    return Answer(204)


# ------------------------------------------------------------------------------------------------------- interactions


def _callback(call: Call) -> Answer:
    accepted = interactions.acknowledge(
        call.state, call.id("interaction_id"), call.parameters["token"], call.body.payload, files=call.body.files
    )
    return Answer(200, call.wire.callback_response(accepted)) if call.is_set("with_response") else Answer(204)


def _followup(call: Call) -> Answer:
    message = interactions.webhook_posts(
        call.state, call.id("application_id"), call.parameters["token"], call.body.payload, files=call.body.files
    )
    # Followups answer with the message whether asked to wait or not, unlike other webhooks.
    return Answer(200, call.wire.message(message))


def _message_id(call: Call) -> int | None:
    """The message that a webhook route names; None for `@original`."""
    return call.id("message_id") if "message_id" in call.parameters else None


def _get_webhook_message(call: Call) -> Answer:
    message = interactions.webhook_message(
        call.state, call.id("application_id"), call.parameters["token"], _message_id(call)
    )
    return Answer(200, call.wire.message(message))


def _edit_webhook_message(call: Call) -> Answer:
    message = interactions.webhook_edits(
        call.state,
        call.id("application_id"),
        call.parameters["token"],
        _message_id(call),
        payload=call.body.payload,
        files=call.body.files,
    )
    return Answer(200, call.wire.message(message))


def _delete_webhook_message(call: Call) -> Answer:
    interactions.webhook_deletes(call.state, call.id("application_id"), call.parameters["token"], _message_id(call))
    return Answer(204)


# ----------------------------------------------------------------------------------------------------------- channels


def _get_channel(call: Call) -> Answer:
    return Answer(200, call.wire.channel(call.state.bot_channel(call.id("channel_id"))))


def _open_direct(call: Call) -> Answer:
    return Answer(200, call.wire.channel(messages.bot_opens_direct(call.state, call.body.payload)))


def _type(call: Call) -> Answer:
    messages.bot_types(call.state, call.id("channel_id"))
    return Answer(204)


def _list_messages(call: Call) -> Answer:
    found = messages.bot_lists(call.state, call.id("channel_id"), call.query)
    return Answer(200, [call.wire.message_for_bot(message) for message in found])


def _create_message(call: Call) -> Answer:
    message = messages.bot_posts(call.state, call.id("channel_id"), call.body.payload, call.body.files)
    return Answer(200, call.wire.message(message))


def _get_message(call: Call) -> Answer:
    message = messages.bot_reads(call.state, call.id("channel_id"), call.id("message_id"))
    return Answer(200, call.wire.message_for_bot(message))


def _edit_message(call: Call) -> Answer:
    message = messages.bot_edits(
        call.state, call.id("channel_id"), call.id("message_id"), call.body.payload, files=call.body.files
    )
    return Answer(200, call.wire.message(message))


def _delete_message(call: Call) -> Answer:
    messages.bot_deletes(call.state, call.id("channel_id"), call.id("message_id"))
    return Answer(204)


# ---------------------------------------------------------------------------------------------------------- the table


def _route(
    method: str, template: str, handle: Handler, *, bucket: Bucket | None = None, needs_bot: bool = True
) -> Route:
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))
    return Route(method=method, template=template, handle=handle, bucket=bucket, needs_bot=needs_bot, pattern=pattern)


_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
_WEBHOOK = "/webhooks/{application_id}/{token}"
_MESSAGES = "/channels/{channel_id}/messages"

ROUTES = (
    _route("GET", "/gateway", _gateway, needs_bot=False),
    _route("GET", "/gateway/bot", _gateway_bot),
    _route("GET", "/users/@me", _me),
    _route("POST", "/users/@me/channels", _open_direct),
    _route("GET", "/users/@me/guilds", _my_guilds),
    _route("GET", "/guilds/{guild_id}", _get_guild),
    _route("GET", "/guilds/{guild_id}/channels", _list_channels),
    _route("GET", "/guilds/{guild_id}/members/{user_id}", _get_member),
    _route("GET", "/users/{user_id}", _user),
    _route("GET", "/oauth2/applications/@me", _application),
    _route("GET", "/applications/@me", _application),
    *(
        _route(method, path, handle)
        for prefix in (_GLOBAL, _GUILD)
        for method, path, handle in (
            ("GET", prefix, _list_commands),
            ("PUT", prefix, _overwrite_commands),
            ("POST", prefix, _create_command),
            ("GET", prefix + "/{command_id}", _get_command),
            ("PATCH", prefix + "/{command_id}", _edit_command),
            ("DELETE", prefix + "/{command_id}", _delete_command),
        )
    ),
    _route("POST", "/interactions/{interaction_id}/{token}/callback", _callback, needs_bot=False),
    _route("POST", _WEBHOOK, _followup, bucket=Bucket.FOLLOWUP, needs_bot=False),
    *(
        _route(method, _WEBHOOK + path, handle, bucket=Bucket.FOLLOWUP, needs_bot=False)
        for path in ("/messages/@original", "/messages/{message_id}")
        for method, handle in (
            ("GET", _get_webhook_message),
            ("PATCH", _edit_webhook_message),
            ("DELETE", _delete_webhook_message),
        )
    ),
    _route("GET", "/channels/{channel_id}", _get_channel, bucket=Bucket.CHANNEL_READ),
    _route("POST", "/channels/{channel_id}/typing", _type, bucket=Bucket.MESSAGE_CREATE),
    _route("GET", _MESSAGES, _list_messages, bucket=Bucket.CHANNEL_READ),
    _route("POST", _MESSAGES, _create_message, bucket=Bucket.MESSAGE_CREATE),
    _route("GET", _MESSAGES + "/{message_id}", _get_message, bucket=Bucket.CHANNEL_READ),
    _route("PATCH", _MESSAGES + "/{message_id}", _edit_message, bucket=Bucket.MESSAGE_EDIT),
    _route("DELETE", _MESSAGES + "/{message_id}", _delete_message, bucket=Bucket.MESSAGE_DELETE),
)

# Matching three dozen patterns for every request would cost more than all the rest of a small one.
_BY_LENGTH = {
    length: [route for route in ROUTES if route.template.count("/") == length]
    for length in {route.template.count("/") for route in ROUTES}
}
