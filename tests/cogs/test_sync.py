import copy
from collections.abc import Callable
from typing import Any

import discord
import pytest
from discord import app_commands
from discord.http import Route

from cogs.sync import same_commands, sync_commands
from playground.server import Playground

CHOICES = [{"name": "A", "value": "a"}]
OURS: list[dict[str, Any]] = [
    {
        "name": "imagine",
        "type": 1,
        "description": "Make pictures",
        "name_localizations": {},
        "description_localizations": {"de": "Bilder machen"},
        "options": [
            {"name": "prompt", "type": 3, "description": "What", "required": True, "min_length": 1},
            {
                "name": "model",
                "type": 3,
                "description": "Which",
                "required": False,
                "choices": [{"name": "A", "value": "a"}],
            },
        ],
        "nsfw": False,
        "dm_permission": True,
        "default_member_permissions": 32,
        "contexts": [0, 1],
        "integration_types": [0],
    },
    {"name": "quota", "type": 1, "description": "See", "options": [], "contexts": [0, 1], "integration_types": [0]},
]


def from_discord() -> list[dict[str, Any]]:
    """What Discord makes of it: fields of its own, digits for permissions, and nothing that is empty."""
    theirs = copy.deepcopy(OURS)
    for command in theirs:
        command |= {"id": "1", "application_id": "2", "version": "3", "name_localizations": None}
        command.pop("dm_permission", None)
    theirs[0]["default_member_permissions"] = "32"
    theirs[0]["options"][1].pop("required")
    theirs[1].pop("options")
    return theirs[::-1]


def test_what_discord_makes_of_our_commands_is_the_same() -> None:
    assert same_commands(OURS, from_discord(), in_guild=False)


def test_a_server_does_not_tell_contexts() -> None:
    theirs = from_discord()
    for command in theirs:
        command["contexts"] = command["integration_types"] = None

    assert same_commands(OURS, theirs, in_guild=True)
    assert not same_commands(OURS, theirs, in_guild=False)


def drop_a_command(theirs: list[dict[str, Any]]) -> None:
    theirs.pop()


def keep_an_old_command(theirs: list[dict[str, Any]]) -> None:
    theirs.append({"name": "old", "type": 1})


def change_a_description(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["description"] = "Other"


def lift_a_permission(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["default_member_permissions"] = None


def change_the_order_of_options(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["options"].reverse()


def add_an_option(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["options"].append({"name": "more", "type": 3})


def no_longer_require_an_option(theirs: list[dict[str, Any]]) -> None:
    del theirs[1]["options"][0]["required"]


def change_a_translation(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["description_localizations"]["de"] = "Anderes"


def keep_a_translation_that_is_gone(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["options"][1]["choices"][0]["name_localizations"] = {"de": "A"}


def keep_a_language_that_is_gone(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["description_localizations"]["fr"] = "Faire des images"


def change_a_choice(theirs: list[dict[str, Any]]) -> None:
    theirs[1]["options"][1]["choices"][0]["value"] = "b"


@pytest.mark.parametrize(
    "change",
    [
        drop_a_command,
        keep_an_old_command,
        change_a_description,
        lift_a_permission,
        change_the_order_of_options,
        add_an_option,
        no_longer_require_an_option,
        change_a_choice,
        change_a_translation,
        keep_a_translation_that_is_gone,
        keep_a_language_that_is_gone,
    ],
)
def test_every_change_that_a_member_could_see_is_a_difference(change: Callable[[list[dict[str, Any]]], None]) -> None:
    theirs = from_discord()

    change(theirs)

    assert not same_commands(OURS, theirs, in_guild=False)


def test_a_range_that_begins_at_a_whole_number_is_the_same_with_and_without_a_point() -> None:
    ours, theirs = ([{"name": "imagine", "options": [{"name": "guidance", "min_value": low}]}] for low in (1.0, 1))

    assert same_commands(ours, theirs, in_guild=False)
    assert not same_commands(ours, [{"name": "imagine", "options": [{"name": "guidance"}]}], in_guild=False)


def command(name: str, description: str = "Make pictures") -> app_commands.Command[Any, ..., None]:
    async def run(interaction: discord.Interaction) -> None:
        raise NotImplementedError

    return app_commands.Command(name=name, description=description, callback=run)


async def test_what_discord_refuses_is_logged_and_its_own_commands_stay(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with Playground.run() as playground, discord.Client(intents=discord.Intents.none()) as client:
        monkeypatch.setattr(Route, "BASE", playground.api_url)
        await client.login(playground.token)
        tree = app_commands.CommandTree(client)
        tree.add_command(command("imagine"))
        await sync_commands(client, tree, None)
        tree.add_command(command("broken", "x" * 101))

        await sync_commands(client, tree, None)

        assert [found.name for found in playground.state.commands.values()] == ["imagine"]
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "Discord refused the commands of all servers" in record.getMessage()
    assert "broken" in record.getMessage()


async def test_any_other_answer_of_discord_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Playground.run() as playground, discord.Client(intents=discord.Intents.none()) as client:
        monkeypatch.setattr(Route, "BASE", playground.api_url)
        await client.login(playground.token)
        tree = app_commands.CommandTree(client)
        tree.add_command(command("imagine"))

        with pytest.raises(discord.HTTPException):
            await sync_commands(client, tree, 4)
