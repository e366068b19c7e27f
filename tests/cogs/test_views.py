import dataclasses
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.views.generation import Frame, layout, photo_names, quoted
from db.generations import Generation, State
from db.ledger import Spending
from services.errors import InvalidWish
from services.presenter import Cancelled, Failure, Progress, Result, Scene
from services.quotas import Balance, Quota
from services.request import IMAGES_MAX, PROMPT_CHARACTERS_MAX, ModelChoice, Wish, drafted
from services.words import speaking
from tests.languages import LANGUAGES
from tests.wishes import SD, SDXL, crowded, face, style, with_adapters, with_identity

NOW = datetime(2026, 11, 21, tzinfo=UTC)
GENERATION = Generation(
    id=1,
    interaction_id=2,
    application_id=3,
    token=None,
    scope="guild:4",
    channel_id=5,
    member_id=6,
    locale="en-US",
    file_limit_bytes=10,
    wish="{}",
    images=4,
    weight=1,
    role_ids=(),
    photos=(),
    hosted=(),
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
FILES = tuple(f"{n}.png" for n in range(4))


def result(*, refunded: int = 0, missing: str | None = None, shrunk: bool = False, unsigned: bool = False) -> Result:
    return Result(
        pictures=(Path("1.png"),) * (4 - refunded),
        refunded=refunded,
        missing=missing,
        balance=BALANCE,
        shrunk=shrunk,
        unsigned=unsigned,
    )


def frame_of(wish: Wish) -> Frame:
    photos = [f"attachment://{name}" for name in photo_names(wish.references)]
    return Frame(photos=photos, files=FILES, preface="<@6> it is here.")


def texts(components: Iterable[Any]) -> list[str]:
    """Every text in a component tree, in reading order."""
    found: list[str] = []
    for component in components:
        found += [component["content"]] if component["type"] == 10 else []
        found += texts(component.get("components", []))
    return found


def shown(scene: Scene, of: Wish | None = None) -> str:
    wish = of or with_adapters(count=4)
    return "\n".join(texts(layout(GENERATION, wish, scene, frame_of(wish)).to_components()))


def kinds(wish: Wish, scene: Scene) -> list[tuple[int, str | None]]:
    """The types in the message's container, in order, and the address of the thumbnail where one has it."""
    container = layout(GENERATION, wish, scene, frame_of(wish)).to_components()[-1]
    return [
        (item["type"], item["accessory"]["media"]["url"] if "accessory" in item else None)
        for item in container["components"]
    ]


# -------------------------------------------------------------------------------------------------- progress


async def test_progress_tells_the_place_and_then_that_it_is_being_made() -> None:
    assert "**Your 4 pictures: place 3 in the queue**\n" in shown(Progress(place=3))
    assert "**Your 4 pictures: next in the queue**\n" in shown(Progress(place=1))
    assert "**Making your 4 pictures**\n" in shown(Progress(place=None))
    assert "**Making your picture**" in shown(Progress(place=None), with_adapters(count=1))


@pytest.mark.parametrize("place", [None, 1, 3])
async def test_progress_tells_when_the_pictures_will_be_there_where_that_is_known(place: int | None) -> None:
    headline = shown(Progress(place=place, ready_at=NOW)).split("\n")[1]

    assert headline.endswith(f"**, ready about <t:{int(NOW.timestamp())}:R>")


async def test_notes_are_small_lines_of_plain_text() -> None:
    text = shown(Progress(place=1, notes=("cropped to its middle", "will not read: **x**")))

    assert text.endswith("\n-# cropped to its middle\n-# will not read: \\*\\*x\\*\\*")


# ---------------------------------------------------------------------------------------------------- result


async def test_a_result_says_what_who_and_what_it_cost() -> None:
    assert shown(result()).split("\n")[1:] == [
        "> a quiet harbour",
        "-# Stable Diffusion XL · seed 7 · for <@6> · 4 images used, 16 of 20 left",
    ]


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        (with_adapters("x", face()), "Stable Diffusion XL · seed 7 · for"),
        (with_adapters("x", face(0.4)), "Stable Diffusion XL · likeness 40 % · seed 7 · for"),
        (with_adapters("x", style(0.29)), "Stable Diffusion XL · strength 29 % · seed 7 · for"),
        (with_adapters("x", size="wide", model=SD), "Stable Diffusion 1.5 · Wide · seed 7 · for"),
        (with_adapters("x", size="512x768"), "Stable Diffusion XL · 512x768 · seed 7 · for"),
        (with_identity("x", face(), size="portrait", seed=0), "-# Portrait · seed 0 · for"),
        (with_identity("x"), "-# seed 7 · for"),
        (with_adapters("x", model=dataclasses.replace(SDXL, label="a*b")), "-# a\\*b · seed 7 · for"),
    ],
)
async def test_a_result_names_the_seed_and_what_differs_from_the_defaults(wish: Wish, line: str) -> None:
    assert line in shown(result(), wish)


