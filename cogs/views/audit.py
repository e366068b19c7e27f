"""How ``/server audit`` looks: what was done in a server, page by page."""

from collections.abc import Iterator
from typing import Any

import discord
from discord import ui

from cogs.views.generation import as_typed, cut
from cogs.views.server import ServerButton, row
from cogs.views.settings import label_of as rule_label
from cogs.views.texts import ACCENT
from services.consents import Rule
from services.servers import AuditPage, Entry
from services.words import _, at, name_of

# Ten entries of a message's 4,000 characters.
ENTRY_CHARACTERS_MAX = 350
VALUE_CHARACTERS_MAX = 60
VALUES_SHOWN = 3
REASON_CHARACTERS_SHOWN = 100


def audit_layout(page: AuditPage) -> ui.LayoutView:
    """The page, newest first."""
    view = ui.LayoutView(timeout=None)
    headline = _("What was done in this server") if page.entries else _("Nothing was done in this server so far.")
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(f"**{headline}**")]
    items += [ui.TextDisplay(described(entry)) for entry in page.entries]
    if page.has_newer or page.has_older:
        last = page.entries[-1].id if page.entries else 0
        items.append(
            row(
                ServerButton("audit", 0, label=_("Newest"), is_possible=page.has_newer),
                ServerButton("audit", last, label=_("Older"), is_possible=page.has_older),
            )
        )
    view.add_item(ui.Container(*items, accent_colour=ACCENT))
    return view


def described(entry: Entry) -> str:
    """One thing that was done: when, by whom, what."""
    lines = [f"{at(entry.at)} {_what(entry)}", *_details(entry)]
    text = ""
    for line in lines:  # whole lines, so that no mention is cut in two
        if len(text) + len(line) > ENTRY_CHARACTERS_MAX:
            return f"{text}\n-# …"
        text += f"\n{line}"
    return text.lstrip("\n")


def _what(entry: Entry) -> str:
    """The whole sentence, because languages differ in where they name who did it."""
    admin = f"<@{entry.member_id}>"
    subject, role, request = f"<@{entry.subject_id}>", f"<@&{entry.subject_id}>", f"`{entry.subject_id}`"
    member = f"<@{entry.detail.get('member')}>"
    deeds = {
        "settings": _("{admin} changed the settings", admin=admin),
        "block": _("{admin} blocked {member}", admin=admin, member=subject),
        "unblock": _("{admin} ended the block of {member}", admin=admin, member=subject),
        "delete": _(
            "{admin} deleted the pictures of {member}, request {request}", admin=admin, member=member, request=request
        ),
        "cancel": _("{admin} cancelled request {request} of {member}", admin=admin, member=member, request=request),
        "report_deleted": _(
            "{admin} deleted the reported pictures of {member}, request {request}",
            admin=admin,
            member=member,
            request=request,
        ),
        "report_dismissed": _("{admin} dismissed the report of request {request}", admin=admin, request=request),
        "role_quota": _("{admin} gave {role} a quota", admin=admin, role=role),
        "role_quota_removed": _("{admin} took the quota of {role} away", admin=admin, role=role),
        "grant": _("{admin} gave {member} bonus images", admin=admin, member=subject),
    }
    return deeds.get(entry.action) or f"{admin} {discord.utils.escape_markdown(entry.action)}"


def _details(entry: Entry) -> Iterator[str]:
    match entry.action:
        case "settings" | "role_quota" | "role_quota_removed":
            for name, change in entry.detail.items():
                yield f"-# {_label(name)}: {_value(name, change['from'])} → {_value(name, change['to'])}"
        case "block":
            if entry.detail.get("until"):
                until = f"<t:{entry.detail['until']}:f>"
                yield f"-# {_('until {moment}', moment=until)}"
            if entry.detail.get("reason"):
                yield f"-# {as_typed(cut(entry.detail['reason'], REASON_CHARACTERS_SHOWN))}"
        case "delete" | "cancel" | "report_deleted" | "report_dismissed":
            return
        case _:
            for name, value in entry.detail.items():
                yield f"-# {_label(name)}: {_value(name, value)}"


def _label(name: str) -> str:
    """What has changed, in the words of the panel; a name that this version does not know, as it is."""
    labels = {
        "channels": _("Channels"),
        "roles": _("Roles"),
        "model": _("Model"),
        "preset": _("Style"),
        "steps_max": _("Most steps of a picture"),
        "side_px_max": _("Largest pictures"),
        "is_private_first": _("Who sees the pictures"),
        "consent": _("Faces"),
        "report_channel": _("Reports"),
        "language": _("Language"),
        "member_queue": _("Unfinished requests of one member"),
        "images_per_day": _("Images of all members in 24 hours"),
        "images_per_month": _("Images of all members in 30 days"),
        "cooldown_s": _("Seconds between two requests"),
        "images": _("Images"),
        "hours": _("Hours"),
        "days": _("Days"),
        "reason": _("Reason"),
    }
    return labels.get(name, f"`{name}`")


def _value(name: str, value: Any) -> str:
    """A setting as it was or is."""
    match value:
        case None | [] | "":
            return "-"
        case [*several]:
            shown = [_one(name, each) for each in several[:VALUES_SHOWN]]
            more = len(several) - len(shown)
            return ", ".join([*shown, *([f"+{more}"] if more else [])])
        case _:
            return _one(name, value)


def _one(name: str, value: Any) -> str:
    match name:
        case "channels" | "report_channel":
            return f"<#{value}>"
        case "roles":
            return f"<@&{value}>"
        case "is_private_first":
            return _("The member who asked, until they post them") if value else _("Everybody in the channel")
        case "consent" if value in tuple(Rule):
            return rule_label(Rule(value))
        case "language":
            return name_of(value)
        case _:
            return as_typed(cut(str(value), VALUE_CHARACTERS_MAX))
