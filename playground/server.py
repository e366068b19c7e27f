"""The whole playground in one object: for `python -m playground`, and in process for tests."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from playground import messages, pages
from playground.capture import Capture
from playground.cdn import GONE, Cdn
from playground.client_api import ClientApi
from playground.clock import Clock, Snowflakes
from playground.control import Control
from playground.errors import Json, MemberError
from playground.faults import Faults, apply_fault
from playground.gateway import Gateway
from playground.guard import loopback_only
from playground.interactions import (
    ANSWER_WITHIN_S,
    CommandCall,
    ask_choices,
    fail_unanswered,
    run_command,
)
from playground.journal import Journal
from playground.media import SHOWN_IN_PLACE
from playground.modals import Filling
from playground.model import (
    Attachment,
    Channel,
    Event,
    EventKind,
    Interaction,
    InteractionState,
    Message,
    Permission,
    union,
)
from playground.multipart import Upload
from playground.options import Focus
from playground.rate_limits import Bucket, Rate, RateLimiter
from playground.rest import MAX_REQUEST_BYTES, PREFIX, Rest
from playground.state import State
from playground.uses import choose_values, press_button, run_message_command, run_user_command, submit_form
from playground.wire import Wire
from playground.world import build_world, default_token

HOST = "127.0.0.1"
# A bot that answers hundreds of commands at once opens as many connections at once. What does not fit in the queue
# of the operating system is tried again only after a second, a third of the time that an answer may take.
BACKLOG = 1024
# How long requests in progress may take when the playground ends.
SHUTDOWN_S = 1.0
# Tests wait for what happens within moments; this only ends a test that would wait for ever.
USUAL_TIMEOUT_S = 15.0

_WEB = Path(__file__).with_name("web")
# Timers may fire a moment early by the clock that the deadline is read from.
_TIMER_SLACK_S = 0.01

_Found = TypeVar("_Found")


class Playground:
    """A running playground. Made by `Playground.run()`."""

    def __init__(self, *, token: str, capture: Capture, rates: Mapping[Bucket, Rate]) -> None:
        self.token = token
        self.clock = Clock()
        self.capture = capture
        self.url = ""
        self.faults = Faults(self._look)
        self.limiter = RateLimiter(self.clock, rates)
        self.state: State = build_world(
            token=token,
            now=self.clock,
            new_id=Snowflakes(self.clock),
            new_token=lambda: secrets.token_urlsafe(96),
            publish=self._hear,
        )
        self.cdn = Cdn(key=secrets.token_bytes(32), now=self.clock)
        self.wire = Wire(self.state, self.cdn)
        self.journal = Journal()
        self.gateway = Gateway(self.state, self.wire, token=token, changed=self._bot_came_or_went)
        self.rest = Rest(self.state, self.wire, token=token, capture=capture, faults=self.faults, limiter=self.limiter)
        self._watchers: list[Callable[[], bool]] = []
        self._timers: set[asyncio.TimerHandle] = set()

    @classmethod
    @asynccontextmanager
    async def run(
        cls,
        *,
        port: int = 0,
        token: str | None = None,
        capture_file: Path | None = None,
        rates: Mapping[Bucket, Rate] | None = None,
    ) -> AsyncGenerator["Playground"]:
        """Listen on 127.0.0.1 until the block ends. Port 0 takes a free one; without `rates` nothing is limited.

        Raises:
            OSError: the port is taken.
        """
        capture = Capture(capture_file)
        playground = cls(token=token or default_token(), capture=capture, rates=rates or {})
        runner = web.AppRunner(playground.application(), access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, port, backlog=BACKLOG)
            await site.start()
            playground.listens_on(runner.addresses[0][1])
            yield playground
        finally:
            await runner.cleanup()
            capture.close()

    @property
    def api_url(self) -> str:
        """For `discord.http.Route.BASE`."""
        return self.url + PREFIX

    @property
    def gateway_url(self) -> str:
        """For `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`."""
        return self.gateway.url

    # ------------------------------------------------------------------------------------------- acting as a member

    def command(
        self,
        name: str,
        *,
        member: str | int = "Ben",
        channel: str | int = "pictures",
        options: Mapping[str, object] | None = None,
        attachments: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> Interaction:
        """Run a command; see CommandCall for what the arguments mean. Raises MemberError."""
        call = CommandCall(
            member=member, name=name, channel=channel, options=options or {}, attachments=attachments or {}
        )
        return run_command(self.state, call)

    async def choices(
        self,
        name: str,
        option: str,
        typed: str = "",
        *,
        member: str | int = "Ben",
        channel: str | int = "pictures",
        options: Mapping[str, object] | None = None,
    ) -> list[Json]:
        """What the bot suggests (`{"name", "value"}` each) to a member who types into an option.

        Raises:
            MemberError: there is no such option, or the bot suggests nothing for it.
            TimeoutError: the bot gave no answer that Discord takes within three seconds.
        """
        call = CommandCall(member=member, name=name, channel=channel, options=options or {})
        return await self.suggested(call, Focus(option, typed))

    async def suggested(self, call: CommandCall, focus: Focus) -> list[Json]:
        """As `choices`, with the arguments in one."""
        interaction = ask_choices(self.state, call, focus)
        await self.until(lambda _: interaction.state is not InteractionState.PENDING)
        if interaction.choices is None:
            raise TimeoutError(f"the bot suggested nothing for {focus.option} within {ANSWER_WITHIN_S:g} s")
        return list(interaction.choices)

    def burst(self, calls: Iterable[CommandCall]) -> list[Interaction]:
        """Run many commands at the same moment. Raises MemberError."""
        return [run_command(self.state, call) for call in calls]

    def press(self, message: Message, button: str, *, member: str | int = "Ben") -> Interaction:
        """Press a button, named by its label or custom_id. Raises MemberError."""
        return press_button(self.state, self.state.member(member), message, button)

    def choose(self, message: Message, select: str, values: object, *, member: str | int = "Ben") -> Interaction:
        """Choose in a menu, named by its placeholder or custom_id: one value or several, by value or label.

        People are named by name or id. Raises MemberError.
        """
        return choose_values(self.state, self.state.member(member), message, select, values)

    def submit(
        self,
        interaction: Interaction,
        values: Mapping[str, object],
        *,
        files: Mapping[str, Sequence[tuple[str, bytes]]] | None = None,
        member: str | int = "Ben",
    ) -> Interaction:
        """Submit the form that the answer to an interaction opened (`interaction.modal`).

        `values` by label or custom_id of the fields; what is not named keeps what the bot put there. `files` holds
        names and bytes. Raises MemberError.
        """
        uploads = {
            name: [Upload(field=name, filename=filename, content=content) for filename, content in several]
            for name, several in (files or {}).items()
        }
        filling = Filling(values=values, files=uploads)
        return submit_form(self.state, self.state.member(member), interaction, filling)

    def message_command(self, name: str, message: Message, *, member: str | int = "Ben") -> Interaction:
        """Pick a command in the menu of a message. Raises MemberError."""
        return run_message_command(self.state, self.state.member(member), message, name)

    def user_command(
        self, name: str, target: str | int, *, member: str | int = "Ben", channel: str | int = "pictures"
    ) -> Interaction:
        """Pick a command in the menu of a person. Raises MemberError."""
        who = self.state.member(member)
        room = self.state.channel(channel, member=who)
        return run_user_command(self.state, who, room, self.state.person(target), name)

    def say(self, content: str, *, member: str | int = "Ben", channel: str | int = "lounge") -> Message:
        """Write a plain message. Raises MemberError."""
        who = self.state.member(member)
        return messages.member_says(self.state, who, self.state.channel(channel, member=who), content)

    # --------------------------------------------------------------------------------------------- watching the world

    async def until(self, found: Callable[[State], _Found | None], *, timeout_s: float = USUAL_TIMEOUT_S) -> _Found:
        """Wait until `found(state)` is truthy, and return that. It is asked at every change, so nothing is missed.

        Raises:
            TimeoutError: that did not happen in time.
        """
        result: asyncio.Future[_Found] = asyncio.get_running_loop().create_future()

        def look() -> bool:
            if result.done():
                return True
            try:
                value = found(self.state)
            except Exception as error:  # noqa: BLE001 - whatever the caller's question raises belongs to the caller
                result.set_exception(error)
                return True
            if value:
                result.set_result(value)
            return bool(value)

        if not look():
            self._watchers.append(look)
        async with asyncio.timeout(timeout_s):
            return await result

    async def ready(self, *commands: str, timeout_s: float = USUAL_TIMEOUT_S) -> None:
        """Wait until the bot is connected and has registered these commands. Raises TimeoutError."""
        wanted = set(commands)
        await self.until(
            lambda state: state.bot_connected and wanted <= {c.name for c in state.commands.values()},
            timeout_s=timeout_s,
        )

    async def opened(self, interaction: Interaction, *, timeout_s: float = USUAL_TIMEOUT_S) -> Json:
        """Wait until the bot has opened a form, and return that. Raises TimeoutError."""
        return await self.until(lambda _: interaction.modal, timeout_s=timeout_s)

    async def acknowledged(self, interaction: Interaction, *, timeout_s: float = USUAL_TIMEOUT_S) -> Interaction:
        """Wait until the bot has answered or deferred. Raises TimeoutError."""
        await self.until(lambda _: interaction.acknowledged_at is not None, timeout_s=timeout_s)
        return interaction

    async def answered(
        self,
        interaction: Interaction,
        when: Callable[[Message], object] = lambda _: True,
        *,
        timeout_s: float = USUAL_TIMEOUT_S,
    ) -> Message:
        """Wait until there is a message in answer that is more than "is thinking", and for which `when` is truthy.

        Raises:
            TimeoutError: that did not happen in time.
        """

        def answer(state: State) -> Message | None:
            message = state.original(interaction)
            return None if message is None or message.is_thinking or not when(message) else message

        return await self.until(answer, timeout_s=timeout_s)

    def content(self, attachment: Attachment) -> bytes:
        """The bytes of a file that some message or upload still has. Raises KeyError."""
        return self.state.contents[attachment.id]

    def file_url(self, attachment: Attachment) -> str:
        """A fresh signed address of a file."""
        return self.cdn.url(attachment)

    def seen_by(self, message: Message) -> set[str]:
        """The names of the members who see a message now."""
        return self.state.seen_by(message)

    # ------------------------------------------------------------------------------------------------ running the place

    def advance(self, seconds: float) -> None:
        """Let time pass at once. Raises ValueError for less than none."""
        self.clock.advance(seconds)
        self._look_at_deadlines()
        self._look()

    def drop_gateway(self, code: int = 4000) -> None:
        """Break all gateway connections; the bot can resume."""
        self.gateway.drop(code)

    def reconnect_gateway(self) -> None:
        """Ask the bot to connect anew (op 7)."""
        self.gateway.ask_to_reconnect()

    def invalidate_gateway(self, *, resumable: bool = False) -> None:
        """Tell the bot that its session is over (op 9)."""
        self.gateway.invalidate(resumable=resumable)

    def allow_direct_messages(self, member: str | int, *, allowed: bool) -> None:
        """Whether the bot may write to a member directly (else 50007)."""
        self.state.member(member).takes_direct_messages = allowed
        self._look()

    def give_role(self, member: str | int, role: str | int) -> None:
        """Give a member a role, by name or id. Raises MemberError."""
        who = self.state.member(member)
        messages.set_roles(self.state, who, [*self.state.guild.roles_of(who), self.state.role(role)])

    def take_role(self, member: str | int, role: str | int) -> None:
        """Take a role from a member, by name or id. Raises MemberError."""
        who, gone = self.state.member(member), self.state.role(role)
        messages.set_roles(self.state, who, [one for one in self.state.guild.roles_of(who) if one is not gone])

    def set_permissions(self, role: str | int, *permissions: Permission) -> None:
        """Let a role ("@everyone" included) allow this, and nothing else. Raises MemberError."""
        messages.set_permissions(self.state, self.state.role(role), union(permissions))

    def install(self, member: str | int, *, installed: bool = True) -> None:
        """Whether a member has the bot's app installed for themselves, to use it anywhere. Raises MemberError."""
        messages.set_app(self.state, self.state.member(member), installed=installed)

    def set_locale(self, member: str | int, locale: str) -> None:
        """The language in which a member uses Discord, such as "de" (usually "en-US"). Raises MemberError."""
        messages.set_locale(self.state, self.state.member(member), locale)

    def deny(self, channel: str | int, *permissions: Permission) -> None:
        """Take permissions from the bot in a channel (50001, 50013); none gives all back."""
        messages.deny_bot(self.state, self._room(channel), union(permissions))

    def delete_message(self, message: Message) -> None:
        """Delete any message, as a moderator does."""
        messages.remove_message(self.state, messages.existing(message))

    def delete_channel(self, channel: str | int) -> None:
        """Delete a channel of the server. Raises MemberError."""
        messages.delete_channel(self.state, self._room(channel))

    def set_rates(self, rates: Mapping[Bucket, Rate]) -> None:
        """Limit these buckets from now on (`DISCORD_LIKE`, or one's own); {} ends all limits."""
        self.limiter.rates = dict(rates)
        self.limiter.forget()

    def _room(self, channel: str | int) -> Channel:
        found = self.state.channel(channel)
        if found.guild_id != self.state.guild.id:
            raise MemberError("That works for the channels of the bot's server only.")
        return found

    # -------------------------------------------------------------------------------------------------------- plumbing

    def application(self) -> web.Application:
        """The web application, to be run on loopback."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[loopback_only])
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_route("*", PREFIX + "/{tail:.*}", self.rest.serve)
        app.router.add_get("/{folder:attachments|ephemeral-attachments}/{channel}/{id}/{name}", self._file)
        app.router.add_routes(ClientApi(self.state, self.wire, self.journal, suggested=self.suggested).routes())
        app.router.add_routes(Control(self).routes())
        app.router.add_routes(pages.routes())
        app.on_shutdown.append(self._shut_down)
        return app

    def listens_on(self, port: int) -> None:
        """Learn the address, once it is known."""
        self.url = f"http://{HOST}:{port}"
        self.cdn.base_url = self.url
        self.gateway.url = self.rest.gateway_url = f"ws://{HOST}:{port}/gateway"

    async def _shut_down(self, _app: web.Application) -> None:
        for timer in self._timers:
            timer.cancel()
        self.journal.close()
        self.faults.clear()
        await self.gateway.shut_down()

    def _hear(self, event: Event) -> None:
        if event.kind is EventKind.INTERACTION_CREATED:
            self._watch_deadline()
        self.gateway.hear(event)
        self.journal.add(event)
        self._look()

    def _bot_came_or_went(self) -> None:
        self._hear(Event(kind=EventKind.BOT))

    def _watch_deadline(self) -> None:
        def over() -> None:
            self._timers.discard(timer)
            self._look_at_deadlines()

        timer = asyncio.get_running_loop().call_later(ANSWER_WITHIN_S + _TIMER_SLACK_S, over)
        self._timers.add(timer)

    def _look_at_deadlines(self) -> None:
        fail_unanswered(self.state)

    def _look(self) -> None:
        self._watchers = [look for look in self._watchers if not look()]

    async def _file(self, request: web.Request) -> web.StreamResponse:
        fault = self.faults.match(request.method, request.path)

        async def proceed() -> web.StreamResponse:
            return self._serve_file(request)

        return await apply_fault(fault, request, proceed)

    def _serve_file(self, request: web.Request) -> web.Response:
        attachment_id = request.match_info["id"]
        attachment = self.state.attachments.get(int(attachment_id)) if attachment_id.isdecimal() else None
        if attachment is None or not self.cdn.is_valid(request.rel_url.raw_path, request.query):
            return web.Response(status=404, text=GONE)
        kind = attachment.content_type or "application/octet-stream"
        headers = {
            "Content-Type": kind,
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": "inline" if kind in SHOWN_IN_PLACE else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cache-Control": "private, max-age=3600",
        }
        return web.Response(body=self.state.contents[attachment.id], headers=headers)
