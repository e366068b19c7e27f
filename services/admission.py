"""Whether a request may be made at all: every rule that a wish is held against before it is accepted and charged."""

from dataclasses import dataclass

from services.errors import NotAllowed
from services.request import Wish
from services.servers import Servers
from services.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and where. ``channel_ids`` are the channel and, where that is a thread, the one around it; ``locale``
    is the member's, in Discord's spelling.
    """

    member_id: int
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    is_age_restricted: bool
    locale: str


class Admission:
    """Holds a wish against everything that the operator, the server and the law of the house say."""

    def __init__(self, *, servers: Servers) -> None:
        self._servers = servers

    async def admit(self, asker: Asker, wish: Wish) -> Wish:
        """The wish as it may be made.

        Raises:
            UserError: it may not; nothing was charged.
        """
        self._check_place(asker)
        return wish

    def _check_place(self, asker: Asker) -> None:
        settings = self._servers.of(asker.guild_id)
        if settings.channels and not set(settings.channels) & set(asker.channel_ids):
            places = ", ".join(f"<#{channel_id}>" for channel_id in settings.channels)
            raise NotAllowed(_("Pictures are made in these channels of this server: {places}.", places=places))
        if settings.roles and not set(settings.roles) & asker.role_ids:
            roles = ", ".join(f"<@&{role_id}>" for role_id in settings.roles)
            raise NotAllowed(
                _("In this server, pictures are for members with one of these roles: {roles}.", roles=roles)
            )
