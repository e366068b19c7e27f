"""A text as a message of components: it has room for 4,000 characters, twice as many as a plain one."""

import discord
from discord import ui

ACCENT = discord.Colour(0x5B8DEF)


def text_layout(text: str) -> ui.LayoutView:
    """The text alone, without buttons."""
    view = ui.LayoutView(timeout=None)
    view.add_item(ui.Container(ui.TextDisplay[ui.LayoutView](text), accent_colour=ACCENT))
    return view
