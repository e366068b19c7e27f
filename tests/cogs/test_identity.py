from collections.abc import AsyncIterator
from typing import Any

import pytest
from discord.ext import commands

from cogs.identity import Identity
from playground.multipart import Upload
from services.catalog import Catalog
from services.faces import Faces
from services.parameters import Shape
from services.runner import Runner
from services.wishes import Asked, identity_wish
from tests.cogs.stage import CogStage, cog_stage, reception
from tests.photographs import astronaut
from tests.saved_faces import attached
from tests.wishes import SDXL, face


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch, faces: Faces) -> AsyncIterator[CogStage]:
    def cog(runner: Runner) -> commands.Cog:
        return Identity(reception(runner), faces, Catalog(models=(SDXL,)), server_id="pod-1")

    async with cog_stage(monkeypatch, cog) as opened:
        yield opened


async def test_a_prompt_alone_is_enough(scene: CogStage) -> None:
    wish, photos = await scene.taken("imagine")

    assert wish == identity_wish(Asked(prompt="a harbour"), seed=wish.seed, server_id="pod-1")
    assert photos == []


async def test_imagine_with_everything(scene: CogStage) -> None:
    wish, photos = await scene.taken("imagine", "face", shape="wide", count=4)

    assert (wish.references, photos) == ((face(),), ["face"])
    assert (wish.shape, wish.images, wish.jobs) == (Shape.WIDE, 4, 4)


async def test_advanced_with_everything(scene: CogStage) -> None:
    options: dict[str, Any] = {
        "count": 2,
        "size": "2048x768",
        "negative_prompt": "snow",
        "steps": 60,
        "guidance": 3.5,
        "seed": 11,
        "enhance_prompt": True,
    }

    wish, photos = await scene.taken("advanced", "face", **options)

    asked = Asked(prompt="a harbour", references=(face(),), **options)
    assert wish == identity_wish(asked, seed=0, server_id="pod-1")
    assert photos == ["face"]
    assert wish.notes != ()


async def test_the_prompt_is_enriched_where_that_was_asked_for(scene: CogStage) -> None:
    assert [(await scene.taken("advanced", enhance_prompt=yes))[0].enhance_prompt for yes in (True, False)] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("photos", "options", "told"),
    [
        ((), {"steps": 51}, "`num_inference_steps` cannot be `51`: it takes 1 to 50."),
        (("face",), {"guidance": 0.5}, "`guidance_scale` cannot be `0.5`: it takes 1.0 to 20.0."),
        ((), {"size": "2048x768"}, "`width` cannot be `2048`: it takes 64 to 1024."),
    ],
)
async def test_what_the_face_decides_is_refused_with_a_sentence(
    scene: CogStage, photos: tuple[str, ...], options: dict[str, object], told: str
) -> None:
    assert await scene.refused("advanced", *photos, **options) == told


async def test_sizes_are_suggested_up_to_what_the_api_takes(scene: CogStage) -> None:
    assert await scene.suggested("size") == list(Shape)
    assert await scene.suggested("size", "1024x1000") == ["1024x1000"]
    assert await scene.suggested("size", "2048x2048") == list(Shape)
    photo = Upload(field="face", filename="face.jpg", content=b"")
    assert await scene.suggested("size", "2048x2048", face=photo) == ["2048x2048"]
    assert await scene.suggested("size", "2048x2048", face_name="Me") == ["2048x2048"]


@pytest.mark.parametrize("command", ["imagine", "advanced"])
async def test_of_a_saved_face_the_first_photo_is_used(scene: CogStage, faces: Faces, command: str) -> None:
    await faces.save(scene.playground.state.member("Ben").id, "Me", [attached(astronaut())] * 3)

    wish, photos = await scene.taken(command, face_name="Me")

    assert (wish.references, photos) == ((face(),), ["1:1"])
    assert await scene.suggested("face_name", command=command) == ["Me"]
    told = await scene.refused(command, "face", face_name="Me")
    assert told == "Take either `face` or `face_name`, and leave out the other."


async def test_a_draft_is_four_jobs_with_seeds_of_their_own(scene: CogStage) -> None:
    wish, photos = await scene.taken("imagine", "face", shape="wide", draft=True)

    assert (wish.is_draft, wish.images, wish.jobs, photos) == (True, 4, 4, ["face"])
    assert (wish.steps, wish.full_steps, wish.shape) == (4, 8, Shape.WIDE)


async def test_a_draft_has_no_count(scene: CogStage) -> None:
    assert "Leave out `count`" in await scene.refused("imagine", draft=True, count=4)
