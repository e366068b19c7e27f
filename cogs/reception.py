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
from services.admission import Admission, Asker, Place
from services.consents import Said
from services.generations import NewGeneration, Source
from services.parameters import Role
from services.quotas import scope_of
from services.runner import Runner
from services.servers import Servers, ServerSettings
from services.visibility import Visibility
from services.wishes import Wish

log = logging.getLogger(__name__)

# The first answer has 3 s; together with the second that accepting may take, this leaves half a second for the way.
DEFER_TIMEOUT_S = 1.5
# https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_INTERACTION = 10062


class Reception:
    """Has wishes accepted, and tells Discord that the answer will come."""

    def __init__(self, runner: Runner, admission: Admission, servers: Servers, visibility: Visibility) -> None:
        self._runner = runner
        self._admission = admission
        self._servers = servers
        self._visibility = visibility

    def is_private(self, interaction: discord.Interaction, asked: bool | None, *, has_face: bool) -> bool:
        """Whether the answer is ephemeral. It is not in a direct message with the bot, where nobody else reads and an
        ephemeral message would only be lost sooner.
        """
        if place_of(interaction) is Place.DIRECT:
            return False
        home = home_of(interaction)
        return self._visibility.is_private(asked, member_id=interaction.user.id, guild_id=home, has_face=has_face)

    async def begin(
        self,
        interaction: discord.Interaction,
        wish: Wish,
        photos: Sequence[Source],
        *,
        private: bool | None = None,
        said: Said | None = None,
    ) -> None:
        """Have a wish accepted and acknowledge it. ``photos`` are in the order of its references; ``private`` is what
        the member has asked for, and ``said`` whose face they show, where the member has said so with it.

        Raises:
            UserError: it was not accepted, and nothing was charged.
        """
        is_private = self.is_private(interaction, private, has_face=wish.count_of(Role.FACE) > 0)
        accepting = self._accept(interaction, wish, photos, said, is_private=is_private)
        generation_id = await in_time(interaction, accepting, ephemeral=is_private)
        if generation_id is None:
            return  # a repeat of a command that was taken already, by a replay of the gateway
        await self._acknowledge(interaction, generation_id, is_private=is_private)

    def settings(self, interaction: discord.Interaction) -> ServerSettings:
        """What the admins of the server have set in which this was sent; nothing where it does not have the bot."""
        return self._servers.of(home_of(interaction))

    def check_asker(self, interaction: discord.Interaction) -> None:
        """Whether pictures are for this member in this place.

        Raises:
            NotAllowed
        """
        self._admission.check_asker(self._asker(interaction))

    def _asker(self, interaction: discord.Interaction) -> Asker:
        return replace(asker_of(interaction), gone_ids=gone_ids(interaction.guild, self.settings(interaction)))

    async def _accept(
        self,
        interaction: discord.Interaction,
        wish: Wish,
        photos: Sequence[Source],
        said: Said | None,
        *,
        is_private: bool,
    ) -> int | None:
        asker = self._asker(interaction)
        admitted = await self._admission.admit(asker, wish)
        new = self._new_generation(interaction, asker, admitted, photos, is_private=is_private)
        return await self._runner.accept(replace(new, said=said.to_json() if said else None))

    async def _acknowledge(self, interaction: discord.Interaction, generation_id: int, *, is_private: bool) -> None:
        """Defer, unless that happened already, and hand over. Where it stays unknown whether Discord took the deferral,
        the runner goes on: the first edit of the message will tell.
        """
        message_id = None
        try:
            if not interaction.response.is_done():
                async with asyncio.timeout(DEFER_TIMEOUT_S):
                    response = await interaction.response.defer(thinking=True, ephemeral=is_private)
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
        self,
        interaction: discord.Interaction,
        asker: Asker,
        wish: Wish,
        photos: Sequence[Source],
        *,
        is_private: bool,
    ) -> NewGeneration:
        channel_id = interaction.channel_id
        assert channel_id is not None, "Discord names the channel of every command"  # noqa: S101 - narrows the type
        settings = self.settings(interaction)
        return NewGeneration(
            interaction_id=interaction.id,
            application_id=interaction.application_id,
            token=interaction.token,
            scope=scope_in(interaction),
            guild_id=interaction.guild_id,
            channel_id=channel_id,
            is_private=is_private,
            member_id=interaction.user.id,
            locale=(None if is_private else settings.language) or str(interaction.locale),
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
    return scope_of(guild_id=home_of(interaction), member_id=interaction.user.id)


def asker_of(interaction: discord.Interaction) -> Asker:
    """Who has sent this, and where."""
    channel, channel_id = interaction.channel, interaction.channel_id or 0
    around = channel.parent_id if isinstance(channel, discord.Thread) else None
    is_nsfw = getattr(channel, "is_nsfw", None)  # direct messages have no such thing
    return Asker(
        member_id=interaction.user.id,
        guild_id=home_of(interaction),
        channel_ids=(channel_id, around) if around else (channel_id,),
        role_ids=_role_ids(interaction.user),
        is_age_restricted=bool(is_nsfw and is_nsfw()),
        locale=str(interaction.locale),
        place=place_of(interaction),
    )


def home_of(interaction: discord.Interaction) -> int | None:
    """The server whose rules and quota count: the one that this was sent from, where it has the bot."""
    guild_id = interaction.guild_id
    if guild_id is None or interaction.is_guild_integration() or interaction.client.get_guild(guild_id) is not None:
        return guild_id
    return None


def place_of(interaction: discord.Interaction) -> Place:
    """The kind of place that this was sent from."""
    if home_of(interaction) is not None:
        return Place.SERVER
    return Place.DIRECT if interaction.context.dm_channel else Place.ELSEWHERE


def _role_ids(user: discord.User | discord.Member) -> frozenset[int]:
    """As they came with the interaction: ``Member.roles`` leaves out those that the cache does not know yet."""
    if not isinstance(user, discord.Member):
        return frozenset()
    return frozenset(user._roles)  # pyright: ignore[reportPrivateUsage]
