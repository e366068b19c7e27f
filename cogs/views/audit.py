"""How ``/server audit`` looks: what was done in a server, page by page."""

from collections.abc import Iterator
from typing import Any

import discord
from discord import ui

from cogs.views.generation import ACCENT, as_typed, cut
from cogs.views.server import ServerButton, row
from services.servers import AuditPage, Entry
from services.words import _, at

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
    lines = [f"{at(entry.at)} <@{entry.member_id}> {_what(entry)}", *_details(entry)]
    text = ""
    for line in lines:  # whole lines, so that no mention is cut in two
        if len(text) + len(line) > ENTRY_CHARACTERS_MAX:
            return f"{text}\n-# …"
        text += f"\n{line}"
    return text.lstrip("\n")


def _what(entry: Entry) -> str:
    subject = f"<@{entry.subject_id}>"
    request = f"`{entry.subject_id}`"
    match entry.action:
        case "settings":
            return _("changed the settings")
        case "block":
            return _("blocked {member}", member=subject)
        case "unblock":
            return _("ended the block of {member}", member=subject)
        case "delete":
            member = f"<@{entry.detail.get('member')}>"
            return _("deleted the pictures of {member}, request {request}", member=member, request=request)
        case "report_deleted":
            return _("deleted the reported pictures of request {request}", request=request)
        case "report_dismissed":
            return _("dismissed the report of request {request}", request=request)
        case "role_quota":
            return _("gave {role} a quota", role=f"<@&{entry.subject_id}>")
        case "role_quota_removed":
            return _("took the quota of {role} away", role=f"<@&{entry.subject_id}>")
        case "grant":
            return _("gave {member} bonus images", member=f"<@{entry.subject_id}>")
        case _:
            return discord.utils.escape_markdown(entry.action)


def _details(entry: Entry) -> Iterator[str]:
    match entry.action:
        case "settings":
            for name, change in entry.detail.items():
                yield f"-# `{name}`: {_value(name, change['from'])} → {_value(name, change['to'])}"
        case "block":
            if entry.detail.get("until"):
                until = f"<t:{entry.detail['until']}:f>"
                yield f"-# {_('until {moment}', moment=until)}"
            if entry.detail.get("reason"):
                yield f"-# {as_typed(cut(entry.detail['reason'], REASON_CHARACTERS_SHOWN))}"
        case "delete":
            return
        case _:
            for name, value in entry.detail.items():
                yield f"-# `{name}`: {_value(name, value)}"


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
        case _:
            return as_typed(cut(str(value), VALUE_CHARACTERS_MAX))
