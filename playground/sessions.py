"""Gateway sessions without a socket: identities, sequence numbers, and what to send again after a break."""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, cast

from playground.errors import Json

# How many events a session can miss and still resume.
KEPT_EVENTS = 2000

# https://discord.com/developers/docs/topics/permissions and .../gateway#list-of-intents
GUILDS_INTENT = 1 << 0
PRIVILEGED_INTENTS = 1 << 1 | 1 << 8 | 1 << 15


class Op(IntEnum):
    """Gateway opcodes. https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


class CloseCode(IntEnum):
    """Gateway close codes; same page."""

    GOING_AWAY = 1001
    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SHARD = 4010
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class IdentifyError(Exception):
    """An IDENTIFY that Discord would close the connection for."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a client says of itself when it begins a session."""

    intents: int
    shard: tuple[int, int]

    @classmethod
    def from_json(cls, data: Any, *, token: str) -> "Identity":
        """Parse the `d` of an IDENTIFY. Raises IdentifyError."""
        fields = cast("Json", data) if isinstance(data, dict) else {}
        if str(fields.get("token", "")).removeprefix("Bot ") != token:
            raise IdentifyError(CloseCode.AUTHENTICATION_FAILED)
        intents, shard = fields.get("intents"), _shard(fields.get("shard", [0, 1]))
        if not isinstance(intents, int) or intents < 0:
            raise IdentifyError(CloseCode.INVALID_INTENTS)
        if intents & PRIVILEGED_INTENTS:
            raise IdentifyError(CloseCode.DISALLOWED_INTENTS)
        if shard is None:
            raise IdentifyError(CloseCode.INVALID_SHARD)
        return cls(intents=intents, shard=shard)

    def serves(self, guild_id: int | None) -> bool:
        """Whether events of a guild (None: of direct messages) go to this shard."""
        number, count = self.shard
        return number == (0 if guild_id is None else (guild_id >> 22) % count)


def _shard(value: Any) -> tuple[int, int] | None:
    """Number and count of a shard, None for anything that is not one."""
    parts = cast("list[object]", value) if isinstance(value, list) else []
    match parts:
        case [int(number), int(count)] if 0 <= number < count:
            return number, count
        case _:
            return None


@dataclass(slots=True, kw_only=True)
class Session:
    """One client's session. It outlives its connection, so that the client can resume."""

    id: str
    identity: Identity
    sequence: int = 0
    _sent: deque[tuple[int, str]] = field(default_factory=lambda: deque[tuple[int, str]](maxlen=KEPT_EVENTS))

    def dispatch(self, event: str, data: Json) -> str:
        """The frame for the next event, which is kept for a resume."""
        self.sequence += 1
        frame = json.dumps({"op": Op.DISPATCH, "t": event, "s": self.sequence, "d": data})
        self._sent.append((self.sequence, frame))
        return frame

    def missed_since(self, sequence: Any) -> Iterator[str] | None:
        """The frames after `sequence`; None when it is not ours or too long ago."""
        if not isinstance(sequence, int) or sequence > self.sequence:
            return None
        oldest = self._sent[0][0] if self._sent else self.sequence + 1
        if sequence < oldest - 1:
            return None
        return (frame for number, frame in list(self._sent) if number > sequence)


def frame(op: Op, data: object = None) -> str:
    """A frame that is no event."""
    return json.dumps({"op": op, "d": data, "s": None, "t": None})
