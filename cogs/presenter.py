"""Showing generations on Discord: the implementation of the port in ``services/presenter.py``."""

import asyncio
import contextlib
import io
import logging
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import discord

from cogs.faults import CannotEditError, MessageGoneError, NoAccessError, TokenOverError, explained
from cogs.files import release
from cogs.messages import photos_in
from cogs.views.generation import Frame, detour_line, faces_layout, failure_sentence, layout, photo_names, ready_line
from services import network
from services.downloads import DownloadError, Downloads
from services.generations import Generation
from services.photos import PHOTO_BYTES_MAX
from services.presenter import (
    Cancelled,
    Failure,
    NowhereToShow,
    Progress,
    Result,
    Scene,
    Shown,
    Waiting,
)
from services.quotas import guild_of
from services.servers import Servers
from services.wishes import Wish

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 120.0
PHOTO_TIMEOUT_S = 30.0
# Whoever waits longer for an end has probably looked away. Within it the member is still there, and one more line under
# the result would be noise for everybody else.
CALL_BACK_AFTER = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An attachment that an edit keeps."""

    id: int

    def to_dict(self) -> dict[str, Any]:
        return {"id": str(self.id)}  # as text: not every JSON reader has integers of 64 bits


class DiscordPresenter:
    """Edits the one message: through the interaction's token while that works, then as the bot through the channel.
    Only a result or a failure that cannot be shown there is posted anew, or sent to the member directly. An ephemeral
    message has its interaction's token alone, and what it has to say is said in no channel.
    """

    def __init__(self, client: discord.Client, servers: Servers, downloads: Downloads) -> None:
        self._client = client
        self._servers = servers
        self._downloads = downloads

    async def show(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        """See ``services.presenter.Presenter``."""
        try:
            if isinstance(scene, Failure) and scene.private and generation.token and not generation.is_ephemeral:
                return await self._refuse(generation, generation.token, wish, scene)
            if isinstance(scene, Waiting) and scene.faces and not generation.is_ephemeral:
                return await self._let_choose(generation, wish, scene)
            return await self._edit(generation, wish, scene)
        except (MessageGoneError, NoAccessError) as error:
            if isinstance(scene, Waiting | Progress | Cancelled):
                raise NowhereToShow("the message is out of reach") from error
        except CannotEditError as error:
            if isinstance(scene, Waiting | Progress | Cancelled):
                raise NowhereToShow("the message cannot be edited") from error
            if not generation.is_ephemeral:
                with contextlib.suppress(NoAccessError):
                    return await self._post_anew(generation, wish, scene)
        return await self._send_directly(generation, wish, scene)

    async def _edit(self, generation: Generation, wish: Wish, scene: Scene) -> Shown:
        if generation.token:
            try:
                message = await self._edit_by_token(generation, generation.token, wish, scene)
            except TokenOverError:
                log.info("generation %d: its interaction is over", generation.id)
            else:
                is_end = isinstance(scene, Result | Failure)
                if is_end and _took_long(generation) and not generation.is_ephemeral:
                    await self._call_back(generation, message.id, scene)
                return _shown(message, wish)
        if generation.message_id is None or generation.is_ephemeral:
            raise CannotEditError
        return await self._edit_in_channel(generation, generation.message_id, wish, scene)

    async def _edit_by_token(
        self, generation: Generation, token: str, wish: Wish, scene: Scene
    ) -> discord.WebhookMessage:
        with _files(generation, wish, scene) as files, explained(generation):
            view = layout(generation, wish, scene, self._frame(generation, wish, scene, files))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                return await self._webhook(generation, token).edit_message(
                    _ORIGINAL, view=view, attachments=_attachments(generation, scene, files), allowed_mentions=_NOBODY
                )

    async def _edit_in_channel(self, generation: Generation, message_id: int, wish: Wish, scene: Scene) -> Shown:
        channel = self._client.get_partial_messageable(generation.channel_id)
        with _files(generation, wish, scene) as files, explained(generation):
            view = layout(generation, wish, scene, self._frame(generation, wish, scene, files))
            async with asyncio.timeout(CALL_TIMEOUT_S):
                message = await channel.get_partial_message(message_id).edit(
                    view=view, attachments=_attachments(generation, scene, files), allowed_mentions=_NOBODY
                )
        if isinstance(scene, Result | Failure):
            await self._call_back(generation, message_id, scene)
        return _shown(message, wish)

    async def _let_choose(self, generation: Generation, wish: Wish, scene: Waiting) -> Shown:
        """The faces are for the asker's eyes alone, beside the message that everybody sees."""
        shown = await self._edit(generation, wish, replace(scene, faces=()))
        if generation.token is None:
            return shown
        try:
            with _files(generation, wish, scene) as files, explained(generation):
                view = faces_layout(generation, wish, scene, [file.filename for file in files])
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await self._webhook(generation, generation.token).send(
                        view=view, files=files, ephemeral=True, allowed_mentions=_NOBODY, wait=True
                    )
        except TokenOverError:
            log.info("generation %d: its interaction is over, nobody can choose a face any more", generation.id)
        return shown

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
        photos = await self._photos_along(generation, scene)
        try:
            with explained(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    channel = await self._client.create_dm(discord.Object(generation.member_id))
            shown = await self._send(
                channel,
                replace(generation, is_ephemeral=False),
                wish,
                scene,
                preface=detour_line(generation),
                nonce=f"d{generation.interaction_id}",
                photos=photos,
            )
            return replace(shown, direct_channel_id=channel.id)
        except (NoAccessError, MessageGoneError, CannotEditError) as error:
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
        photos: Sequence[bytes] = (),
    ) -> Shown:
        with _files(generation, wish, scene, photos) as files, explained(generation):
            names = [file.filename for file in files]
            addresses = [f"attachment://{name}" for name in names[: len(photos)]]
            frame = Frame(
                photos=addresses,
                files=names[len(photos) :],
                preface=preface,
                can_report=self._can_report(generation),
            )
            async with asyncio.timeout(CALL_TIMEOUT_S):
                message = await channel.send(
                    view=layout(generation, wish, scene, frame),
                    files=files,
                    allowed_mentions=_only(generation.member_id),
                    nonce=nonce,
                )
        return Shown(message_id=message.id)

    async def _photos_along(self, generation: Generation, scene: Scene) -> tuple[bytes, ...]:
        """The photos of an ephemeral message, for the one that comes in its place; none where Discord serves them no
        more. From a message for everybody they are not taken along: who deletes that deletes the face.
        """
        if not generation.is_ephemeral or not isinstance(scene, Result):
            return ()
        try:
            return tuple(
                [
                    await self._downloads.fetch(photo.url, bytes_max=PHOTO_BYTES_MAX, timeout_s=PHOTO_TIMEOUT_S)
                    for photo in generation.hosted
                ]
            )
        except DownloadError as error:
            log.info("generation %d: its photos stay behind: %s", generation.id, error)
            return ()

    async def _refuse(self, generation: Generation, token: str, wish: Wish, failure: Failure) -> Shown:
        """Remove the public message, then tell the asker alone: Discord would show the first follow-up of a public
        deferral in its place, for everybody.
        """
        webhook = self._webhook(generation, token)
        try:
            with contextlib.suppress(MessageGoneError), explained(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await webhook.delete_message(_ORIGINAL)
            with explained(generation):
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    await webhook.send(failure_sentence(failure), ephemeral=True, allowed_mentions=_NOBODY, wait=True)
        except TokenOverError:
            return await self._edit(generation, wish, failure)  # it comes too late for their eyes alone
        return Shown(message_id=None)

    def _frame(self, generation: Generation, wish: Wish, scene: Scene, files: Iterable[discord.File]) -> Frame:
        uploaded = [file.filename for file in files]
        if isinstance(scene, Waiting | Failure | Cancelled):
            return Frame(files=uploaded)
        names = photo_names(wish.references)
        if isinstance(scene, Progress) and scene.new_photos:
            return Frame(photos=[f"attachment://{name}" for name in names])
        hosted = zip(names, generation.hosted, strict=False)  # none are hosted before the first message
        photos = [f"attachment://{name}" if photo.attachment_id else photo.url for name, photo in hosted]
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
def _files(
    generation: Generation, wish: Wish, scene: Scene, photos: Sequence[bytes] = ()
) -> Generator[list[discord.File]]:
    """The files that a scene uploads, photos first; closed afterwards. Pictures are read from disk meanwhile."""
    files: list[discord.File] = []
    try:
        new_photos = scene.new_photos if isinstance(scene, Progress) else photos
        if new_photos:
            for name, photo in zip(photo_names(wish.references), new_photos, strict=True):
                files.append(discord.File(io.BytesIO(photo), filename=name))
        if isinstance(scene, Waiting):
            for number, face in enumerate(scene.faces, start=1):
                files.append(discord.File(io.BytesIO(face), filename=f"choice-{number}.jpg"))
        if isinstance(scene, Result):
            for number, path in enumerate(scene.pictures, start=1):
                files.append(discord.File(path, filename=f"facelock-{generation.id}-{number}{path.suffix}"))
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
