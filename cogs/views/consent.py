"""Whether the person shown agrees: the question, its buttons, and what ``/consent list`` shows.

What they answer is what these sentences say: ``services.consents.WORDING`` counts their versions.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from cogs.views.declaration import HANDLER, row_of
from cogs.views.generation import cut, quoted
from cogs.views.texts import ACCENT
from services.consents import Answer, Consent, Declaration, Listed, Question, Whose
from services.quotas import guild_of
from services.wishes import Wish
from services.words import _, at, mention, on

# Of a message's 4,000 characters; markup doubles in length.
PROMPT_CHARACTERS_SHOWN = 1000


class Deed(StrEnum):
    """What else a button of a question or of the list does; part of its id, so never renamed."""

    SEE = "see"
    REVOKE = "revoke"
    WIPE = "wipe"


class Reply(
    ui.DynamicItem[ui.Button[ui.LayoutView]], template=r"fl-consent:(?P<what>[a-z]{1,10}):(?P<number>[0-9]{1,20})"
):
    """A button of the person shown: ``number`` is the question's, or whom it is about; 0 is everybody."""

    def __init__(
        self,
        what: str,
        number: int,
        *,
        label: str = "…",
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    ) -> None:
        self.what, self.number = what, number
        super().__init__(ui.Button(label=label, style=style, custom_id=f"fl-consent:{what}:{number}"))

    @classmethod
    async def from_custom_id(cls, _interaction: discord.Interaction[Any], _item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(match["what"], int(match["number"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).replied(interaction, self))


class Handler(Protocol):
    """Answers it; raises whatever the member is to be told of."""

    async def replied(self, interaction: discord.Interaction, press: Reply) -> None:
        """The person shown has pressed."""
        ...


def question_layout(question: Question) -> ui.LayoutView:
    """What the person shown is asked. The photo is for their eyes only: a button shows it."""
    generation, number = question.generation, question.consent.id
    view = ui.LayoutView(timeout=None)
    until = generation.wait.until if generation.wait else generation.created_at
    lines = [
        _(
            "{subject}, {asker} would like to make pictures with a photo of you:",
            subject=mention(question.consent.subject_id),
            asker=mention(generation.member_id),
        ),
        quoted(cut(Wish.from_json(generation.wish).prompt, PROMPT_CHARACTERS_SHOWN)),
        _(
            "Nothing is made before you answer. *This once* allows this photo with these words. With *Always* you "
            "allow all pictures of you by this person here. With either you also say that you are an adult. You can "
            "take it back at any time: `/consent list`."
        ),
        _("-# Without an answer nothing is made, and the question ends {when}.", when=at(until)),
    ]
    secondary, danger = discord.ButtonStyle.secondary, discord.ButtonStyle.danger
    replies = [
        Reply(Deed.SEE, number, label=_("See the photo"), style=secondary),
        Reply(Answer.ONCE, number, label=_("This once"), style=secondary),
        Reply(Answer.ALWAYS, number, label=_("Always, for them here"), style=secondary),
        Reply(Answer.NO, number, label=_("No"), style=danger),
        Reply(Answer.NEVER, number, label=_("Never, for anybody"), style=danger),
    ]
    view.add_item(ui.Container(ui.TextDisplay("\n".join(lines)), row_of(replies), accent_colour=ACCENT))
    return view


def answered_text(subject_id: int, given: Answer) -> str:
    """What stands where the question stood. Others read it too, so it says only that there was an answer."""
    if given in (Answer.ONCE, Answer.ALWAYS):
        return _("{subject} has agreed. `/consent list` shows it and takes it back.", subject=mention(subject_id))
    return _("{subject} has answered. Nothing is made.", subject=mention(subject_id))


def list_layout(listed: Listed) -> ui.LayoutView:
    """What somebody allows and refuses, each with a button that takes it back, and what they have said themselves."""
    view = ui.LayoutView(timeout=None)
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(_("**What you allow and refuse**"))]
    for about, consents in _by_what_is_taken_back(listed.answers).items():
        label = _("Take back") if about else _("Allow being asked")
        accessory = cast("ui.Item[ui.LayoutView]", Reply(Deed.REVOKE, about, label=label))
        text = "\n".join(_consent_line(consent) for consent in consents)
        items.append(ui.Section(ui.TextDisplay[ui.LayoutView](text), accessory=accessory))
    if not listed.answers:
        items.append(ui.TextDisplay(_("Nothing yet. `/consent never` forbids all pictures of you with this bot.")))
    items.append(ui.TextDisplay(_("**What you have said of your photos**")))
    said = "\n".join(_declaration_line(each) for each in listed.declarations)
    items.append(ui.TextDisplay(said or _("Nothing yet.")))
    view.add_item(ui.Container(*items, accent_colour=ACCENT))
    return view


def _by_what_is_taken_back(answers: Sequence[Consent]) -> dict[int, list[Consent]]:
    """What one button takes back: everything that the same person may; 0 is what nobody may."""
    found: dict[int, list[Consent]] = {}
    for consent in answers:
        about = 0 if consent.answer is Answer.NEVER else consent.asker_id or 0
        found.setdefault(about, []).append(consent)
    return found


def wipe_layout(text: str, *, asker_id: int | None, messages: int) -> ui.LayoutView:
    """What was taken back, with a button that deletes the bot's messages with those pictures, where there are any."""
    view = ui.LayoutView(timeout=None)
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(text)]
    if messages:
        label = _("Delete messages with you ({number})", number=messages)
        items.append(row_of([Reply(Deed.WIPE, asker_id or 0, label=label, style=discord.ButtonStyle.danger)]))
    view.add_item(ui.Container(*items, accent_colour=ACCENT))
    return view


def _consent_line(consent: Consent) -> str:
    when = on(consent.answered_at) if consent.answered_at else ""
    if consent.answer is Answer.NEVER:
        return _("**Never**: nobody may make pictures of you. Since {when}.", when=when)
    if consent.answer is Answer.ALWAYS:
        line = _("**Always** for {asker}, since {when}.", asker=mention(consent.asker_id or 0), when=when)
    else:
        line = _("**Once** for {asker}, {when}.", asker=mention(consent.asker_id or 0), when=when)
    return f"{line}\n-# {_place(consent.scope)}"


def _place(scope: str | None) -> str:
    guild_id = guild_of(scope) if scope else None
    return _("Outside servers") if guild_id is None else _("In the server with the id `{guild}`", guild=guild_id)


def _declaration_line(declaration: Declaration) -> str:
    name, when = declaration.file[:8], on(declaration.at)
    match declaration.whose:
        case Whose.ME:
            return _("- File `{name}`: your own face, {when}", name=name, when=when)
        case Whose.AGREED:
            return _("- File `{name}`: somebody's who agreed, {when}", name=name, when=when)
        case Whose.MEMBER:
            return _(
                "- File `{name}`: the face of {member}, {when}",
                name=name,
                member=mention(declaration.subject_id or 0),
                when=when,
            )
