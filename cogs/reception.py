"""Where every request begins, by a command, a button or a form: from a wish to an accepted generation. Everything after
that is the job runner's.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import discord

from cogs.answers import in_time
from services import network
from services.admission import Admission, Asker
from services.generations import NewGeneration, Source
from services.quotas import scope_of
from services.request import Wish
from services.runner import Runner
from services.servers import Servers, ServerSettings

log = logging.getLogger(__name__)

# The first answer has 3 s; together with the second that accepting may take, this leaves half a second for the way.
DEFER_TIMEOUT_S = 1.5
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_INTERACTION = 10062


class Reception:
    """Has wishes accepted, and tells Discord that the answer will come."""

    def __init__(self, runner: Runner, admission: Admission, servers: Servers) -> None:
        self._runner = runner
        self._admission = admission
        self._servers = servers

    async def begin(self, interaction: discord.Interaction, wish: Wish, photos: Sequence[Source]) -> None:
        """Have a wish accepted and acknowledge it. ``photos`` are in the order of its references.

        Raises:
            UserError: it was not accepted, and nothing was charged.
        """
        generation_id = await in_time(interaction, self._accept(interaction, wish, photos), ephemeral=False)
        if generation_id is None:
            return  # a repeat of a command that was taken already, by a replay of the gateway
        await self._acknowledge(interaction, generation_id)

    def settings(self, interaction: discord.Interaction) -> ServerSettings:
        """What the admins of the server have set in which this was sent."""
        return self._servers.of(interaction.guild_id)

    async def _accept(self, interaction: discord.Interaction, wish: Wish, photos: Sequence[Source]) -> int | None:
        asker = replace(asker_of(interaction), gone_ids=gone_ids(interaction.guild, self.settings(interaction)))
        admitted = await self._admission.admit(asker, wish)
        return await self._runner.accept(self._new_generation(interaction, asker, admitted, photos))

    async def _acknowledge(self, interaction: discord.Interaction, generation_id: int) -> None:
        """Defer, unless that happened already, and hand over. Where it stays unknown whether Discord took the deferral,
        the runner goes on: the first edit of the message will tell.
        """
        message_id = None
        try:
            if not interaction.response.is_done():
                async with asyncio.timeout(DEFER_TIMEOUT_S):
                    response = await interaction.response.defer(thinking=True)
                message_id = response.message_id if response else None
        except discord.HTTPException as error:
            log.warning("generation %d: Discord answered the deferral with %s", generation_id, error.status)
            if error.code == UNKNOWN_INTERACTION:
                await self._runner.unacknowledged(generation_id)
                return
        except network.FAULTS as error:
            log.warning("generation %d: Discord did not confirm the deferral: %s", generation_id, type(error).__name__)
        await self._runner.acknowledged(generation_id, message_id)

    def _new_generation(
        self, interaction: discord.Interaction, asker: Asker, wish: Wish, photos: Sequence[Source]
    ) -> NewGeneration:
        channel_id = interaction.channel_id
        assert channel_id is not None, "Discord names the channel of every command"  # noqa: S101 - narrows the type
        settings = self.settings(interaction)
        return NewGeneration(
            interaction_id=interaction.id,
            application_id=interaction.application_id,
            token=interaction.token,
            scope=scope_in(interaction),
            channel_id=channel_id,
            member_id=interaction.user.id,
            locale=settings.language or str(interaction.locale),
            file_limit_bytes=interaction.filesize_limit,
            wish=wish.to_json(),
            images=wish.images,
            role_ids=tuple(sorted(asker.role_ids)),
            photos=tuple(photos),
            unfinished_max=settings.member_queue,
        )


def gone_ids(guild: discord.Guild | None, settings: ServerSettings) -> frozenset[int]:
    """The channels and roles in the settings that the server does not have any more; none while it is unknown."""
    if guild is None or guild.unavailable:
        return frozenset()
    channels = (each for each in (*settings.channels, settings.report_channel) if each is not None)
    gone = {each for each in channels if guild.get_channel_or_thread(each) is None}
    return frozenset(gone | {each for each in settings.roles if guild.get_role(each) is None})


def scope_in(interaction: discord.Interaction) -> str:
    """Where this counts: in a server only where the bot was added to it, and not by the member alone."""
    guild_id = interaction.guild_id if interaction.is_guild_integration() else None
    return scope_of(guild_id=guild_id, member_id=interaction.user.id)


def asker_of(interaction: discord.Interaction) -> Asker:
    """Who has sent this, and where."""
    channel, channel_id = interaction.channel, interaction.channel_id or 0
    around = channel.parent_id if isinstance(channel, discord.Thread) else None
    is_nsfw = getattr(channel, "is_nsfw", None)  # direct messages have no such thing
    return Asker(
        member_id=interaction.user.id,
        guild_id=interaction.guild_id,
        channel_ids=(channel_id, around) if around else (channel_id,),
        role_ids=_role_ids(interaction.user),
        is_age_restricted=bool(is_nsfw and is_nsfw()),
        locale=str(interaction.locale),
    )


def _role_ids(user: discord.User | discord.Member) -> frozenset[int]:
    """As they came with the interaction: ``Member.roles`` leaves out those that the cache does not know yet."""
    if not isinstance(user, discord.Member):
        return frozenset()
    return frozenset(user._roles)  # pyright: ignore[reportPrivateUsage]
