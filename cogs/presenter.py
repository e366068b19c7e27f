"""Showing generations on Discord: the implementation of the port in ``services/presenter.py``."""

import asyncio
import contextlib
import io
import logging
import re
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

import discord

from cogs.files import release
from cogs.views.generation import Frame, detour_line, failure_sentence, layout, photo_names, ready_line
from services import network
from services.generations import Generation, Hosted
from services.presenter import (
    Cancelled,
    DiscordUnavailable,
    Failure,
    NeverAcknowledged,
    NowhereToShow,
    Progress,
    Result,
    Scene,
    Shown,
    TooLarge,
    Waiting,
)
from services.quotas import guild_of
from services.request import Wish
from services.servers import Servers

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 120.0
# Whoever waits longer for an end has probably looked away. Within it the member is still there, and one more line under
# every result would be noise for everybody else.
CALL_BACK_AFTER = timedelta(minutes=1)

# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
INVALID_WEBHOOK_TOKEN = 50027
REQUEST_TOO_LARGE = 40005
NOT_THE_AUTHOR = 50005
TOO_MANY_EDITS_OF_OLD_MESSAGE = 30046


class _TokenOverError(Exception):
    """The interaction's token works no more."""


class _MessageGoneError(Exception):
    """Somebody has deleted the message."""


class _CannotEditError(Exception):
    """The message is there, but this edit is not allowed."""


