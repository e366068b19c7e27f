from collections.abc import AsyncIterator
from typing import Any

import pytest
from discord.ext import commands

from cogs.adapters import Adapters
from db.connection import Database
from playground.errors import MemberError
from services.catalog import Catalog
from services.faces import Faces
from services.parameters import ADAPTERS, SCALE_DEFAULT, Family, Shape
from services.runner import Runner
from services.wishes import NEGATIVE_PROMPT, Asked, ExtraAdapter, ModelChoice, adapters_wish
from tests.cogs.stage import CogStage, cog_stage, reception
from tests.photographs import astronaut
from tests.saved_faces import attached
from tests.wishes import CHECKPOINT, SD, SDXL, face, style

DREAMLIKE = ModelChoice(key=CHECKPOINT, label="Dreamlike", family=Family.SD, model_id=CHECKPOINT)
LIGHT = ExtraAdapter(name="light_sd15", label="Light", family=Family.SD, scale=0.3)
GRAIN = ExtraAdapter(name="grain_sdxl", label="Grain", family=Family.SDXL, scale=0.4)
CATALOG = Catalog(models=(SDXL, SD, DREAMLIKE), extras=(LIGHT, GRAIN))


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch, faces: Faces) -> AsyncIterator[CogStage]:
    def cog(runner: Runner) -> commands.Cog:
        return Adapters(reception(runner), faces, CATALOG, safety_checker=False, server_id="any")

    async with cog_stage(monkeypatch, cog) as opened:
        yield opened


async def save(scene: CogStage, faces: Faces, name: str, *, photos: int, member: str = "Ben") -> None:
    member_id = scene.playground.state.member(member).id
    await faces.save(member_id, name, [attached(astronaut())] * photos)


# --------------------------------------------------------------------------------------- options become wishes


async def test_a_prompt_alone_is_enough(scene: CogStage) -> None:
    wish, photos = await scene.taken("imagine", prompt="a quiet harbour")

    assert wish == adapters_wish(
        Asked(prompt="a quiet harbour"), model=SDXL, seed=wish.seed, safety_checker=False, server_id="any"
    )
    assert (wish.images, wish.width, wish.height, wish.negative_prompt) == (1, 1024, 1024, NEGATIVE_PROMPT)
    assert photos == []


async def test_imagine_with_everything(scene: CogStage) -> None:
    wish, photos = await scene.taken(
        "imagine", "style", "face", likeness=80, shape="portrait", count=3, model="Stable Diffusion 1.5"
    )

    assert wish.references == (face(0.8), style(SCALE_DEFAULT))
    assert photos == ["face", "style"]
    assert (wish.model_id, wish.shape, wish.images) == ("sd1.5", Shape.PORTRAIT, 3)


async def test_seeds_are_drawn_anew_for_who_names_none(scene: CogStage) -> None:
    seeds = {(await scene.taken(command))[0].seed for command in ("imagine", "advanced") * 3}

    assert len(seeds) == 6


async def test_advanced_with_everything(scene: CogStage) -> None:
    options: dict[str, Any] = {
        "count": 2,
        "size": "768x512",
        "negative_prompt": "snow",
        "steps": 25,
        "guidance": 9.5,
        "strength": 0.7,
        "seed": 11,
        "scheduler": "DDIMScheduler",
        "adapter": "ip-adapter_sdxl",
    }
    attached = ("face", "style", "style2", "style3")
    percents = {"likeness": 10, "style_strength": 0, "style2_strength": 30, "style3_strength": 100}

    wish, photos = await scene.taken("advanced", *attached, model="sdxl", extra="Grain", **options, **percents)

    references = (face(0.1), style(0.0), style(0.3), style(1.0))
    asked = Asked(prompt="a harbour", references=references, **options)
    assert wish == adapters_wish(asked, model=SDXL, seed=0, extra=GRAIN, safety_checker=False, server_id="any")
    assert photos == list(attached)


@pytest.mark.parametrize(
    ("attached", "options", "scales"),
    [
        (("face", "face2", "face3"), {"likeness": 10, "likeness2": 20, "likeness3": 30}, [0.1, 0.2, 0.3]),
        (("face2",), {"likeness2": 20}, [0.2]),
        (("face3", "face"), {}, [0.6, 0.6]),
        (("style3", "style2"), {"style2_strength": 5}, [0.05, 0.6]),
    ],
)
async def test_images_count_in_their_order_and_gaps_are_fine(
    scene: CogStage, attached: tuple[str, ...], options: dict[str, int], scales: list[float]
) -> None:
    wish, photos = await scene.taken("advanced", *attached, **options)

    assert photos == sorted(attached)
    assert [reference.scale for reference in wish.references] == scales


