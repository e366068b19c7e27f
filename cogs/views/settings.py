"""The panel of ``/server settings``: every setting, what it is now, and what changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, cast

import discord
from discord import ui
from discord.ext import commands

from cogs.answers import answer
from cogs.views.forms import fields_of
from cogs.views.generation import ACCENT, as_typed
from cogs.views.server import HANDLER, ServerButton, row
from services import words
from services.errors import UserError
from services.request import STEPS
from services.servers import ServerSettings
from services.words import _

# Where members can write: https://discord.com/developers/docs/resources/channel#channel-object-channel-types
CHANNELS = (
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
    discord.ChannelType.forum,
    discord.ChannelType.media,
)
# Reports are messages of the bot's.
REPORT_CHANNELS = (discord.ChannelType.text,)
# https://discord.com/developers/docs/components/reference#string-select
CHOICES_MAX = 25
SIDES_PX = (512, 640, 768, 896, 1024, 1280, 1536)
QUEUE = (1, 1000)
FORM = "fl:server:numbers"
# What stands for no choice of the server's own: a choice cannot be empty.
NONE = "-"
ON, OFF = "on", "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What there is to choose from: labels by what is kept; no models where the image service has one alone."""

    models: Mapping[str, str]
    presets: Mapping[str, str]


class Choice(ui.DynamicItem[ui.Item[Any]], template=r"fl:setting:(?P<name>[a-z_]{1,30})"):
    """The menu of one setting, of whatever kind; its id has the setting's name."""

    def __init__(self, name: str, menu: "ui.Item[Any]") -> None:
        self.name = name
        super().__init__(menu)

    @classmethod
    async def from_custom_id(cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: "Any", /) -> Self:
        """See discord.py."""
        return cls(match["name"], item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """See discord.py."""
        handler = cast(commands.Bot, interaction.client).get_cog(HANDLER)
        await answer(interaction, cast(Handler, handler).chosen(interaction, self.name, _values(interaction)))


class Handler(Protocol):
    """Changes settings."""

    async def chosen(self, interaction: discord.Interaction, name: str, values: Sequence[str]) -> None:
        """Raises whatever the member is to be told of."""
        ...


def _values(interaction: discord.Interaction[Any]) -> Sequence[str]:
    return cast(Mapping[str, Any], interaction.data or {}).get("values") or ()


def changes(name: str, values: Sequence[str]) -> dict[str, Any]:
    """The change of a setting that was chosen in a menu.

    Raises:
        UserError: there is no such menu.
    """
    one = next((value for value in values if value != NONE), None)
    match name:
        case "channels" | "roles":
            return {name: tuple(sorted(int(value) for value in values))}
        case "report_channel" | "side_px_max":
            return {name: int(one) if one else None}
        case "model" | "preset" | "language":
            return {name: one}
        case "is_private_first":
            return {name: one == ON}
        case _:
            raise UserError(_("This menu is from another version of the bot and does nothing here."))


def settings_layout(settings: ServerSettings, offered: Offered, gone: frozenset[int]) -> ui.LayoutView:
    """The panel; ``gone`` are the channels and roles in the settings that the server does not have any more."""
    view = ui.LayoutView(timeout=None)
    items: list[ui.Item[ui.LayoutView]] = [ui.TextDisplay(f"### {_('How the bot works in this server')}")]
    for text, menu in _menus(settings, offered, gone):
        items += [ui.TextDisplay(text), row(menu)]
    numbers = [
        _("**Most steps of a picture:** {steps}", steps=settings.steps_max or _("as the image service takes them")),
        _(
            "**Unfinished requests of one member:** {requests}",
            requests=settings.member_queue or _("as the bot's operator allows"),
        ),
    ]
    items.append(ui.TextDisplay("\n".join(numbers)))
    buttons = [ServerButton("numbers", label=_("Change the numbers"))]
    if gone:
        buttons.append(ServerButton("tidy", label=_("Remove what is gone")))
    items.append(row(*buttons))
    view.add_item(ui.Container(*items, accent_colour=ACCENT))
    return view


def _menus(settings: ServerSettings, offered: Offered, gone: frozenset[int]) -> "list[tuple[str, Choice]]":
    menus = [
        (
            _titled(_("Channels"), _("Where pictures are made; everywhere where none is chosen."))
            + _gone(len(gone & set(settings.channels))),
            _channels("channels", [each for each in settings.channels if each not in gone]),
        ),
        (
            _titled(_("Roles"), _("Who may ask for pictures; everybody where none is chosen."))
            + _gone(len(gone & set(settings.roles))),
            _roles([each for each in settings.roles if each not in gone]),
        ),
    ]
    if offered.models:
        menus.append(
            (
                _titled(_("Model"), _("For members who name none.")),
                _strings("model", offered.models, settings.model, none=_("The bot's own choice")),
            )
        )
    menus += [
        (
            _titled(_("Style"), _("For members who name no preset; what they name themselves comes first.")),
            _strings("preset", offered.presets, settings.preset, none=_("None")),
        ),
        (
            _titled(_("Largest pictures"), _("The most pixels that a picture may have a side.")),
            _sides(settings.side_px_max),
        ),
        (
            _titled(
                _("Who sees the pictures"), _("Pictures with a face can be for who asked alone until they post them.")
            ),
            _private(is_first=settings.is_private_first),
        ),
        (
            _titled(_("Reports"), _("Where moderators read what members report; nowhere where none is chosen."))
            + _gone(len(gone & {settings.report_channel})),
            _report_channel(None if settings.report_channel in gone else settings.report_channel),
        ),
        (
            _titled(_("Language"), _("Of what everybody reads under the pictures.")),
            _strings("language", _languages(), settings.language, none=_("Of the member who asked")),
        ),
    ]
    return menus


def _titled(title: str, explanation: str) -> str:
    return f"**{title}**\n-# {explanation}"


def _gone(number: int) -> str:
    return (
        "\n"
        + words.ngettext(
            "⚠ {number} of those that were chosen does not exist any more.",
            "⚠ {number} of those that were chosen do not exist any more.",
            number,
        )
        if number
        else ""
    )


def _channels(name: str, chosen: Sequence[int]) -> Choice:
    return Choice(
        name,
        ui.ChannelSelect[Any](
            custom_id=f"fl:setting:{name}",
            channel_types=list(CHANNELS),
            placeholder=_("Everywhere"),
            min_values=0,
            max_values=CHOICES_MAX,
            default_values=_defaults(chosen, discord.SelectDefaultValueType.channel),
        ),
    )


def _report_channel(chosen: int | None) -> Choice:
    return Choice(
        "report_channel",
        ui.ChannelSelect[Any](
            custom_id="fl:setting:report_channel",
            channel_types=list(REPORT_CHANNELS),
            placeholder=_("Nowhere"),
            min_values=0,
            default_values=_defaults([chosen] if chosen else [], discord.SelectDefaultValueType.channel),
        ),
    )


def _roles(chosen: Sequence[int]) -> Choice:
    return Choice(
        "roles",
        ui.RoleSelect[Any](
            custom_id="fl:setting:roles",
            placeholder=_("Everybody"),
            min_values=0,
            max_values=CHOICES_MAX,
            default_values=_defaults(chosen, discord.SelectDefaultValueType.role),
        ),
    )


def _defaults(chosen: Sequence[int], kind: discord.SelectDefaultValueType) -> list[discord.SelectDefaultValue]:
    return [discord.SelectDefaultValue(id=each, type=kind) for each in chosen[:CHOICES_MAX]]


def _strings(name: str, labels: Mapping[str, str], chosen: str | None, *, none: str) -> Choice:
    """What is chosen is always among the options, also where it is not offered any more."""
    shown = dict(list(labels.items())[: CHOICES_MAX - 2])
    if chosen is not None and chosen not in shown:
        shown[chosen] = labels.get(chosen) or _("⚠ {name} (not offered any more)", name=chosen[:50])
    options = [discord.SelectOption(label=none, value=NONE, default=chosen is None)]
    options += [
        discord.SelectOption(label=label[:100], value=value, default=value == chosen) for value, label in shown.items()
    ]
    return Choice(name, ui.Select[Any](custom_id=f"fl:setting:{name}", options=options))


def _sides(chosen: int | None) -> Choice:
    labels = {str(side): _("{pixels} pixels", pixels=side) for side in SIDES_PX}
    return _strings("side_px_max", labels, str(chosen) if chosen else None, none=_("As the image service makes them"))


def _private(*, is_first: bool) -> Choice:
    options = [
        discord.SelectOption(label=_("Everybody in the channel"), value=OFF, default=not is_first),
        discord.SelectOption(label=_("Who asked, until they post them"), value=ON, default=is_first),
    ]
    return Choice("is_private_first", ui.Select[Any](custom_id="fl:setting:is_private_first", options=options))


def _languages() -> dict[str, str]:
    return {language: words.name_of(language) for language in words.languages()}


def numbers_form(settings: ServerSettings) -> ui.Modal:
    """The form for what is a number; what comes in is read from its payload (``numbers_in``)."""
    form = ui.Modal(title=_("Numbers"), custom_id=FORM)
    fields = (
        ("steps_max", _("Most steps of a picture"), STEPS, settings.steps_max),
        ("member_queue", _("Unfinished requests of one member"), QUEUE, settings.member_queue),
    )
    for name, title, (lowest, highest), now in fields:
        field = ui.TextInput[ui.Modal](
            custom_id=name, required=False, max_length=4, default=None if now is None else str(now)
        )
        told = _("{lowest} to {highest}; empty for no limit of the server's own", lowest=lowest, highest=highest)
        form.add_item(ui.Label(text=title, description=told, component=field))
    form.stop()  # discord.py would keep it in memory until it is sent in, and forget it with the process
    return form


def numbers_in(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The changes in a form that was sent in; None where it is not this form.

    Raises:
        UserError: something in it is no such number.
    """
    if data.get("custom_id") != FORM:
        return None
    fields = fields_of(data)
    return {name: _number(fields[name], span) for name, span in (("steps_max", STEPS), ("member_queue", QUEUE))}


def _number(field: Mapping[str, Any], span: tuple[int, int]) -> int | None:
    text = str(field.get("value") or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and span[0] <= int(text) <= span[1]):
        raise UserError(
            _(
                "`{value}` should be a whole number from {lowest} to {highest}, or nothing. Nothing was changed.",
                value=as_typed(text),
                lowest=span[0],
                highest=span[1],
            )
        )
    return int(text)
