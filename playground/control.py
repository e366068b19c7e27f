"""The control plane, under /_ctl: arranging trouble and looking behind the scenes, as JSON over HTTP.

GET    /_ctl/state                         members, channels, commands, messages with all versions, interactions
GET    /_ctl/capture                       the REST requests so far (see capture.py)
DELETE /_ctl/capture                       forget them
GET    /_ctl/faults                        the faults in force
POST   /_ctl/faults                        {kind, method, path, times?, status?, body?, headers?, seconds?} -> {id}
                                           kind: respond | delay | hang | drop-before | drop-after; method: "PATCH"
                                           or "*"; path: a regular expression searched in the path; times: how many
                                           requests (1), null for all
POST   /_ctl/faults/{id}/release           let go on what hangs
DELETE /_ctl/faults                        end all faults
POST   /_ctl/gateway/drop                  {code?: 4000}: break the connections
POST   /_ctl/gateway/reconnect             op 7
POST   /_ctl/gateway/invalidate            {resumable?: false}: op 9
POST   /_ctl/clock/advance                 {seconds}
POST   /_ctl/members/{member}              {takes_direct_messages?, roles?: ["Moderators", ...], has_app?, locale?}
POST   /_ctl/roles/{role}                  {permissions: ["MANAGE_GUILD", ...]}: what it allows from now on
POST   /_ctl/channels/{channel}            {deny: ["VIEW_CHANNEL", "SEND_MESSAGES", ...]}: taken from the bot
DELETE /_ctl/channels/{channel}
DELETE /_ctl/messages/{id}                 as a moderator
PUT    /_ctl/rates                         {"followup": [5, 2.0], ...}; {} ends all limits; {"like": "discord"}

Members and channels are named by name or id. What cannot be done is answered with 400 and `{"message": sentence}`.
To act as a member use the routes of client_api.py.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from aiohttp import web

from playground.answers import json_response
from playground.errors import Json, MemberError
from playground.faults import FaultKind
from playground.messages import set_roles
from playground.model import Interaction, Message, Permission, User
from playground.rate_limits import DISCORD_LIKE, Bucket, Rate
from playground.wire import timestamp

if TYPE_CHECKING:
    from playground.server import Playground

Handler = Callable[[web.Request, Json], object]


class Control:
    """The routes above, as calls on a playground."""

    def __init__(self, playground: "Playground") -> None:
        self._playground = playground

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/state", self._state),
            ("GET", "/capture", self._capture),
            ("DELETE", "/capture", self._clear_capture),
            ("GET", "/faults", self._list_faults),
            ("POST", "/faults", self._add_fault),
            ("DELETE", "/faults", self._clear_faults),
            ("POST", "/faults/{id}/release", self._release_fault),
            ("POST", "/gateway/{action}", self._gateway),
            ("POST", "/clock/advance", self._advance),
            ("POST", "/members/{member}", self._member),
            ("POST", "/roles/{role}", self._role),
            ("POST", "/channels/{channel}", self._channel),
            ("DELETE", "/channels/{channel}", self._delete_channel),
            ("DELETE", "/messages/{id}", self._delete_message),
            ("PUT", "/rates", self._rates),
        )
        return [web.route(method, f"/_ctl{path}", _answered(handler)) for method, path, handler in table]

    def _state(self, _request: web.Request, _fields: Json) -> Json:
        state, wire = self._playground.state, self._playground.wire
        return {
            "bot_connected": state.bot_connected,
            "members": [
                wire.user(member) | wire.member(member) | _settings(member) for member in state.members.values()
            ],
            "roles": [wire.role(role) for role in state.guild.roles.values()],
            "channels": [wire.channel(channel) | {"name": channel.name} for channel in state.channels.values()],
            "commands": [wire.command(command) for command in state.commands.values()],
            "messages": [self._message(message) for message in state.messages.values()],
            "interactions": [_interaction(interaction) for interaction in state.interactions.values()],
        }

    def _message(self, message: Message) -> Json:
        playground = self._playground
        shown = playground.wire.message(message) if message.deleted_at is None else {"id": str(message.id)}
        return shown | {
            "deleted_at": timestamp(message.deleted_at),
            "seen_by": sorted(playground.seen_by(message)),
            "pinged": [str(who) for who in sorted(message.pinged_users)],
            "text": message.text,
            "versions": [
                {
                    "at": timestamp(version.at),
                    "text": version.body.text,
                    "flags": int(version.body.flags),
                    "files": [[a.filename, a.size] for a in version.body.attachments],
                }
                for version in message.versions
            ],
        }

    def _capture(self, _request: web.Request, _fields: Json) -> object:
        return list(self._playground.capture.rows)

    def _clear_capture(self, _request: web.Request, _fields: Json) -> None:
        self._playground.capture.clear()

    def _list_faults(self, _request: web.Request, _fields: Json) -> object:
        return [fault.to_json() for fault in self._playground.faults.active]

    def _add_fault(self, _request: web.Request, fields: Json) -> Json:
        faults = self._playground.faults
        kind = _among(fields, "kind", FaultKind)
        method, path = str(fields.get("method", "*")), _pattern(fields)
        times = None if fields.get("times", 1) is None else int(_number(fields, "times", 1))
        match kind:
            case FaultKind.RESPOND:
                status, headers = int(_number(fields, "status", 500)), cast("Mapping[str, str]", fields.get("headers"))
                fault = faults.respond(
                    method, path, status=status, body=fields.get("body"), headers=headers, times=times
                )
            case FaultKind.DELAY:
                fault = faults.delay(method, path, seconds=_number(fields, "seconds"), times=times)
            case FaultKind.HANG:
                fault = faults.hang(method, path, times=times)
            case FaultKind.DROP_BEFORE:
                fault = faults.drop_before(method, path, times=times)
            case FaultKind.DROP_AFTER:
                fault = faults.drop_after(method, path, times=times)
        return fault.to_json()

    def _release_fault(self, request: web.Request, _fields: Json) -> None:
        for fault in self._playground.faults.active:
            if str(fault.id) == request.match_info["id"]:
                fault.release()
                return
        raise MemberError("There is no such fault.")

    def _clear_faults(self, _request: web.Request, _fields: Json) -> None:
        self._playground.faults.clear()

    def _gateway(self, request: web.Request, fields: Json) -> None:
        match request.match_info["action"]:
            case "drop":
                self._playground.drop_gateway(int(_number(fields, "code", 4000)))
            case "reconnect":
                self._playground.reconnect_gateway()
            case "invalidate":
                self._playground.invalidate_gateway(resumable=bool(fields.get("resumable")))
            case action:
                raise MemberError(f"There is no {action}. Use drop, reconnect or invalidate.")

    def _advance(self, _request: web.Request, fields: Json) -> None:
        seconds = _number(fields, "seconds")
        if seconds < 0:
            raise MemberError("The clock only goes forward.")
        self._playground.advance(seconds)

    def _member(self, request: web.Request, fields: Json) -> None:
        playground, member = self._playground, self._playground.state.member(request.match_info["member"])
        if "takes_direct_messages" in fields:
            playground.allow_direct_messages(member.id, allowed=bool(fields["takes_direct_messages"]))
        if "has_app" in fields:
            playground.install(member.id, installed=bool(fields["has_app"]))
        if "locale" in fields:
            playground.set_locale(member.id, str(fields["locale"]))
        if "roles" in fields:
            roles = [playground.state.role(name) for name in _names(fields, "roles")]
            set_roles(playground.state, member, roles)

    def _role(self, request: web.Request, fields: Json) -> None:
        self._playground.set_permissions(request.match_info["role"], *_permissions(fields, "permissions"))

    def _channel(self, request: web.Request, fields: Json) -> None:
        self._playground.deny(request.match_info["channel"], *_permissions(fields, "deny"))

    def _delete_channel(self, request: web.Request, _fields: Json) -> None:
        self._playground.delete_channel(request.match_info["channel"])

    def _delete_message(self, request: web.Request, _fields: Json) -> None:
        identity = request.match_info["id"]
        message = self._playground.state.messages.get(int(identity)) if identity.isdecimal() else None
        if message is None or message.deleted_at is not None:
            raise MemberError("There is no such message.")
        self._playground.delete_message(message)

    def _rates(self, _request: web.Request, fields: Json) -> None:
        self._playground.set_rates(DISCORD_LIKE if fields.get("like") == "discord" else _read_rates(fields))


def _settings(member: User) -> Json:
    return {"takes_direct_messages": member.takes_direct_messages, "has_app": member.has_app}


def _interaction(interaction: Interaction) -> Json:
    return {
        "id": str(interaction.id),
        "kind": int(interaction.kind),
        "state": interaction.state,
        "member_id": str(interaction.member_id),
        "channel_id": str(interaction.channel_id),
        "command": interaction.command,
        "source_id": str(interaction.source_id) if interaction.source_id else None,
        "trigger_id": str(interaction.trigger_id) if interaction.trigger_id else None,
        "modal": interaction.modal,
        "acknowledged_after_ms": interaction.acknowledged_after_ms,
        "original_id": str(interaction.original_id) if interaction.original_id else None,
        "followup_ids": [str(followup) for followup in interaction.followup_ids],
    }


def _read_rates(fields: Json) -> dict[Bucket, Rate]:
    try:
        return {Bucket(name): Rate(int(limit), float(per_s)) for name, (limit, per_s) in fields.items()}
    except (ValueError, TypeError) as error:
        names = ", ".join(Bucket)
        raise MemberError(f'Rates look like {{"followup": [5, 2.0]}}; buckets are {names}.') from error


def _answered(handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            result = handler(request, await _fields(request))
        except MemberError as error:
            return json_response({"message": str(error)}, status=400)
        return json_response({} if result is None else result)

    return answer


async def _fields(request: web.Request) -> Json:
    text = await request.text()
    try:
        found: Any = json.loads(text) if text else {}
    except ValueError as error:
        raise MemberError("The request is not JSON.") from error
    if not isinstance(found, dict):
        raise MemberError("The request is not a JSON object.")
    return cast("Json", found)


def _number(fields: Json, key: str, usual: float | None = None) -> float:
    value = fields.get(key, usual)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MemberError(f"{key} is a number.")
    return value


def _names(fields: Json, key: str) -> list[str]:
    names = fields.get(key, [])
    if not isinstance(names, list):
        raise MemberError(f"{key} is a list of names.")
    return [str(name) for name in cast("list[object]", names)]


def _permissions(fields: Json, key: str) -> list[Permission]:
    names = _names(fields, key)
    if not set(names) <= Permission.__members__.keys():
        raise MemberError(f"{key} lists any of {', '.join(Permission.__members__)}.")
    return [Permission[name] for name in names]


def _among(fields: Json, key: str, kinds: type[FaultKind]) -> FaultKind:
    try:
        return kinds(str(fields.get(key)))
    except ValueError as error:
        raise MemberError(f"{key} is one of {', '.join(kinds)}.") from error


def _pattern(fields: Json) -> str:
    pattern = fields.get("path", "")
    try:
        re.compile(pattern)
    except (re.error, TypeError) as error:
        raise MemberError("path is a regular expression.") from error
    return pattern