@pytest.mark.parametrize(
    ("attached", "options", "told"),
    [
        (("face",), {"likeness2": 40}, "`likeness2` needs an image in `face2`. Attach one, or leave it out."),
        ((), {"likeness": 0}, "`likeness` needs an image in `face`."),
        ((), {"style3_strength": 40}, "`style3_strength` needs an image in `style3`."),
        (("face", "face2"), {"model": "sd"}, "it takes one face with Stable Diffusion 1.5."),
        ((), {"model": "flux"}, "`model` cannot be `flux`: it takes one of Stable Diffusion XL, "),
        ((), {"size": "100x100"}, "`width` cannot be `100`: it takes multiples of 8."),
        ((), {"extra": "Light"}, "`extra` cannot be `Light`: it takes adapters for Stable Diffusion XL."),
        ((), {"adapter": "ip-adapter_sdxl"}, "it takes requests with a face or a style image."),
        ((), {"prompt": " "}, "`prompt` cannot be `empty`"),
    ],
)
async def test_what_cannot_be_made_is_refused_with_a_sentence(
    scene: CogStage, attached: tuple[str, ...], options: dict[str, object], told: str
) -> None:
    assert told in await scene.refused("advanced", *attached, **options)


async def test_the_likeness_of_imagine_needs_a_face_too(scene: CogStage) -> None:
    assert "`likeness` needs an image in `face`." in await scene.refused("imagine", "style", likeness=50)


async def test_discord_itself_refuses_what_no_model_takes(scene: CogStage) -> None:
    for name, value in (("likeness", 101), ("steps", 0), ("guidance", 20.5), ("seed", -1), ("scheduler", "x")):
        with pytest.raises(MemberError):
            scene.playground.command("advanced", options={"prompt": "x", name: value})


# ------------------------------------------------------------------------------------------------ suggestions


async def test_models_are_suggested_by_what_was_typed(scene: CogStage) -> None:
    for command in ("imagine", "advanced"):
        assert await scene.suggested("model", command=command) == ["sdxl", "sd", CHECKPOINT]
        assert await scene.suggested("model", "DREAM", command=command) == [CHECKPOINT]


async def test_sizes_are_the_shapes_in_the_chosen_models_pixels(scene: CogStage) -> None:
    async def names(**options: object) -> list[str]:
        return [each["name"] for each in await scene.playground.choices("advanced", "size", options=options)]

    large = ["Square, 1024x1024", "Portrait, 768x1024", "Landscape, 1024x768", "Wide, 1024x576"]
    small = ["Square, 512x512", "Portrait, 384x512", "Landscape, 512x384", "Wide, 512x288"]
    assert await names() == large
    assert await names(model="sdxl") == large
    assert await names(model="Dreamlike") == small
    assert await names(model="half a na") == large


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("", list(Shape)),
        (" POR", ["portrait"]),
        ("768x512", ["768x512"]),
        (" 768 X 512 ", ["768x512"]),
        ("768x", list(Shape)),
        ("770x512", list(Shape)),
        ("9999x9999", list(Shape)),
        ("\N{SNOWMAN}\n`<@1>", list(Shape)),
    ],
)
async def test_a_size_is_suggested_once_it_is_one(scene: CogStage, typed: str, values: list[str]) -> None:
    assert await scene.suggested("size", typed) == values


async def test_adapters_go_with_the_chosen_model(scene: CogStage) -> None:
    every = [name for family in Family for name in ADAPTERS[family]]

    assert await scene.suggested("adapter") == every
    assert await scene.suggested("adapter", model="no such model") == every
    assert await scene.suggested("adapter", model="sd") == list(ADAPTERS[Family.SD])
    assert await scene.suggested("adapter", "FACE", model="sdxl") == ["ip-adapter-plus-face_sdxl_vit-h"]
    assert await scene.suggested("adapter", "nothing like it") == []


async def test_extras_go_with_the_chosen_model(scene: CogStage) -> None:
    assert await scene.suggested("extra") == ["light_sd15", "grain_sdxl"]
    assert await scene.suggested("extra", model="Dreamlike") == ["light_sd15"]
    assert await scene.suggested("extra", "grain", model="sd") == []


