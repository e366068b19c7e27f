"""How ``/history`` looks: one page, with buttons that have everything in their ids, and work after a restart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from cogs.views.buttons import Action, Press
from cogs.views.generation import ACCENT, as_typed, cut, quoted
from services.generations import Generation, State
from services.history import Page
from services.quotas import guild_of
from services.request import Wish
from services.words import _, ngettext, on

# The cog that answers the buttons, whatever process sent the message.
HANDLER = "History"
# Five entries of a message's 4,000 characters, and markup doubles in length.
PROMPT_CHARACTERS_SHOWN = 200
REASON_CHARACTERS_SHOWN = 80
# An id takes 100 characters (https://discord.com/developers/docs/components/reference), 36 of which are spoken for.
SEARCH_CHARACTERS_MAX = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What was found where a request's message should be: ``picture`` is where Discord serves its first one."""

    picture: str | None = None
    is_gone: bool = False


class Turn(
    ui.DynamicItem[ui.Button[ui.LayoutView]],
    template=r"fl:history:(?P<way>older|newer):(?P<generation_id>[0-9]{1,18}):(?P<search>.{0,50})",
):
    """A button that turns the page: away from a request, older or newer."""

    def __init__(self, way: str, generation_id: int, search: str, *, is_possible: bool = True) -> None:
        self.way, self.generation_id, self.search = way, generation_id, search
        custom_id = f"fl:history:{way}:{generation_id}:{search}"
        label = _("Newer") if way == "newer" else _("Older")
        super().__init__(ui.Button(label=label, custom_id=custom_id, disabled=not is_possible))

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(match["way"], int(match["generation_id"]), match["search"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).turned(interaction, self))


class Handler(Protocol):
    """Turns pages."""

    async def turned(self, interaction: discord.Interaction, turn: Turn) -> None:
        """Raises whatever the member is to be told of."""
        ...


def history_layout(page: Page, previews: Mapping[int, Preview], *, search: str) -> ui.LayoutView:
    """The page; ``previews`` are by the requests' ids, for as many as there are any."""
    view = ui.LayoutView(timeout=None)
    what = _("Your pictures with: {words}", words=as_typed(search)) if search else _("Your pictures")
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(f"**{what}**" if page.generations else _nothing(search))]
    for generation in page.generations:
        items += _entry(generation, previews.get(generation.id, Preview()))
    if page.has_newer or page.has_older:
        items.append(_turns(page, search))
    view.add_item(ui.Container(*items, accent_colour=ACCENT))
    return view


def _nothing(search: str) -> str:
    if search:
        return _("None of your requests here has this in its prompt: {words}", words=as_typed(search))
    return _("There is nothing here yet. Use /imagine to make your first picture.")


def _entry(generation: Generation, preview: Preview) -> list["ui.Item[ui.LayoutView]"]:
    wish = Wish.from_json(generation.wish)
    lines = [
        f"{on(generation.created_at)} · {_outcome(generation, wish)}",
        quoted(cut(wish.prompt, PROMPT_CHARACTERS_SHOWN)),
    ]
    if preview.is_gone:
        channel = f"<#{generation.channel_id}>"
        lines.append(f"-# {_('Its message is no longer in {channel}.', channel=channel)}")
    elif generation.message_id is not None:
        address = _address(generation, generation.message_id)
        lines.append(f"-# [{_('Go to the message')}]({address})")
    text = ui.TextDisplay[ui.LayoutView]("\n".join(lines))
    items: list[ui.Item[ui.LayoutView]] = [text]
    if preview.picture:
        items = [ui.Section(text, accessory=ui.Thumbnail[ui.LayoutView](preview.picture))]
    if generation.state is State.FINISHED or generation.state.is_terminal:
        presses = (Press(action, generation.id, label=action.label) for action in (Action.AGAIN, Action.EDIT))
        items.append(_row(*presses))
    return items


def _outcome(generation: Generation, wish: Wish) -> str:
    match generation.state:
        case State.FINISHED | State.SETTLED:
            if wish.is_draft:
                return ngettext("a draft of {number} picture", "a draft of {number} pictures", generation.pictures)
            return ngettext("{number} picture", "{number} pictures", generation.pictures)
        case State.FAILED:
            reason = as_typed(cut(generation.failure_text or "", REASON_CHARACTERS_SHOWN))
            return _("no pictures: {reason}", reason=reason)
        case State.CANCELLED:
            return _("cancelled")
        case State.RUNNING:
            return _("being made")
        case State.WAITING:
            return _("waiting for an answer")
        case State.RECEIVED | State.QUEUED:
            return _("in the queue")


def _address(generation: Generation, message_id: int) -> str:
    return f"https://discord.com/channels/{guild_of(generation.scope) or '@me'}/{generation.channel_id}/{message_id}"


def _turns(page: Page, search: str) -> "ui.ActionRow[ui.LayoutView]":
    first, last = (page.generations[0].id, page.generations[-1].id) if page.generations else (0, 0)
    return _row(
        Turn("newer", first, search, is_possible=page.has_newer),
        Turn("older", last, search, is_possible=page.has_older),
    )


def _row(*buttons: "ui.DynamicItem[ui.Button[ui.LayoutView]]") -> "ui.ActionRow[ui.LayoutView]":
    # discord.py declares dynamic items as those of either kind of view, which no row takes.
    return ui.ActionRow(*cast("tuple[ui.Item[ui.LayoutView], ...]", buttons))
