"""*Who made this?* in a message's menu: what the table knows of the pictures in it."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands

from cogs.answers import in_time, tell
from cogs.views.generation import cut, quoted
from services.generations import Generation, State
from services.request import Role, Wish
from services.runner import Runner
from services.words import _, ngettext, on

if TYPE_CHECKING:
    from bot import FacelockBot

NAME = "Who made this?"
# A message's text may have 2,000 characters, and a prompt of markup alone is quoted in as many.
QUOTE_CHARACTERS_MAX = 1500


def who_made_this(runner: Runner) -> app_commands.ContextMenu:
    """The message command."""

    async def callback(interaction: discord.Interaction, message: discord.Message) -> None:
        generation = await in_time(interaction, runner.of_message(message.id), ephemeral=True)
        await tell(interaction, answer(generation))

    return app_commands.ContextMenu(name=NAME, callback=callback)


def answer(generation: Generation | None) -> str:
    """What the person who asks reads of a message that shows this generation, or none."""
    if generation is None:
        return _("I know of no pictures of mine in this message. I can tell only about the results that I posted.")
    if generation.state is State.FAILED:
        return _("No pictures came of this request.")
    if generation.state not in (State.FINISHED, State.SETTLED):
        return _("The pictures of this request are not made yet. Ask again when they are here.")
    wish = Wish.from_json(generation.wish)
    member, moment = f"<@{generation.member_id}>", on(generation.created_at)
    return "\n".join(
        [
            f"**{_('Made with AI by this bot.')}**",
            _("{member} asked for it {moment}.", member=member, moment=moment),
            cut(quoted(wish.prompt), QUOTE_CHARACTERS_MAX),
            f"-# {' · '.join(parameters(wish))}",
        ]
    )


def parameters(wish: Wish) -> list[str]:
    """How its pictures were made, each parameter in a few words."""
    faces = wish.count_of(Role.FACE)
    return [
        discord.utils.escape_markdown(wish.model_label) if wish.model_label else _("the image service's own model"),
        f"{wish.width}x{wish.height}",
        _("seed {seed}", seed=wish.seed),
        ngettext("{number} step", "{number} steps", wish.steps),
        _("guidance {guidance}", guidance=f"{wish.guidance:g}"),
        ngettext("with {number} face", "with {number} faces", faces) if faces else _("without a face"),
    ]


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    bot.tree.add_command(who_made_this(bot.runner))
