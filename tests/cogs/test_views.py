import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.views.generation import Frame, layout, quoted
from db.generations import State
from db.ledger import Spending
from services.errors import InvalidWish
from services.generations import Generation
from services.presenter import Failure, Progress, Result, Scene
from services.quotas import Balance, Quota
from services.request import IMAGES_MAX, PROMPT_CHARACTERS_MAX, Model, Wish

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GENERATION = Generation(
    id=1,
    interaction_id=2,
    application_id=3,
    token=None,
    scope="guild:4",
    channel_id=5,
    member_id=6,
    file_limit_bytes=10,
    wish="{}",
    images=4,
    photo_url=None,
    face=None,
    message_id=None,
    state=State.FINISHED,
    pictures=4,
    version=3,
    shown=2,
    failure_code=None,
    failure_text=None,
    created_at=NOW,
    changed_at=NOW,
)
BALANCE = Balance(quota=Quota(images=20, window=timedelta(hours=24)), spendings=[Spending(NOW, 4)])
FULL = Frame(face="attachment://face.jpg", files=[f"{n}.png" for n in range(4)], preface="<@6> it is here.")


def wish(prompt: str = "a quiet harbour", images: int = 4) -> Wish:
    return Wish.of(prompt=prompt, model=Model.SDXL, model_id="sdxl", images=images, seed=1)


def result(*, refunded: int = 0, shrunk: bool = False) -> Result:
    return Result(pictures=(Path("1.png"),) * (4 - refunded), refunded=refunded, balance=BALANCE, shrunk=shrunk)


def texts(components: Iterable[Any]) -> list[str]:
    """Every text in a component tree, in reading order."""
    found: list[str] = []
    for component in components:
        found += [component["content"]] if component["type"] == 10 else []
        found += texts(component.get("components", []))
    return found


def shown(scene: Scene, frame: Frame = FULL, of: Wish | None = None) -> str:
    return "\n".join(texts(layout(GENERATION, of or wish(), scene, frame).to_components()))


async def test_progress_tells_the_place_and_then_that_it_is_being_made() -> None:
    assert "place 3 in the queue" in shown(Progress(place=3))
    assert "next in the queue" in shown(Progress(place=1))
    assert "Making your 4 pictures" in shown(Progress(place=None))
    assert "cropped to its middle" in shown(Progress(place=1, notes=("cropped to its middle",)))


async def test_a_result_says_what_who_and_what_it_cost() -> None:
    text = shown(result())

    for part in ("> a quiet harbour", "Stable Diffusion XL", "<@6>", "4 images used, 16 of 20 left"):
        assert part in text


async def test_a_partial_result_says_what_came_back() -> None:
    text = shown(result(refunded=1))

    assert "3 images used" in text
    assert "1 picture did not come. Your image was refunded." in text


async def test_a_re_encoded_result_says_so() -> None:
    assert "JPEG" in shown(result(shrunk=True))
    assert "JPEG" not in shown(result())


async def test_a_failure_says_why_and_that_it_was_refunded() -> None:
    text = shown(Failure(sentence="The image service fell over.", refunded=4, private=False))

    assert "The image service fell over. Your 4 images were refunded." in text


@pytest.mark.parametrize(
    "prompt",
    ["**bold**", "`code`", "||spoiler||", "[link](https://x.example)", "<@123>", "# big", "> quote", "- list", "\\"],
)
def test_a_members_words_are_shown_as_typed(prompt: str) -> None:
    line = quoted(prompt)

    unescaped = line.removeprefix("> ").replace("\\\\", "\0").replace("\\", "").replace("\0", "\\")
    assert unescaped == prompt
    assert line != f"> {prompt}"


@given(st.text(min_size=1, max_size=PROMPT_CHARACTERS_MAX), st.integers(1, IMAGES_MAX))
async def test_no_prompt_breaks_discords_limits(prompt: str, images: int) -> None:
    try:
        of = wish(prompt, images)
    except InvalidWish:
        return
    scenes = [Progress(place=1, notes=("note",)), result(), Failure(sentence="x" * 500, refunded=4, private=False)]
    for scene in scenes:
        view = layout(dataclasses.replace(GENERATION, images=images), of, scene, FULL)

        assert view.content_length() <= 4000
        assert view.total_children_count <= 40


async def test_a_long_prompt_fits_the_pictures_alternative_text() -> None:
    view = layout(GENERATION, wish("x" * PROMPT_CHARACTERS_MAX), result(), FULL)

    (container,) = [component for component in view.to_components() if component["type"] == 17]
    gallery = next(item for item in container["components"] if item["type"] == 12)
    assert {len(item["description"]) for item in gallery["items"]} == {256}
