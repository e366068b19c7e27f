"""The gateway: websockets in front of the sessions. https://discord.com/developers/docs/topics/gateway."""

import asyncio
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from playground.errors import Json
from playground.model import Event, EventKind
from playground.sessions import GUILDS_INTENT, CloseCode, IdentifyError, Identity, Op, Session, frame
from playground.state import State
from playground.wire import Wire

log = logging.getLogger(__name__)

HEARTBEAT_INTERVAL_MS = 41_250
# On loopback an instant answer overtakes discord.py's own note of when it asked, and its latency reads 41 s.
HEARTBEAT_ACK_DELAY_S = 0.02

# Sessions whose client vanished wait for a resume; only so many, or a bot that is killed often would pile them up.
KEPT_SESSIONS = 8

_IGNORED = frozenset({Op.PRESENCE_UPDATE, Op.VOICE_STATE_UPDATE})
# A client that closes with one of these does not mean to come back: .../gateway#disconnecting.
_GOODBYE = frozenset({1000, 1001})


class Connection:
    """One websocket; frames are queued so that events can be sent from anywhere without waiting."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.session: Session | None = None
        self.close_code: int | None = None
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()

    def send(self, text: str) -> None:
        """Queue a frame."""
        self._outbox.put_nowait(text)

    @property
    def is_live(self) -> bool:
        """Whether events can be sent here: identified, and not about to be closed."""
        return self.session is not None and self.close_code is None

    def close(self, code: int) -> None:
        """Send what is queued, then close with this code."""
        self.close_code = code
        self._outbox.put_nowait(None)

    async def write(self) -> None:
        """Send the queue until it is closed or the client is gone."""
        while (text := await self._outbox.get()) is not None:
            try:
                await self.socket.send_str(text)
            except ConnectionError:
                return
        await self.socket.close(code=self.close_code or CloseCode.UNKNOWN_ERROR)


class Gateway:
    """Everybody who is connected or may come back, and the events for them."""

    def __init__(self, state: State, wire: Wire, *, token: str, changed: Callable[[], None]) -> None:
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.connections: set[Connection] = set()
        self._state = state
        self._wire = wire
        self._token = token
        self._changed = changed

    # ------------------------------------------------------------------------------------------- for the state

    def hear(self, event: Event) -> None:
        """Tell clients of a change, as far as a bot with the guilds intent hears of it."""
        match event.kind:
            case EventKind.INTERACTION_CREATED:
                interaction = self._state.interactions[event.id]
                channel = self._state.channels[interaction.channel_id]
                guild_id = channel.guild_id if self._state.bot_is_in(channel) else None
                self._dispatch("INTERACTION_CREATE", self._wire.interaction_create(interaction), guild_id=guild_id)
            case EventKind.ROLE:
                guild = self._state.guild
                changed = {"guild_id": str(guild.id), "role": self._wire.role(guild.roles[event.id])}
                self._dispatch("GUILD_ROLE_UPDATE", changed, guild_id=guild.id, intent=GUILDS_INTENT)
            case EventKind.CHANNEL:
                data = self._wire.channel(self._state.channels[event.id])
                self._dispatch("CHANNEL_UPDATE", data, guild_id=self._state.guild.id, intent=GUILDS_INTENT)
            case EventKind.CHANNEL_DELETED:
                gone: Json = {"id": str(event.id), "type": 0, "guild_id": str(self._state.guild.id), "name": ""}
                gone |= {"position": 0, "flags": 0}
                self._dispatch("CHANNEL_DELETE", gone, guild_id=self._state.guild.id, intent=GUILDS_INTENT)
            case _:
                pass

    def _dispatch(self, event: str, data: Json, *, guild_id: int | None, intent: int = 0) -> None:
        live = self._live()
        for session in self.sessions.values():
            if session.identity.serves(guild_id) and session.identity.intents & intent == intent:
                text = session.dispatch(event, data)
                if session.id in live:
                    live[session.id].send(text)

    @property
    def is_connected(self) -> bool:
        """Whether any client is there and identified."""
        return any(connection.is_live for connection in self.connections)

    def _live(self) -> dict[str, Connection]:
        found = [(connection.session, connection) for connection in self.connections if connection.is_live]
        return {session.id: connection for session, connection in found if session}

    # ------------------------------------------------------------------------------------------- for the tests

    def drop(self, code: int = CloseCode.UNKNOWN_ERROR) -> None:
        """Close all connections; the sessions can be resumed."""
        for connection in self.connections:
            connection.close(code)
        self._tell_presence()

    def ask_to_reconnect(self) -> None:
        """Send op 7 to all."""
        for connection in self.connections:
            connection.send(frame(Op.RECONNECT))

    def invalidate(self, *, resumable: bool = False) -> None:
        """Send op 9 to all; sessions that are not resumable are forgotten."""
        for connection in self.connections:
            connection.send(frame(Op.INVALID_SESSION, resumable))
            if not resumable and connection.session:
                self.sessions.pop(connection.session.id, None)
                connection.session = None
        self._tell_presence()

    # ---------------------------------------------------------------------------------------------- the socket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One client, from HELLO to its end."""
        socket = web.WebSocketResponse(max_msg_size=0, autoping=True, compress=False)
        await socket.prepare(request)
        connection = Connection(socket)
        self.connections.add(connection)
        try:
            async with asyncio.TaskGroup() as tasks:
                writer = tasks.create_task(connection.write())
                connection.send(frame(Op.HELLO, {"heartbeat_interval": HEARTBEAT_INTERVAL_MS}))
                await self._read(connection)
                writer.cancel()
        finally:
            self._leave(connection)
        return socket

    async def shut_down(self) -> None:
        """Say goodbye to all."""
        for connection in list(self.connections):
            await connection.socket.close(code=WSCloseCode.GOING_AWAY)

    async def _read(self, connection: Connection) -> None:
        async for message in connection.socket:
            if message.type is not WSMsgType.TEXT:
                continue
            try:
                received = json.loads(message.data)
                op, data = Op(received["op"]), received.get("d")
            except (ValueError, KeyError, TypeError):
                connection.close(CloseCode.DECODE_ERROR)
                continue
            self._receive(connection, op, data)

    def _leave(self, connection: Connection) -> None:
        self.connections.discard(connection)
        ended_by_client = connection.close_code is None and connection.socket.close_code in _GOODBYE
        if connection.session and ended_by_client:
            self.sessions.pop(connection.session.id, None)
        self._tell_presence()

    def _receive(self, connection: Connection, op: Op, data: Any) -> None:
        match op:
            case Op.HEARTBEAT:
                asyncio.get_running_loop().call_later(HEARTBEAT_ACK_DELAY_S, connection.send, frame(Op.HEARTBEAT_ACK))
            case Op.IDENTIFY:
                self._identify(connection, data)
            case Op.RESUME:
                self._resume(connection, data)
            case _ if connection.session is None:
                connection.close(CloseCode.NOT_AUTHENTICATED)
            case _ if op in _IGNORED:
                pass
            case _:
                log.warning("a client sent gateway op %s, which the playground does not know", op)
                connection.close(CloseCode.UNKNOWN_OPCODE)

    def _identify(self, connection: Connection, data: Any) -> None:
        if connection.session is not None:
            connection.close(CloseCode.ALREADY_AUTHENTICATED)
            return
        try:
            identity = Identity.from_json(data, token=self._token)
        except IdentifyError as error:
            connection.close(error.code)
            return
        session = Session(id=secrets.token_hex(16), identity=identity)
        self._forget_lost_sessions()
        self.sessions[session.id] = session
        connection.session = session
        connection.send(session.dispatch("READY", self._ready(session)))
        if identity.intents & GUILDS_INTENT and identity.serves(self._state.guild.id):
            connection.send(session.dispatch("GUILD_CREATE", self._wire.guild_create()))
        self._tell_presence()

    def _forget_lost_sessions(self) -> None:
        live = self._live()
        lost = [session_id for session_id in self.sessions if session_id not in live]
        for session_id in lost[:-KEPT_SESSIONS]:
            del self.sessions[session_id]

    def _ready(self, session: Session) -> Json:
        state = self._state
        guilds = [{"id": str(state.guild.id), "unavailable": True}] if session.identity.serves(state.guild.id) else []
        return {
            "v": 10,
            "user": self._wire.me(),
            "guilds": guilds,
            "private_channels": [],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            "shard": list(session.identity.shard),
            "application": {"id": str(state.bot.id), "flags": 0},
            "geo_ordered_rtc_regions": [],
            "_trace": ["playground"],
        }

    def _resume(self, connection: Connection, data: Any) -> None:
        fields = cast("Json", data) if isinstance(data, dict) else {}
        if str(fields.get("token", "")).removeprefix("Bot ") != self._token:
            connection.close(CloseCode.AUTHENTICATION_FAILED)
            return
        session = self.sessions.get(str(fields.get("session_id")))
        missed = session.missed_since(fields.get("seq")) if session else None
        if session is None or missed is None:
            connection.send(frame(Op.INVALID_SESSION, False))
            return
        for other in self.connections:
            if other.session is session:
                other.session = None
                other.close(CloseCode.UNKNOWN_ERROR)
        connection.session = session
        for text in missed:
            connection.send(text)
        connection.send(session.dispatch("RESUMED", {"_trace": ["playground"]}))
        self._tell_presence()

    def _tell_presence(self) -> None:
        if self._state.bot_connected != self.is_connected:
            self._state.bot_connected = self.is_connected
            self._changed()