class _NoAccessError(Exception):
    """The channel is gone, or the bot may not write there."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """An attachment that an edit keeps."""

    id: int

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.id)}  # as text: not every JSON reader has integers of 64 bits


class DiscordPresenter:
    """Edits the one message: through the interaction's token while that works, then as the bot through the channel.
    Only a result or a failure that cannot be shown there is posted anew, or sent to the member directly.
    """

    def __init__(self, client: discord.Client, servers: Servers) -> None:
        self._client = client
        self._servers = servers

    async def show(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        """See ``services.presenter.Presenter``."""
        try:
            if isinstance(scene, Failure) and scene.private and generation.token:
                return await self._refuse(generation, generation.token, scene)
            return await self._edit(generation, wish, scene)
        except (_MessageGoneError, _NoAccessError) as error:
            if isinstance(scene, Waiting | Progress | Cancelled):
                raise NowhereToShow("the message is out of reach") from error
        except _CannotEditError as error:
            if isinstance(scene, Waiting | Progress | Cancelled):
                raise NowhereToShow("the message cannot be edited") from error
            with contextlib.suppress(_NoAccessError):
                return await self._post_anew(generation, wish, scene)
        return await self._send_directly(generation, wish, scene)

    async def _edit(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        if generation.token:
            try:
                message = await self._edit_by_token(generation, generation.token, wish, scene)
            except _TokenOverError:
                log.info("generation %d: its interaction is over, the bot edits the message itself", generation.id)
            else:
                if isinstance(scene, Result | Failure) and _took_long(generation):
                    await self._call_back(generation, message.id, scene)
                return _shown(message, wish)
        if generation.message_id is None:
            raise _CannotEditError
        return await self._edit_in_channel(generation, generation.message_id, wish, scene)

    async def _edit_by_token(
        self, generation: Generation, token: str, wish: Wish, scene: Scene
    ) -> discord.WebhookMessage:
        with _files(generation, wish, scene) as files, _translated(generation):
            view = layout(generation, wish, scene, self._frame(generation, wish, scene, files))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._webhook(generation, token).edit_message(
                    _ORIGINAL, view=view, attachments=_attachments(generation, scene, files), allowed_mentions=_NOBODY
                )

    async def _edit_in_channel(self, generation: Generation, message_id: int, wish: Wish, scene: Scene) -> Shown:
        channel = self._client.get_partial_messageable(generation.channel_id)
        with _files(generation, wish, scene) as files, _translated(generation):
            view = layout(generation, wish, scene, self._frame(generation, wish, scene, files))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                message = await channel.get_partial_message(message_id).edit(
                    view=view, attachments=_attachments(generation, scene, files), allowed_mentions=_NOBODY
                )
        if isinstance(scene, Result | Failure):
            await self._call_back(generation, message_id, scene)
        return _shown(message, wish)

    async def _call_back(self, generation: Generation, message_id: int, scene: Result | Failure) -> None:
        """An edit notifies nobody, and the member has stopped waiting by now. The nonce prevents a second line."""
        channel = self._client.get_partial_messageable(generation.channel_id)
        reference = discord.MessageReference(
            message_id=message_id, channel_id=generation.channel_id, fail_if_not_exists=False
        )
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await channel.send(
                    ready_line(generation, scene),
                    reference=reference,
                    allowed_mentions=_only(generation.member_id),
                    nonce=f"c{generation.interaction_id}",
                )
        except (discord.HTTPException, *network.FAULTS) as error:
            log.warning("generation %d: the member could not be called back: %s", generation.id, type(error).__name__)

    async def _post_anew(self, generation: Generation, wish: Wish, scene: Result | Failure) -> Shown:
        channel = self._client.get_partial_messageable(generation.channel_id)
        preface = ready_line(generation, scene)
        return await self._send(
            channel, generation, wish, scene, preface=preface, nonce=f"n{generation.interaction_id}"
        )

    async def _send_directly(self, generation: Generation, wish: Wish, scene: Result | Failure) -> Shown:
        try:
            with _translated(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    channel = await self._client.create_dm(discord.Object(generation.member_id))
            return await self._send(
                channel,
                generation,
                wish,
                scene,
                preface=detour_line(generation),
                nonce=f"d{generation.interaction_id}",
            )
        except (_NoAccessError, _MessageGoneError, _CannotEditError) as error:
            raise NowhereToShow("the member takes no direct messages") from error

    async def _send(
        self,
        channel: discord.abc.Messageable,
        generation: Generation,
        wish: Wish,
        scene: Result | Failure,
        *,
        preface: str,
        nonce: str,
    ) -> Shown:
        with _files(generation, wish, scene) as files, _translated(generation):
            names = [file.filename for file in files]
            view = layout(
                generation,
                wish,
                scene,
                Frame(files=names, preface=preface, can_report=self._can_report(generation)),
            )
            async with asyncio.timeout(CALL_TIMEOUT_S):
                message = await channel.send(
                    view=view, files=files, allowed_mentions=_only(generation.member_id), nonce=nonce
                )
        return Shown(message_id=message.id)

    async def _refuse(self, generation: Generation, token: str, failure: Failure) -> Shown:
        """Remove the public message, then tell the asker alone: Discord would show the first follow-up of a public
        deferral in its place, for everybody.
        """
        webhook = self._webhook(generation, token)
        try:
            with contextlib.suppress(_MessageGoneError), _translated(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await webhook.delete_message(_ORIGINAL)
            with _translated(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await webhook.send(failure_sentence(failure), ephemeral=True, allowed_mentions=_NOBODY, wait=True)
        except _TokenOverError as error:
            raise _CannotEditError from error
        return Shown(message_id=None)

    def _frame(self, generation: Generation, wish: Wish, scene: Scene, files: Iterable[discord.File]) -> Frame:
        if isinstance(scene, Waiting | Failure | Cancelled):
            return Frame()
        names = photo_names(wish.references)
        if isinstance(scene, Progress) and scene.new_photos:
            return Frame(photos=[f"attachment://{name}" for name in names])
        hosted = zip(names, generation.hosted, strict=False)  # none are hosted before the first message
        photos = [f"attachment://{name}" if photo.attachment_id else photo.url for name, photo in hosted]
        uploaded = [file.filename for file in files]
        return Frame(photos=photos, files=uploaded, can_report=self._can_report(generation))

    def _can_report(self, generation: Generation) -> bool:
        return self._servers.of(guild_of(generation.scope)).report_channel is not None

    def _webhook(self, generation: Generation, token: str) -> discord.Webhook:
        webhook = discord.Webhook.partial(generation.application_id, token, client=self._client)
        webhook.type = discord.WebhookType.application  # what an interaction's webhook is; only it can be ephemeral
        return webhook


# Discord's own name for the answer to an interaction stands where discord.py expects a message id.
_ORIGINAL = cast(int, "@original")
_NOBODY = discord.AllowedMentions.none()


def _only(member_id: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(member_id)], replied_user=False)


def _took_long(generation: Generation) -> bool:
    """The same at every try, so that a repeated edit decides as the first one did."""
    return generation.changed_at - generation.created_at > CALL_BACK_AFTER


@contextlib.contextmanager
def _files(generation: Generation, wish: Wish, scene: Scene) -> Generator[list[discord.File]]:
    """The files that a scene uploads, closed afterwards. Pictures are read from disk while they are sent."""
    files: list[discord.File] = []
    try:
        if isinstance(scene, Result):
            for number, path in enumerate(scene.pictures, start=1):
                files.append(discord.File(path, filename=f"facelock-{generation.id}-{number}{path.suffix}"))
        elif isinstance(scene, Progress) and scene.new_photos:
            for name, photo in zip(photo_names(wish.references), scene.new_photos, strict=True):
                files.append(discord.File(io.BytesIO(photo), filename=name))
        yield files
    finally:
        release(files)


def _attachments(generation: Generation, scene: Scene, files: Sequence[discord.File]) -> Any:
    """What the edited message carries: a progress edit without new photos leaves it alone, every other one names all of
    it, so that a repeated edit replaces the pictures and does not add them once more.
    """
    if isinstance(scene, Progress) and not files:
        return discord.utils.MISSING
    hosted = generation.hosted if isinstance(scene, Result) else ()
    return [*(_Kept(photo.attachment_id) for photo in hosted if photo.attachment_id), *files]


def _shown(message: discord.Message, wish: Wish) -> Shown:
    return Shown(message_id=message.id, photos=photos_in(message, photo_names(wish.references)))


def photos_in(message: discord.Message, names: Iterable[str]) -> tuple[Hosted, ...]:
    """Where Discord serves the photos of these names, in that order; empty where it does not serve them all.

    In a Components V2 message that is at the thumbnails, and not among the attachments.
    """
    served: dict[str, Hosted] = {
        attachment.filename: Hosted(url=attachment.url, attachment_id=attachment.id)
        for attachment in message.attachments
    }
    for media in _thumbnails(message.components):
        address = urlsplit(media.url)
        if address.scheme in ("https", "http"):
            name = address.path.rpartition("/")[2]
            served[name] = Hosted(url=media.url, attachment_id=media.attachment_id or _id_in(address.path))
    found = [served.get(name) for name in names]
    return tuple(photo for photo in found if photo) if all(found) else ()


async def message_of(client: discord.Client, generation: Generation) -> discord.Message | None:
    """The message that shows a generation, as it is now; None where it is gone or was never named.

    Raises:
        discord.HTTPException: also where the bot may not read the channel.
    """
    if generation.message_id is None:
        return None
    try:
        return await client.get_partial_messageable(generation.channel_id).fetch_message(generation.message_id)
    except discord.NotFound:
        return None


def pictures_in(message: discord.Message) -> list[str]:
    """Where Discord serves the pictures of a result, in their order."""
    return [item.media.url for gallery in _galleries(message.components) for item in gallery.items]


def _galleries(components: Iterable[object]) -> Generator[discord.MediaGalleryComponent]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield component
        elif isinstance(component, discord.Container):
            yield from _galleries(component.children)


def _thumbnails(components: Iterable[object]) -> Generator[discord.UnfurledMediaItem]:
    for component in components:
        if isinstance(component, discord.SectionComponent) and isinstance(
            component.accessory, discord.ThumbnailComponent
        ):
            yield component.accessory.media
        elif isinstance(component, discord.Container):
            yield from _thumbnails(component.children)


def _id_in(path: str) -> int | None:
    """The attachment's id from its address, ``.../attachments/<channel>/<attachment>/<name>``."""
    found = re.search(r"/(\d+)/[^/]+$", path)
    return int(found[1]) if found else None


