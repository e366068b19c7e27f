from dataclasses import replace
from typing import Any, cast

import discord
import pytest
from discord.ext import commands
from hypothesis import given
from hypothesis import strategies as st

from bot import COGS
from cogs.provenance import answer, who_made_this
from db.generations import State
from playground.commands import read_commands
from services.request import PROMPT_CHARACTERS_MAX, Reference, Wish
from services.runner import Runner
from services.words import speaking
from tests.cogs.stage import NotingRunner
from tests.cogs.test_views import GENERATION, NOW, WORST_MODEL
from tests.languages import LANGUAGES
from tests.wishes import face, style, with_adapters


def answer_for(wish: Wish, state: State = State.SETTLED) -> str:
    return answer(replace(GENERATION, wish=wish.to_json(), state=state))


async def test_discord_takes_the_command_as_one_for_messages() -> None:
    bot = commands.Bot("!", intents=discord.Intents.none())
    bot.tree.add_command(who_made_this(cast(Runner, NotingRunner())))
    (command,) = bot.tree.get_commands(type=discord.AppCommandType.message)
    definition: dict[str, Any] = command.to_dict(bot.tree)

    read_commands([definition])
    assert (definition["type"], definition["name"]) == (3, "Who made this?")


def test_it_belongs_to_both_dialects() -> None:
    assert "cogs.provenance" in COGS


@pytest.mark.parametrize("state", [State.FINISHED, State.SETTLED])
def test_a_result_is_told_with_everything_that_made_it(state: State) -> None:
    wish = with_adapters("a *quiet* harbour", face(), size="768x512", steps=12, guidance=6.5, seed=5)

    assert answer_for(wish, state).splitlines() == [
        "**Made with AI by this bot.**",
        f"<@6> asked for it <t:{int(NOW.timestamp())}:f>.",
        r"> a \*quiet\* harbour",
        "-# Stable Diffusion XL · 768x512 · seed 5 · 12 steps · guidance 6.5 · with 1 face",
    ]


@pytest.mark.parametrize(
    ("references", "said"),
    [((), "without a face"), ((style(),), "without a face"), ((face(), face(), face()), "with 3 faces")],
)
def test_whether_there_was_a_face_is_told(references: tuple[Reference, ...], said: str) -> None:
    assert answer_for(with_adapters("a harbour", *references)).endswith(f" · {said}")


@pytest.mark.parametrize("state", [State.RECEIVED, State.QUEUED, State.RUNNING])
def test_before_the_pictures_are_there_nothing_is_claimed(state: State) -> None:
    assert "not made yet" in answer_for(with_adapters(), state)


def test_a_failed_request_and_an_unknown_message_are_told_apart() -> None:
    assert answer_for(with_adapters(), State.FAILED) == "No pictures came of this request."
    assert answer(None).startswith("I know of no pictures of mine in this message.")


@given(st.text(min_size=1, max_size=PROMPT_CHARACTERS_MAX) | st.just("*" * PROMPT_CHARACTERS_MAX))
def test_no_prompt_makes_the_answer_longer_than_discord_takes(prompt: str) -> None:
    wish = replace(with_adapters(model=WORST_MODEL, seed=2**31 - 1), prompt=prompt)

    for language in LANGUAGES:
        with speaking(language):
            assert len(answer_for(wish)) <= 2000
