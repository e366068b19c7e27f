"""Telling members and moderators what they have not asked for: the implementation of the ports in ``services/``."""

import asyncio
import logging
from collections.abc import Sequence
from http import HTTPStatus

import discord

from cogs.views.faces import expiring_text
from cogs.views.report import flag_text
from services import network
from services.moderation import Flag
from services.presenter import DiscordUnavailable
from services.upkeep import Expiring

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
