"""How the quotas of a server look to its admins: as tables in plain text."""

from collections.abc import Callable, Sequence

from cogs.views.generation import cut
from services.server_quotas import Overview, RoleQuota
from services.words import _, ngettext, span

NAME_CHARACTERS_SHOWN = 24


def overview_text(overview: Overview, role_name: Callable[[int], str | None]) -> str:
    """Everything that is set, and what was used. ``role_name`` is None for a role that is gone."""
    rows = [(_("everybody"), str(overview.quota.images), span(overview.quota.window))]
    rows += [(name_of(each, role_name), str(each.images), span(each.window)) for each in overview.role_quotas]
    uses = [
        (span(use.window), str(use.used), _("no limit") if use.images is None else str(use.images))
        for use in overview.uses
    ]
    parts = [
        _("**Quotas of each member, of which the best one counts**"),
        _table((_("Who"), _("Images"), _("Window")), rows),
        _("**All members together**"),
        _table((_("Window"), _("Used"), _("Budget")), uses),
    ]
    if overview.cooldown:
        parts.append(_("Each member waits {time} between two requests.", time=span(overview.cooldown)))
    if overview.spenders:
        parts.append(_("**Most used in the last 30 days**"))
        for number, spender in enumerate(overview.spenders, start=1):
            images = ngettext("{number} image", "{number} images", spender.images)
            parts.append(f"{number}. <@{spender.member_id}>: {images}")
    return "\n".join(parts)


def name_of(quota: RoleQuota, role_name: Callable[[int], str | None]) -> str:
    """A role's name as plain text; of one that is gone, its id."""
    name = role_name(quota.role_id)
    if name is None:
        return _("deleted role {id}", id=quota.role_id)
    return cut(name.replace("`", "'"), NAME_CHARACTERS_SHOWN)


def _table(head: tuple[str, str, str], rows: Sequence[tuple[str, str, str]]) -> str:
    """The middle column holds numbers, and the first one names."""
    first, second = (max(len(row[n]) for row in (head, *rows)) for n in (0, 1))
    lines = [f"{name:<{first}}  {number:>{second}}  {rest}" for name, number, rest in (head, *rows)]
    return "\n".join(["```", *lines, "```"])
