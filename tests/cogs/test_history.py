from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import discord
import pytest
from discord.ext import commands
from hypothesis import given
from hypothesis import strategies as st

from cogs.history import History, prompt_of, use_this_prompt
from cogs.views.history import SEARCH_CHARACTERS_MAX, Preview, Turn, history_layout
from db.generations import State
from playground.commands import read_commands
from services import history
from services.history import PAGE, Page
from services.request import PROMPT_CHARACTERS_MAX, drafted
from services.runner import Runner
from services.words import speaking
from tests.cogs.stage import NotingRunner
from tests.cogs.test_views import GENERATION, NOW, texts
from tests.languages import LANGUAGES
from tests.wishes import with_adapters

STAMP = f"<t:{int(NOW.timestamp())}:f>"
SETTLED = replace(GENERATION, state=State.SETTLED, wish=with_adapters("a *quiet* harbour").to_json(), message_id=9)


def page_of(*generations: Any, has_newer: bool = False, has_older: bool = False) -> Page:
    return Page(generations=generations, has_newer=has_newer, has_older=has_older)


def shown(generation: Any, preview: Preview | None = None) -> list[str]:
    """The lines of an entry."""
    view = history_layout(page_of(generation), {generation.id: preview or Preview()}, search="")
    return "\n".join(texts(view.to_components())).splitlines()[1:]


async def test_discord_takes_both_commands() -> None:
    bot = commands.Bot("!", intents=discord.Intents.none())
    bot.tree.add_command(use_this_prompt(cast(Runner, NotingRunner())))
    await bot.add_cog(History(cast(history.History, None)))

    read_commands([command.to_dict(bot.tree) for command in bot.tree.get_commands()])


async def test_an_entry_says_when_what_came_of_it_and_where_it_is() -> None:
    assert shown(SETTLED) == [
        f"{STAMP} · 4 pictures",
        r"> a \*quiet\* harbour",
        "-# [Go to the message](https://discord.com/channels/4/5/9)",
    ]
    assert shown(SETTLED, Preview(is_gone=True))[2] == "-# Its message is no longer in <#5>."
    assert "/@me/5/9" in shown(replace(SETTLED, scope="member:6"))[2]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.RECEIVED, "in the queue"),
        (State.QUEUED, "in the queue"),
        (State.RUNNING, "being made"),
        (State.FINISHED, "4 pictures"),
        (State.FAILED, "no pictures: No face."),
    ],
)
async def test_what_came_of_it(state: State, said: str) -> None:
    assert shown(replace(SETTLED, state=state, failure_text="No face."))[0] == f"{STAMP} · {said}"


async def test_a_draft_is_called_one() -> None:
    assert shown(replace(SETTLED, wish=drafted(with_adapters()).to_json()))[0].endswith("a draft of 4 pictures")


async def test_an_empty_page_says_what_to_do() -> None:
    for search, said in (("", "Use /imagine to make your first picture."), ("a *b*", r"in its prompt: a \*b\*")):
        assert said in "\n".join(texts(history_layout(page_of(), {}, search=search).to_components()))


@given(
    st.text(min_size=1, max_size=PROMPT_CHARACTERS_MAX) | st.just("*" * PROMPT_CHARACTERS_MAX),
    st.text(max_size=SEARCH_CHARACTERS_MAX) | st.just("*" * SEARCH_CHARACTERS_MAX),
    st.sampled_from([State.SETTLED, State.FAILED]),
    st.sampled_from(LANGUAGES),
)
async def test_no_page_breaks_discords_limits(prompt: str, search: str, state: State, language: str) -> None:
    wish = replace(with_adapters(), prompt=prompt).to_json()
    ids = range(10**18 - PAGE, 10**18)
    big = {"member_id": 2**63 - 1, "channel_id": 2**63 - 1, "message_id": 2**63 - 1, "scope": f"guild:{2**63 - 1}"}
    full = [
        replace(GENERATION, id=number, state=state, wish=wish, failure_text="*" * 999, **cast(Any, big))
        for number in ids
    ]
    previews: Mapping[int, Preview] = {number: Preview(picture="https://cdn.example/1.png") for number in ids}

    with speaking(language):
        view = history_layout(page_of(*full, has_newer=True, has_older=True), previews, search=search)

    assert view.content_length() <= 4000
    assert view.total_children_count <= 40
    for item in view.walk_children():
        if isinstance(item, Turn):
            assert len(item.item.custom_id or "") <= 100
            assert item.template.fullmatch(item.item.custom_id or "") or "\n" in search


@pytest.mark.parametrize("prompt", ["a harbour", "`" * 1000, "``` out", "a ``` b ```` c"])
def test_a_prompt_is_one_block_to_copy(prompt: str) -> None:
    said = prompt_of(replace(GENERATION, wish=with_adapters(prompt).to_json()))

    assert said.startswith("```\n")
    assert said.endswith("\n```")
    assert "```" not in said[4:-4]
    assert said[4:-4].replace("\N{ZERO WIDTH SPACE}", "") == prompt
    assert len(said) <= 2000


def test_a_message_without_a_request_is_told() -> None:
    assert prompt_of(None).startswith("I know of no prompt for this message.")
