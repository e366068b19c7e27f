"""Whether a request may be made at all: every rule that a wish is held against before it is accepted and charged."""

from collections.abc import Set
from dataclasses import dataclass, replace
from enum import Enum, auto

from services.defaults import check_caps
from services.errors import NotAllowed, PromptRefused
from services.moderation import Moderation
from services.policy.policy import Policy
from services.quotas import scope_of
from services.refusals import Refusals
from services.servers import Servers
from services.wishes import Wish
from services.words import _

FLAGGED_EVERY = 3  # refusals of a member within a day: one may be a misunderstanding


class Place(Enum):
    """Where somebody asks: in a server that has the bot, in a direct message with it, or, having installed it for
    themselves, anywhere else.
    """

    SERVER = auto()
    DIRECT = auto()
    ELSEWHERE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and where. ``guild_id`` is the server that has the bot, whose rules count. ``channel_ids`` are the
    channel and, where that is a thread, the one around it; ``gone_ids`` what the server's settings name and the server
    does not have any more; ``locale`` is the member's, in Discord's spelling.
    """

    member_id: int
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    is_age_restricted: bool
    locale: str
    place: Place = Place.SERVER
    gone_ids: frozenset[int] = frozenset()


class Admission:
    """Holds a wish against everything that the operator, the server and the law of the house say. In places that are
    ``closed`` nothing is taken: Discord offers no commands there, but buttons from before go on working.
    """

    def __init__(
        self,
        *,
        servers: Servers,
        moderation: Moderation,
        policy: Policy,
        refusals: Refusals,
        closed: Set[Place] = frozenset(),
    ) -> None:
        self._servers = servers
        self._moderation = moderation
        self._policy = policy
        self._refusals = refusals
        self._closed = closed

    async def admit(self, asker: Asker, wish: Wish) -> Wish:
        """The wish as it may be made.

        Raises:
            UserError: it may not; nothing was charged.
        """
        self.check_asker(asker)
        check_caps(wish, self._servers.of(asker.guild_id))
        return await self._checked(asker, wish)

    async def _checked(self, asker: Asker, wish: Wish) -> Wish:
        try:
            is_spoiler = self._policy.check(wish, is_age_restricted=asker.is_age_restricted)
        except PromptRefused as error:
            if not error.is_place:
                scope = scope_of(guild_id=asker.guild_id, member_id=asker.member_id)
                times = await self._refusals.note(scope=scope, member_id=asker.member_id, category=error.category)
                if times % FLAGGED_EVERY == 0:
                    self._moderation.flag(asker.guild_id, asker.member_id, category=error.category, times=times)
            raise
        return replace(wish, is_spoiler=is_spoiler)

    def check_asker(self, asker: Asker) -> None:
        """Whether pictures are for this member in this place.

        Raises:
            NotAllowed
        """
        self._moderation.check(asker.guild_id, asker.member_id)
        if asker.place in self._closed:
            raise NotAllowed(_("This bot makes pictures only in the servers that have added it. Ask there."))
        settings = self._servers.of(asker.guild_id)
        if settings.channels and not set(settings.channels) & set(asker.channel_ids):
            places = [f"<#{each}>" for each in settings.channels if each not in asker.gone_ids]
            if not places:
                raise NotAllowed(
                    _(
                        "The channels that this server has chosen for pictures do not exist any more. Ask this "
                        "server's admins to choose others with `/server settings`."
                    )
                )
            raise NotAllowed(
                _("Pictures are made in these channels of this server: {places}.", places=", ".join(places))
            )
        # Everybody has the role with the server's own id, and Discord lists it with no member.
        if settings.roles and not set(settings.roles) & {asker.guild_id, *asker.role_ids}:
            roles = [f"<@&{each}>" for each in settings.roles if each not in asker.gone_ids]
            if not roles:
                raise NotAllowed(
                    _(
                        "The roles that this server has chosen for pictures do not exist any more. Ask this "
                        "server's admins to choose others with `/server settings`."
                    )
                )
            raise NotAllowed(
                _("In this server, pictures are for members with one of these roles: {roles}.", roles=", ".join(roles))
            )
