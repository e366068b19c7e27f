"""Whether a request may be made at all: every rule that a wish is held against before it is accepted and charged."""

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum, auto

from services.errors import NotAllowed
from services.request import Wish
from services.servers import Servers
from services.words import _


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
    channel and, where that is a thread, the one around it; ``locale`` is the member's, in Discord's spelling.
    """

    member_id: int
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    is_age_restricted: bool
    locale: str
    place: Place = Place.SERVER


class Admission:
    """Holds a wish against everything that the operator, the server and the law of the house say. In places that are
    ``closed`` nothing is taken: Discord offers no commands there, but buttons from before go on working.
    """

    def __init__(self, *, servers: Servers, closed: Set[Place] = frozenset()) -> None:
        self._servers = servers
        self._closed = closed

    async def admit(self, asker: Asker, wish: Wish) -> Wish:
        """The wish as it may be made.

        Raises:
            UserError: it may not; nothing was charged.
        """
        self.check_place(asker)
        return wish

    def check_place(self, asker: Asker) -> None:
        """Whether pictures are for this member in this place.

        Raises:
            NotAllowed
        """
        if asker.place in self._closed:
            raise NotAllowed(_("This bot makes pictures only in the servers that have added it. Ask there."))
        settings = self._servers.of(asker.guild_id)
        if settings.channels and not set(settings.channels) & set(asker.channel_ids):
            places = ", ".join(f"<#{channel_id}>" for channel_id in settings.channels)
            raise NotAllowed(_("Pictures are made in these channels of this server: {places}.", places=places))
        if settings.roles and not set(settings.roles) & asker.role_ids:
            roles = ", ".join(f"<@&{role_id}>" for role_id in settings.roles)
            raise NotAllowed(
                _("In this server, pictures are for members with one of these roles: {roles}.", roles=roles)
            )