async def test_odd_text_is_answered_and_not_logged(scene: CogStage, caplog: pytest.LogCaptureFixture) -> None:
    for option in ("model", "size", "adapter", "extra"):
        for typed in ("x" * 6000, "\x00\ud83d", "[(*+\\", "²x²", "1e5x8", "-8x-8"):
            await scene.suggested(option, typed, **({"model": typed[:1000]} if option != "model" else {}))

    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []


# --------------------------------------------------------------------------------------------------- saved faces


@pytest.mark.parametrize(
    ("command", "attachments", "options", "taken"),
    [
        ("imagine", (), {}, ["1:1", "1:2", "1:3"]),
        ("imagine", (), {"model": "sd"}, ["1:1"]),
        ("imagine", ("style",), {}, ["1:1", "style"]),
        ("advanced", (), {}, ["1:1", "1:2", "1:3"]),
        ("advanced", (), {"model": "sd"}, ["1:1"]),
        ("advanced", ("style2",), {}, ["1:1", "style2"]),
        ("advanced", ("face2", "face3"), {}, ["1:1", "face2", "face3"]),
    ],
)
async def test_all_photos_of_a_saved_face_count_where_the_service_takes_them_and_else_the_first(
    scene: CogStage,
    faces: Faces,
    command: str,
    attachments: tuple[str, ...],
    options: dict[str, object],
    taken: list[str],
) -> None:
    await save(scene, faces, "Me", photos=3)

    wish, photos = await scene.taken(command, *attachments, face_name="me", likeness=80, **options)

    assert photos == taken
    mine = [face(0.8)] * len([photo for photo in taken if ":" in photo])
    others = [style(SCALE_DEFAULT) if photo.startswith("style") else face() for photo in taken if ":" not in photo]
    assert list(wish.references) == mine + others


@pytest.mark.parametrize("command", ["imagine", "advanced"])
async def test_a_face_and_the_name_of_another_are_one_too_many(scene: CogStage, faces: Faces, command: str) -> None:
    await save(scene, faces, "Me", photos=1)

    told = await scene.refused(command, "face", face_name="Me")

    assert told == "Take either `face` or `face_name`, and leave out the other."


async def test_nobody_uses_anothers_face(scene: CogStage, faces: Faces) -> None:
    await save(scene, faces, "Me", photos=1, member="Ada")

    told = await scene.refused("imagine", face_name="Me")

    assert told == "You have no saved face called `Me`. `/face list` shows those that you have."
    assert await scene.suggested("face_name", command="imagine") == []


async def test_without_a_name_no_saved_face_is_used_not_even_the_default(scene: CogStage, faces: Faces) -> None:
    await save(scene, faces, "Me", photos=1)
    await faces.set_default(scene.playground.state.member("Ben").id, "Me")

    wish, photos = await scene.taken("imagine")

    assert (wish.references, photos) == ((), [])


@pytest.mark.parametrize("command", ["imagine", "advanced"])
async def test_ones_own_names_are_suggested_the_default_first(scene: CogStage, faces: Faces, command: str) -> None:
    for name in ("Ada", "Ben", "Cleo"):
        await save(scene, faces, name, photos=1)
    await faces.set_default(scene.playground.state.member("Ben").id, "Cleo")

    assert await scene.suggested("face_name", command=command) == ["Cleo", "Ada", "Ben"]
    assert await scene.suggested("face_name", "e", command=command) == ["Cleo", "Ben"]


async def test_a_slow_search_for_the_face_is_deferred_once_and_the_request_taken(
    scene: CogStage, faces: Faces, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.imagine.CHOOSE_S", 0.01)
    monkeypatch.setattr("cogs.answers.WORK_S", 0.0)
    scene.noting.turns = 10  # accepting is slow, too
    await save(scene, faces, "Me", photos=1)
    async with database.transaction():
        interaction = scene.playground.command("imagine", options={"prompt": "a harbour", "face_name": "Me"})
        await scene.playground.acknowledged(interaction)
        assert scene.noting.taken == []

    await scene.noting.until_acknowledged(1)
    assert [source.url for source in scene.noting.taken[0].photos] == ["face:1:1"]


async def test_a_draft_is_four_jobs_with_seeds_of_their_own(scene: CogStage) -> None:
    wish, photos = await scene.taken("imagine", "face", shape="wide", draft=True)

    assert (wish.is_draft, wish.images, wish.jobs, photos) == (True, 4, 4, ["face"])
    assert (wish.steps, wish.full_steps, wish.shape) == (8, 30, Shape.WIDE)


async def test_a_draft_has_no_count(scene: CogStage) -> None:
    assert "Leave out `count`" in await scene.refused("imagine", draft=True, count=4)
