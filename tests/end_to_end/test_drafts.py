"""Drafts: four quick pictures, one of which is then made in full."""

import pytest

from engine.errors import FailureReason, JobError
from playground.model import Message
from tests.end_to_end.stage import Stage
from tests.end_to_end.test_buttons import face_of, told


@pytest.fixture(params=["adapters", "identity"], autouse=True)
def api(request: pytest.FixtureRequest, scene: Stage) -> str:
    scene.env["IMAGEPIPELINE_API"] = request.param
    return request.param


def numbered(message: Message) -> dict[str, str]:
    """The draft's numbers: label and id."""
    return {each["label"]: each["custom_id"] for each in message.body.buttons if each["label"].isdecimal()}


async def test_a_draft_is_four_quick_pictures_and_a_number_makes_one_in_full(scene: Stage, api: str) -> None:
    async with scene.bot():
        draft = await scene.delivered(scene.imagine(shape="wide", draft=True))
        full = await scene.delivered(scene.playground.press(draft, "3"))
        left = await scene.left()

    *quick, slow = scene.renderer.jobs
    quick.sort(key=lambda job: job.parameters.seed)
    first = quick[0].parameters.seed
    assert [job.parameters.seed for job in quick] == [first, first + 1, first + 2, first + 3]
    assert scene.seen(draft) == scene.made(*((job, 0) for job in quick))
    few, many = {"adapters": (8, 30), "identity": (4, 8)}[api]
    assert {(job.parameters.num_inference_steps, job.parameters.samples) for job in quick} == {(few, 1)}
    assert (slow.parameters.seed, slow.parameters.num_inference_steps, slow.parameters.samples) == (first + 2, many, 1)
    assert {(job.parameters.width, job.parameters.height) for job in scene.renderer.jobs} == {(1024, 576)}
    assert {face_of(job) for job in quick} == {face_of(slow)}
    assert "A draft, quickly made in few steps. Press a number" in draft.text
    assert "A picture of a draft, made in full." in full.text
    assert scene.seen(full) == scene.made((slow, 0))
    assert (numbered(full), left) == ({}, 15)


async def test_where_one_failed_each_number_still_leads_to_its_own_seed(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"  # one after another, so that the first one fails
    scene.renderer.errors = [JobError("The face cannot be used.", FailureReason.INPUT_INVALID)]
    async with scene.bot():
        draft = await scene.delivered(scene.imagine(draft=True))
        fulls = [await scene.delivered(scene.playground.press(draft, number)) for number in ("1", "2", "3")]

    assert list(numbered(draft)) == ["1", "2", "3"]
    assert [made for full in fulls for made, _ in scene.seen(full)] == [made for made, _ in scene.seen(draft)]


async def test_a_draft_with_a_face_is_for_its_owner_and_works_after_a_restart(scene: Stage) -> None:
    async with scene.bot():
        draft = await scene.delivered(scene.imagine(draft=True))
        text = await told(scene, draft, "1", member="Cleo")
    async with scene.bot():
        await scene.delivered(scene.playground.press(draft, "1"))

    assert text == "This face belongs to somebody else's request. Use /imagine with your own photo."
    assert len(scene.renderer.jobs) == 5


async def test_again_makes_another_draft(scene: Stage) -> None:
    async with scene.bot():
        draft = await scene.delivered(scene.imagine(draft=True))
        again = await scene.delivered(scene.playground.press(draft, "Again"))

    assert list(numbered(again)) == ["1", "2", "3", "4"]
    assert len({job.parameters.seed for job in scene.renderer.jobs}) == 8
