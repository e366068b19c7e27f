"""Whether a request may be made at all: every rule that a wish is held against before it is accepted and charged."""

from dataclasses import dataclass

from services.defaults import check_caps
from services.errors import NotAllowed
from services.moderation import Moderation
from services.request import Wish
from services.servers import Servers
from services.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and where. ``channel_ids`` are the channel and, where that is a thread, the one around it; ``gone_ids``
    what the server's settings name and the server does not have any more; ``locale`` is the member's, in Discord's
    spelling.
    """

    member_id: int
    guild_id: int | None
    channel_ids: tuple[int, ...]
    role_ids: frozenset[int]
    is_age_restricted: bool
    locale: str
    gone_ids: frozenset[int] = frozenset()


class Admission:
    """Holds a wish against everything that the operator, the server and the law of the house say."""

    def __init__(self, *, servers: Servers, moderation: Moderation) -> None:
        self._servers = servers
        self._moderation = moderation

    async def admit(self, asker: Asker, wish: Wish) -> Wish:
        """The wish as it may be made.

        Raises:
            UserError: it may not; nothing was charged.
        """
        self._moderation.check(asker.guild_id, asker.member_id)
        self._check_place(asker)
        check_caps(wish, self._servers.of(asker.guild_id))
        return wish

    def _check_place(self, asker: Asker) -> None:
        settings = self._servers.of(asker.guild_id)
        if settings.channels and not set(settings.channels) & set(asker.channel_ids):
            places = [f"<#{each}>" for each in settings.channels if each not in asker.gone_ids]
            if not places:
                raise NotAllowed(
                    _(
                        "The channels that this server has chosen for pictures do not exist any more. Ask who manages "
                        "the server to choose others with `/server settings`."
                    )
                )
            raise NotAllowed(
                _("Pictures are made in these channels of this server: {places}.", places=", ".join(places))
            )
        if settings.roles and not set(settings.roles) & asker.role_ids:
            roles = [f"<@&{each}>" for each in settings.roles if each not in asker.gone_ids]
            if not roles:
                raise NotAllowed(
                    _(
                        "The roles that this server has chosen for pictures do not exist any more. Ask who manages the "
                        "server to choose others with `/server settings`."
                    )
                )
            raise NotAllowed(
                _("In this server, pictures are for members with one of these roles: {roles}.", roles=", ".join(roles))
            )