async def test_the_seed_is_told_with_the_pictures_only() -> None:
    for scene in (Progress(place=1), Failure(sentence="No.", refunded=4, private=False)):
        assert "seed" not in shown(scene)


async def test_a_partial_result_says_what_came_back_and_why() -> None:
    text = shown(result(refunded=1))

    assert "3 images used" in text
    assert "-# 1 picture did not come. Your image was refunded." in text
    assert "-# 2 pictures did not come. It was full. Your 2 images were refunded." in shown(
        result(refunded=2, missing="It was full.")
    )


async def test_a_re_encoded_result_says_so() -> None:
    assert "JPEG" in shown(result(shrunk=True))
    assert "JPEG" not in shown(result())
    assert "C2PA" in shown(result(shrunk=True, unsigned=True))
    assert "C2PA" not in shown(result(shrunk=True))


async def test_a_failure_says_why_and_that_it_was_refunded() -> None:
    text = shown(Failure(sentence="The image service fell over.", refunded=4, private=False))

    assert "The image service fell over. Your 4 images were refunded." in text


async def test_what_was_cancelled_says_what_came_back() -> None:
    assert "**Cancelled. Your 4 images were refunded.**\n> a quiet harbour" in shown(Cancelled(refunded=4))


# ---------------------------------------------------------------------------------------------------- photos

ROW, GALLERY, SECTION, TEXT = 1, 12, 9, 10
ROWS = [(ROW, None)] * 3


async def test_without_a_photo_there_is_text_alone() -> None:
    assert kinds(with_adapters(), Progress(place=1)) == [(TEXT, None), (ROW, None)]
    assert kinds(with_adapters(), result()) == [(GALLERY, None), (TEXT, None), *ROWS]


async def test_the_first_photo_is_beside_the_text_and_each_further_one_has_a_line() -> None:
    wish = with_adapters("x", face(0.9), style(0.5), style())
    sections = [(SECTION, f"attachment://{name}") for name in ("face-1.jpg", "style-2.jpg", "style-3.jpg")]

    assert kinds(wish, Progress(place=1)) == [*sections, (ROW, None)]
    assert kinds(wish, result()) == [(GALLERY, None), *sections, *ROWS]
    assert kinds(wish, Failure(sentence="No.", refunded=1, private=False)) == [(TEXT, None)]
    for scene in (Progress(place=1), result()):
        assert shown(scene, wish).split("\n")[-2:] == ["-# Style 1, strength 50 %", "-# Style 2, strength 60 %"]
        assert "likeness 90 %" in shown(scene, wish)


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        (with_adapters("x", face()), ["Face"]),
        (with_adapters("x", face(), style()), ["Face", "Style"]),
        (with_adapters("x", face(), face(), face()), ["Face 1", "Face 2", "Face 3"]),
    ],
)
async def test_photos_are_named_by_their_role_and_numbered_where_there_are_several(
    wish: Wish, names: list[str]
) -> None:
    container = layout(GENERATION, wish, Progress(place=1), frame_of(wish)).to_components()[-1]

    sections = [item for item in container["components"] if item["type"] == SECTION]
    assert [section["accessory"]["description"] for section in sections] == names
    lines = shown(Progress(place=1), wish).split("\n")
    assert lines[4:] == [f"-# {name}, {'likeness' if 'Face' in name else 'strength'} 60 %" for name in names[1:]]


# --------------------------------------------------------------------------------------------------- buttons


def rows(wish: Wish, scene: Scene) -> list[dict[str, str]]:
    """Label and id of the buttons, row by row."""
    container = layout(GENERATION, wish, scene, frame_of(wish)).to_components()[-1]
    found = [item["components"] for item in container["components"] if item["type"] == ROW]
    return [{button["label"]: button["custom_id"] for button in row} for row in found]


async def test_a_result_can_be_made_again_varied_edited_enlarged_explained_and_deleted() -> None:
    first, second, third = rows(with_adapters(), result())

    assert first == {name: f"fl:{name.lower()}:1" for name in ("Again", "Edit", "Larger")}
    assert second == {name: f"fl:{name.lower()}:1" for name in ("Details", "Delete")}
    assert third == {f"Vary {n}": f"fl:vary:1:{n}" for n in range(1, 5)}


async def test_a_face_can_be_saved_and_a_result_reported_where_somebody_reads_that() -> None:
    wish = with_adapters("x", face())
    view = layout(GENERATION, wish, result(), dataclasses.replace(frame_of(wish), can_report=True))
    found = [item["components"] for item in view.to_components()[-1]["components"] if item["type"] == ROW]

    assert [[button["label"] for button in row] for row in found[:2]] == [
        ["Again", "Edit", "Larger", "Save face"],
        ["Details", "Report", "Delete"],
    ]


