"""*Who made this?* in a message's menu: what the table knows of the pictures in it."""

import discord
from discord import app_commands

from cogs.answers import in_time, tell
from cogs.client import FacelockBot
from cogs.views.details import parameters
from cogs.views.generation import cut, quoted
from services.generations import Generation, State
from services.runner import Runner
from services.wishes import Wish
from services.words import _, on

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
        return _("The bot knows no pictures in this message. It can tell only about results that it posted.")
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


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    bot.tree.add_command(who_made_this(bot.runner))
