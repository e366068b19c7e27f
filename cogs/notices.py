"""Telling members and moderators what they have not asked for: the implementation of the ports in ``services/``."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from http import HTTPStatus

import discord

from cogs.views.consent import question_layout
from cogs.views.faces import expiring_text, revoked_text
from cogs.views.report import flag_text
from services import network
from services.consents import DeletedFace, Question, Unreachable
from services.moderation import Flag
from services.presenter import DiscordUnavailable
from services.quotas import is_private
from services.upkeep import Expiring
from services.words import _

log = logging.getLogger(__name__)

CALL_TIMEOUT_S = 30.0


class DiscordNotices:
    """Direct messages, and lines in the channels of moderators."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def flagged(self, channel_id: int, flag: Flag) -> None:
        """See ``services.moderation.Moderators``."""
        channel = self._client.get_partial_messageable(channel_id)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await channel.send(flag_text(flag))
        except (discord.HTTPException, *network.FAULTS) as error:
            raise DiscordUnavailable(f"the report channel takes nothing: {type(error).__name__}") from error

    async def faces_expire(self, member_id: int, expiring: Sequence[Expiring]) -> None:
        """See ``services.upkeep.Notices``."""
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                channel = await self._client.create_dm(discord.Object(member_id))
                await channel.send(expiring_text(expiring))
        except discord.HTTPException as error:
            is_busy = error.status == HTTPStatus.TOO_MANY_REQUESTS
            if is_busy or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise DiscordUnavailable(f"Discord answered {error.status}") from error
            log.info("a member takes no direct messages and was not told that faces will be deleted")
        except network.FAULTS as error:
            raise DiscordUnavailable(f"no answer from Discord: {type(error).__name__}") from error

    async def faces_revoked(self, faces: Sequence[DeletedFace]) -> None:
        """Tell each owner, as far as they can be told, that the person shown has taken their consent back."""
        for face in faces:
            try:
                async with asyncio.timeout(CALL_TIMEOUT_S):
                    channel = await self._client.create_dm(discord.Object(face.member_id))
                    await channel.send(revoked_text(face))
            except (discord.HTTPException, *network.FAULTS) as error:
                log.info("a member was not told that a face was deleted: %s", type(error).__name__)


class DiscordAsking:
    """Questions to the people shown in photos; see ``services.consents.Asking``."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def ask(self, question: Question) -> tuple[int, int]:
        """See ``services.consents.Asking``."""
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                if await self._is_in_sight(question):
                    with contextlib.suppress(discord.Forbidden, discord.NotFound):
                        channel = self._client.get_partial_messageable(question.generation.channel_id)
                        return await _put(channel, question)
                return await _put(await self._client.create_dm(discord.Object(question.consent.subject_id)), question)
        except (discord.Forbidden, discord.NotFound) as error:
            raise Unreachable(
                _("The person in the photo cannot be asked: they do not see this channel and take no direct messages.")
            ) from error
        except discord.HTTPException as error:
            raise DiscordUnavailable(f"Discord answered {error.status}") from error
        except network.FAULTS as error:
            raise DiscordUnavailable(f"no answer from Discord: {type(error).__name__}") from error

    async def _is_in_sight(self, question: Question) -> bool:
        """Whether the person shown reads the channel of the request."""
        generation = question.generation
        channel = self._client.get_channel(generation.channel_id)
        is_secret = generation.is_private or is_private(generation.scope)
        if is_secret or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
            return False
        try:
            member = await channel.guild.fetch_member(question.consent.subject_id)
        except discord.NotFound:
            return False  # they have left the server, or never were in it
        return channel.permissions_for(member).view_channel


async def _put(channel: discord.abc.Messageable, question: Question) -> tuple[int, int]:
    """It names its asker too, and calls the person asked alone. The nonce prevents a second question."""
    asked = discord.AllowedMentions(
        everyone=False, roles=False, users=[discord.Object(question.consent.subject_id)], replied_user=False
    )
    message = await channel.send(
        view=question_layout(question), allowed_mentions=asked, nonce=f"q{question.consent.id}"
    )
    return message.channel.id, message.id


class DiscordMessages:
    """Messages that the bot has sent, to be deleted as the bot; see ``services.privacy.Messages``."""

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    async def delete(self, channel_id: int, message_id: int) -> bool:
        """See ``services.privacy.Messages``."""
        message = self._client.get_partial_messageable(channel_id).get_partial_message(message_id)
        try:
            async with asyncio.timeout(CALL_TIMEOUT_S):
                await message.delete()
        except discord.HTTPException as error:
            is_busy = error.status == HTTPStatus.TOO_MANY_REQUESTS
            if is_busy or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise DiscordUnavailable(f"Discord answered {error.status}") from error
            return error.status == HTTPStatus.NOT_FOUND  # somebody was quicker
        except network.FAULTS as error:
            raise DiscordUnavailable(f"no answer from Discord: {type(error).__name__}") from error
        return True
