"""How the quotas of a server look to its admins."""

from datetime import UTC, datetime, timedelta

from cogs.views.server_quota import overview_text
from services.quotas import Quota
from services.server_quotas import (
    BONUSES_SHOWN,
    ROLE_QUOTAS_MAX,
    TOP_SPENDERS,
    Grant,
    Overview,
    RoleQuota,
    Spender,
    Use,
)

# https://discord.com/developers/docs/components/reference#text-display, less what other languages need.
CHARACTERS_MAX = 3200
MEMBER = 1_100_000_000_000_000_111


def test_as_much_as_a_server_can_have_fits_into_a_message() -> None:
    grant = Grant(id=1, images=10_000, expires_at=datetime(2027, 12, 31, tzinfo=UTC), reason="*" * 100)
    overview = Overview(
        quota=Quota(images=1_000_000, window=timedelta(hours=8783)),
        role_quotas=[RoleQuota(role_id=n, images=1_000_000, hours=8783) for n in range(ROLE_QUOTAS_MAX)],
        uses=[Use(window=timedelta(days=days), used=10**8, images=10**8) for days in (1, 30)],
        cooldown=timedelta(days=1),
        bonuses=[(MEMBER, grant)] * BONUSES_SHOWN,
        spenders=[Spender(member_id=MEMBER, images=10**8)] * TOP_SPENDERS,
    )

    assert len(overview_text(overview, lambda _role: "W" * 100)) <= CHARACTERS_MAX