@contextlib.contextmanager
def _translated(generation: Generation) -> Generator[None]:
    """Turn what discord.py raises into what can be done about it."""
    try:
        yield
    except discord.HTTPException as error:
        raise _meaning_of(error, generation) from error
    except network.FAULTS as error:
        raise DiscordUnavailable(f"no answer from Discord: {type(error).__name__}") from error


def _meaning_of(error: discord.HTTPException, generation: Generation) -> Exception:
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or error.code == REQUEST_TOO_LARGE:
        return TooLarge("Discord found the files too large")
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        wait_s = error.response.headers.get("Retry-After", "")
        return DiscordUnavailable("Discord asks for fewer requests", retry_after_s=_seconds(wait_s))
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return DiscordUnavailable(f"Discord answered {error.status}")
    if error.code in (NOT_THE_AUTHOR, TOO_MANY_EDITS_OF_OLD_MESSAGE):
        return _CannotEditError()
    if error.status == HTTPStatus.NOT_FOUND and generation.message_id is None and error.code in _NO_ANSWER:
        return NeverAcknowledged("Discord knows of no answer to this interaction")
    if error.code == UNKNOWN_MESSAGE:
        return _MessageGoneError()
    if error.status == HTTPStatus.UNAUTHORIZED or error.code in (UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN):
        return _TokenOverError()
    if error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return _NoAccessError()
    return error


_NO_ANSWER = (0, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK)


def _seconds(text: str) -> float | None:
    try:
        return max(0.0, float(text))
    except ValueError:
        return None