@pytest.mark.parametrize(
    ("wish", "missing"),
    [
        (with_adapters("x", face(), face()), {"Vary 1", "Vary 2", "Vary 3", "Vary 4"}),
        (with_identity("x", face()), {"Vary 1", "Vary 2", "Vary 3", "Vary 4"}),
        (with_adapters(size="1536x1024"), {"Larger"}),
        (with_identity("x"), {"Vary 1", "Vary 2", "Vary 3", "Vary 4", "Larger"}),
    ],
)
async def test_what_the_service_cannot_do_is_not_offered(wish: Wish, missing: set[str]) -> None:
    every = {label for row in rows(with_adapters("x", *wish.references[:1]), result()) for label in row}

    assert {label for row in rows(wish, result()) for label in row} == every - missing


@pytest.mark.parametrize("place", [None, 1])
async def test_what_is_under_way_can_be_cancelled_and_what_is_over_cannot(place: int | None) -> None:
    wish = with_adapters("x", face())

    assert rows(wish, Progress(place=place)) == [{"Cancel": "fl:cancel:1"}]
    assert rows(wish, Failure(sentence="No.", refunded=1, private=False)) == []
    assert rows(wish, Cancelled(refunded=1)) == []


async def test_a_single_picture_is_varied_without_a_number() -> None:
    wish = with_adapters()
    view = layout(GENERATION, wish, result(), Frame(files=["1.png"]))

    (button,) = view.to_components()[-1]["components"][-1]["components"]
    assert (button["label"], button["custom_id"]) == ("Vary", "fl:vary:1:1")


async def test_a_drafts_numbers_are_those_of_what_is_seen_and_lead_to_the_jobs_that_made_it() -> None:
    scene = dataclasses.replace(result(refunded=1), pictures=(Path("1.png"), Path("fitted-3.jpg"), Path("4.png")))
    view = layout(GENERATION, drafted(with_adapters()), scene, Frame(files=FILES[:3]))
    found = [item["components"] for item in view.to_components()[-1]["components"] if item["type"] == ROW]

    assert [{button["label"]: button["custom_id"] for button in row} for row in found] == [
        {"1": "fl:full:1:1", "2": "fl:full:1:3", "3": "fl:full:1:4"},
        {name: f"fl:{name.lower()}:1" for name in ("Again", "Edit")},
        {name: f"fl:{name.lower()}:1" for name in ("Details", "Delete")},
    ]
    assert "-# A draft, quickly made in few steps." in "\n".join(texts(view.to_components()))


async def test_a_remade_result_says_of_what() -> None:
    wish = dataclasses.replace(with_adapters(), caption="A variation: similar, not identical.")

    assert shown(result(), wish).split("\n")[2] == "-# A variation: similar, not identical."


# ---------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    "prompt",
    ["**bold**", "`code`", "||spoiler||", "[link](https://x.example)", "<@123>", "# big", "> quote", "- list", "\\"],
)
def test_a_members_words_are_shown_as_typed(prompt: str) -> None:
    line = quoted(prompt)

    unescaped = line.removeprefix("> ").replace("\\\\", "\0").replace("\\", "").replace("\0", "\\")
    assert unescaped == prompt
    assert line != f"> {prompt}"


WORST_MODEL = ModelChoice(key="sdxl", label="*" * 100, family=SDXL.family, model_id="sdxl")
LATE = datetime(9999, 12, 31, tzinfo=UTC)


@given(st.text(min_size=1, max_size=PROMPT_CHARACTERS_MAX) | st.just("*" * PROMPT_CHARACTERS_MAX), st.booleans())
async def test_no_prompt_and_no_number_of_photos_breaks_discords_limits(prompt: str, is_crowded: bool) -> None:
    try:
        wish = with_adapters(prompt, count=IMAGES_MAX, size="1024x1032", seed=2**31 - 1, model=WORST_MODEL)
        wish = dataclasses.replace(wish, caption="*" * 150)
    except InvalidWish:
        return
    wish = crowded(wish) if is_crowded else wish
    scenes = [
        Progress(place=10_000, ready_at=LATE, notes=("*" * 300,) * 5),
        result(refunded=3, missing="x" * 2000, shrunk=True, unsigned=True),
        Failure(sentence="x" * 2000, refunded=4, private=False),
    ]
    for scene, language in itertools.product(scenes, LANGUAGES):
        with speaking(language):
            view = layout(dataclasses.replace(GENERATION, member_id=2**63 - 1), wish, scene, frame_of(wish))

        assert view.content_length() <= 4000
        assert view.total_children_count <= 37, "two more buttons, in a row of their own, have to fit into 40"
        view.to_components()


async def test_a_message_with_every_photo_and_picture_carries_no_more_files_than_discord_takes() -> None:
    assert len(photo_names(crowded(with_adapters()).references)) + IMAGES_MAX == 10


async def test_a_long_prompt_fits_the_pictures_alternative_text() -> None:
    wish = with_adapters("x" * PROMPT_CHARACTERS_MAX)

    (container,) = [c for c in layout(GENERATION, wish, result(), frame_of(wish)).to_components() if c["type"] == 17]
    gallery = next(item for item in container["components"] if item["type"] == 12)
    assert {len(item["description"]) for item in gallery["items"]} == {256}
