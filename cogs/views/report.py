"""How a report looks to the moderators of a server, and the form in which a member makes one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from cogs.provenance import parameters
from cogs.views.forms import fields_of
from cogs.views.generation import ACCENT_FAILED, as_typed, cut, quoted
from cogs.views.server import row
from services.generations import Generation
from services.moderation import Flag, Outcome, Report
from services.quotas import guild_of
from services.request import Wish
from services.words import _, ngettext, on

# The cog that answers the buttons, whatever process sent the message.
HANDLER = "Reports"
REASON_CHARACTERS_MAX = 300
# Of a message's 4,000 characters.
PROMPT_CHARACTERS_SHOWN = 800
VOICES_SHOWN = 5

_FORM = re.compile(r"fl:report:([0-9]{1,18})")


class ReportButton(
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"fl:report:(?P<outcome>deleted|blocked|dismissed):(?P<report_id>[0-9]{1,18})",
):
    """What a moderator can do about a report."""

    def __init__(self, outcome: Outcome, report_id: int, *, label: str = "…", is_possible: bool = True) -> None:
        self.outcome, self.report_id = outcome, report_id
        style = discord.ButtonStyle.secondary if outcome is Outcome.DISMISSED else discord.ButtonStyle.danger
        custom_id = f"fl:report:{outcome}:{report_id}"
        super().__init__(ui.Button(label=label, style=style, custom_id=custom_id, disabled=not is_possible))

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(Outcome(match["outcome"]), int(match["report_id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).pressed(interaction, self))


class Handler(Protocol):
    """Answers presses."""

    async def pressed(self, interaction: discord.Interaction, press: ReportButton) -> None:
        """Raises whatever the member is to be told of."""
        ...


def report_form(generation_id: int) -> ui.Modal:
    """The form; what comes in is read from its payload (``reported_in``)."""
    form = ui.Modal(title=_("Report to the moderators"), custom_id=f"fl:report:{generation_id}")
    field = ui.TextInput[ui.Modal](
        custom_id="reason", style=discord.TextStyle.paragraph, required=False, max_length=REASON_CHARACTERS_MAX
    )
    told = _("The moderators of this server see it, with your name.")
    form.add_item(ui.Label(text=_("What is wrong with it?"), description=told, component=field))
    form.stop()  # discord.py would keep it in memory until it is sent in, and forget it with the process
    return form


def reported_in(data: Mapping[str, Any]) -> tuple[int, str | None] | None:
    """Which generation a form that was sent in reports, and why; None where it is not this form."""
    found = _FORM.fullmatch(str(data.get("custom_id", "")))
    if found is None:
        return None
    reason = str(fields_of(data)["reason"].get("value") or "").strip()
    return int(found[1]), reason or None


def report_layout(report: Report, generation: Generation | None, files: Sequence[str]) -> ui.LayoutView:
    """The report as it is now; without a generation where that was forgotten. ``files`` are the pictures in it."""
    view = ui.LayoutView(timeout=None)
    lines = list(_lines(report, generation, has_pictures=bool(files)))
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay("\n".join(lines))]
    if files:
        gallery = (discord.MediaGalleryItem(f"attachment://{name}", spoiler=True) for name in files)
        items.insert(0, ui.MediaGallery(*gallery))
    items.append(_buttons(report, generation))
    view.add_item(ui.Container(*items, accent_colour=ACCENT_FAILED))
    return view


def flag_text(flag: Flag) -> str:
    """What moderators read of a member whose requests are refused again and again."""
    return _(
        "{member} was refused {times} times within a day by the rules for pictures, the last time for: {category}. "
        "Nothing was made. `/server block` keeps a member from asking.",
        member=f"<@{flag.member_id}>",
        times=flag.times,
        category=flag.category,
    )


def _lines(report: Report, generation: Generation | None, *, has_pictures: bool) -> Iterator[str]:
    if generation is None:
        yield f"**{_('Reported: pictures that are not kept any more')}**"
    else:
        wish = Wish.from_json(generation.wish)
        member, day = f"<@{generation.member_id}>", on(generation.created_at)
        yield _("**Reported:** pictures that {member} asked for {day}.", member=member, day=day)
        if generation.message_id is not None and Outcome.DELETED not in report.outcomes:
            place = f"{guild_of(generation.scope) or '@me'}/{generation.channel_id}/{generation.message_id}"
            yield f"[{_('Go to the message')}](https://discord.com/channels/{place})"
            if not has_pictures:
                yield f"-# {_('The pictures are to be seen there alone.')}"
        yield quoted(cut(wish.prompt, PROMPT_CHARACTERS_SHOWN))
        yield f"-# {' · '.join(parameters(wish))}"
    for voice in report.voices[:VOICES_SHOWN]:
        member = f"<@{voice.member_id}>"
        if voice.reason:
            reason = as_typed(voice.reason.replace("\n", " "))
            yield _("Reported by {member}: {reason}", member=member, reason=reason)
        else:
            yield _("Reported by {member}", member=member)
    more = len(report.voices) - VOICES_SHOWN
    if more > 0:
        yield ngettext("and by one more member", "and by {number} more members", more)
    for outcome, by in report.outcomes.items():
        yield f"**{_outcome(outcome, f'<@{by}>')}**"


def _outcome(outcome: Outcome, moderator: str) -> str:
    match outcome:
        case Outcome.DELETED:
            return _("{moderator} has deleted the pictures.", moderator=moderator)
        case Outcome.BLOCKED:
            return _("{moderator} has blocked the member.", moderator=moderator)
        case Outcome.DISMISSED:
            return _("{moderator} has dismissed this.", moderator=moderator)


def _buttons(report: Report, generation: Generation | None) -> "ui.ActionRow[ui.LayoutView]":
    is_open, done = Outcome.DISMISSED not in report.outcomes, report.outcomes
    labels = {
        Outcome.DELETED: _("Delete pictures"),
        Outcome.BLOCKED: _("Block member"),
        Outcome.DISMISSED: _("Dismiss"),
    }
    is_known = generation is not None
    return row(
        *(
            ReportButton(
                each,
                report.id,
                label=label,
                is_possible=is_open and (is_known or each is Outcome.DISMISSED) and each not in done,
            )
            for each, label in labels.items()
        )
    )
