"""What Discord is told of the commands, in both dialects."""

from typing import Any, cast

import discord
import pytest
from discord import AppCommandOptionType as Kind
from discord.ext import commands

from cogs.adapters import Adapters
from cogs.face import Face
from cogs.identity import Identity
from cogs.quota import Quota
from cogs.styles import Styles
from playground.commands import read_commands
from services.catalog import Catalog
from services.consents import Whose
from services.parameters import SCHEDULERS, Family, Shape
from services.runner import Runner
from services.wishes import ExtraAdapter
from tests.cogs.stage import NO_CONSENTS, NO_FACES, NO_MODERATION, NotingRunner, reception
from tests.wishes import SD, SDXL

RUNNER = cast(Runner, NotingRunner())
IDENTITY = Identity(reception(RUNNER), NO_FACES, Catalog(models=(SDXL,)), server_id=None)
EXTRA = ExtraAdapter(name="own", label="Own", family=Family.SD, scale=1)

TEXT, WHOLE, YES_NO, NUMBER, FILE, USER = (
    kind.value for kind in (Kind.string, Kind.integer, Kind.boolean, Kind.number, Kind.attachment, Kind.user)
)
PROMPT, PERCENT = (TEXT, 1, 1000), (WHOLE, 0, 100)
COUNT, SEED = (WHOLE, 1, 4), (WHOLE, 0, 2**31 - 1)
SHAPES = (TEXT, *Shape)
WHOSE = (TEXT, *Whose)
SUGGESTED = (TEXT, "suggested")

ADAPTERS_IMAGINE = {
    "prompt": PROMPT,
    "face": (FILE,),
    "face_name": SUGGESTED,
    "whose": WHOSE,
    "person": (USER,),
    "likeness": PERCENT,
    "style": (FILE,),
    "preset": SUGGESTED,
    "shape": SHAPES,
    "count": COUNT,
    "model": SUGGESTED,
    "draft": (YES_NO,),
    "private": (YES_NO,),
}
ADAPTERS_ADVANCED = {
    "prompt": PROMPT,
    "face": (FILE,),
    "face_name": SUGGESTED,
    "likeness": PERCENT,
    "face2": (FILE,),
    "likeness2": PERCENT,
    "face3": (FILE,),
    "likeness3": PERCENT,
    "style": (FILE,),
    "style_strength": PERCENT,
    "style2": (FILE,),
    "style2_strength": PERCENT,
    "style3": (FILE,),
    "style3_strength": PERCENT,
    "model": SUGGESTED,
    "count": COUNT,
    "size": SUGGESTED,
    "negative_prompt": (TEXT, 1, 1000),
    "steps": (WHOLE, 1, 100),
    "guidance": (NUMBER, 1, 20),
    "strength": (NUMBER, 0, 1),
    "seed": SEED,
    "scheduler": (TEXT, *SCHEDULERS),
    "adapter": SUGGESTED,
}
IDENTITY_IMAGINE = {
    "prompt": PROMPT,
    "face": (FILE,),
    "face_name": SUGGESTED,
    "whose": WHOSE,
    "person": (USER,),
    "preset": SUGGESTED,
    "shape": SHAPES,
    "count": COUNT,
    "draft": (YES_NO,),
    "private": (YES_NO,),
}
IDENTITY_ADVANCED = {
    "prompt": PROMPT,
    "face": (FILE,),
    "face_name": SUGGESTED,
    "count": COUNT,
    "size": SUGGESTED,
    "negative_prompt": (TEXT, 1, 1000),
    "steps": (WHOLE, 1, 100),
    "guidance": (NUMBER, 0, 20),
    "seed": SEED,
    "enhance_prompt": (YES_NO,),
    "private": (YES_NO,),
}


def adapters(*extras: ExtraAdapter) -> Adapters:
    return Adapters(
        reception(RUNNER), NO_FACES, Catalog(models=(SDXL, SD), extras=extras), safety_checker=True, server_id=None
    )


async def definitions(cog: commands.Cog) -> dict[str, dict[str, Any]]:
    """The cog's commands as discord.py sends them."""
    bot = commands.Bot("!", intents=discord.Intents.none())
    await bot.add_cog(cog)
    return {command.name: command.to_dict(bot.tree) for command in bot.tree.get_commands()}


def rules(option: dict[str, Any]) -> tuple[Any, ...]:
    """An option's kind, then its range, its choices, or that the bot suggests."""
    ends = [option[end] for end in ("min_length", "max_length", "min_value", "max_value") if end in option]
    choices = [choice["value"] for choice in option.get("choices", [])]
    return (option["type"], *ends, *choices, *(["suggested"] if option.get("autocomplete") else []))


@pytest.mark.parametrize(
    ("cog", "imagine", "advanced"),
    [
        (adapters(), ADAPTERS_IMAGINE, ADAPTERS_ADVANCED | {"private": (YES_NO,)}),
        (adapters(EXTRA), ADAPTERS_IMAGINE, ADAPTERS_ADVANCED | {"extra": SUGGESTED}),
        (IDENTITY, IDENTITY_IMAGINE, IDENTITY_ADVANCED),
    ],
    ids=["adapters", "adapters-extra", "identity"],
)
async def test_the_options_are_those_of_the_dialect(
    cog: commands.Cog, imagine: dict[str, Any], advanced: dict[str, Any]
) -> None:
    found = await definitions(cog)

    assert {name: {o["name"]: rules(o) for o in found[name]["options"]} for name in found} == {
        "imagine": imagine,
        "advanced": advanced,
    }
    for command in found.values():
        assert [option["name"] for option in command["options"] if option["required"]] == ["prompt"]


@pytest.mark.parametrize(
    "cog",
    [
        adapters(),
        adapters(EXTRA),
        IDENTITY,
        Face(NO_FACES, NO_CONSENTS, NO_MODERATION),
        Quota(RUNNER),
        Styles(Catalog(models=(SDXL,))),
    ],
)
async def test_discord_takes_the_commands_as_they_are(cog: commands.Cog) -> None:
    found = list((await definitions(cog)).values())

    read_commands(found)  # the playground's rules for commands are Discord's
    for command in [told for each in found for told in (each, *each["options"])]:
        options = command.get("options", [])
        assert len(options) <= 25
        for told in (command, *options):
            assert 10 <= len(told["description"]) <= 100
            assert not told["description"].endswith("…"), "discord.py has cut it"


async def test_what_the_descriptions_call_the_defaults_are_the_defaults() -> None:
    options = {o["name"]: o["description"] for o in (await definitions(adapters()))["advanced"]["options"]}

    for name, default in {"likeness": "(60)", "count": "(1)", "steps": "(30)", "guidance": "(7.5; with "}.items():
        assert default in options[name]
    for name, advice in {"steps": "20 to 30 is ideal", "guidance": "7.5 to 12.5 is ideal", "size": "up to 512"}.items():
        assert advice in options[name]
