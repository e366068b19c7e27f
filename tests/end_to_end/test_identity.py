"""The same bot on the service's API of today: one face, and one job a picture."""

import asyncio
import io

import pytest
from PIL import Image

from engine.errors import FailureReason, JobError
from tests.end_to_end.stage import PHOTO, Stage

LOCK = ("POST", "/identity/lock/image/v1")
UPLOAD = ("POST", "/upload/image/v1")
STATUS = ("GET", "/status/")
FILES = ("GET", "/files/")


@pytest.fixture(autouse=True)
def identity(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_API"] = "identity"


async def test_several_pictures_are_several_jobs_in_one_message(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=3))

    jobs = sorted(scene.renderer.jobs, key=lambda job: job.parameters.seed)
    first = jobs[0].parameters.seed
    assert [job.parameters.seed for job in jobs] == [first, first + 1, first + 2]
    assert scene.seen(message) == scene.made(*((job, 0) for job in jobs))
    assert "3 images used, 17 of 20 left" in message.text
    assert scene.trouble.asked.count(UPLOAD) == 1


async def test_pictures_that_come_at_the_same_moment_are_all_delivered(scene: Stage) -> None:
    """The end of the one job and the end of the last are then told to the database one right after the other."""
    held = scene.trouble.hold(*FILES, times=2)
    async with scene.bot():
        interaction = scene.imagine(count=2, photo=None)
        await scene.trouble.until_asked(*FILES, times=2)
        async with scene.database.connection(), asyncio.timeout(40):
            held.set()
            while len(list((scene.folder / "pictures").glob("*/?.png"))) < 2:  # noqa: ASYNC110 - files tell nobody
                await asyncio.sleep(0)
            for _ in range(20):  # both stand in line for the database now
                await asyncio.sleep(0)
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 2


async def test_the_service_gets_the_crop_that_the_message_shows(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine())

    (thumbnail,) = message.body.thumbnails
    shown = Image.open(io.BytesIO(scene.playground.content(thumbnail)))
    (reference,) = scene.renderer.jobs[0].references
    assert shown.convert("RGB").tobytes() == reference.image.tobytes()


async def test_without_a_face_pictures_are_generated(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.advanced("a lake", negative_prompt="rain", steps=20, guidance=0, size="wide", seed=5)
        await scene.message_with("no negative prompt", interaction=interaction)
        message = await scene.delivered(interaction)

    (order,) = scene.trouble.orders
    assert (order["num_inference_steps"], order["guidance_scale"], order["seed"]) == (20, 0.0, 5)
    assert (order["width"], order["height"]) == (1024, 576)
    assert "negative_prompt" not in order
    assert len(message.body.gallery) == 1


async def test_with_a_face_the_negative_prompt_is_sent(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.advanced(photos={"face": PHOTO}, negative_prompt="rain"))

    assert [order.get("negative_prompt") for order in scene.trouble.orders] == ["rain"]


async def test_what_comes_is_delivered_and_the_rest_is_refunded_with_its_reason(scene: Stage) -> None:
    scene.renderer.errors = [JobError("The face cannot be used.", FailureReason.INPUT_INVALID)]
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=3))
        left = await scene.left()

    assert len(message.body.gallery) == 2
    assert "1 picture did not come" in message.text
    assert "The face cannot be used." in message.text
    assert "refunded" in message.text
    assert left == 18


async def test_when_nothing_comes_everything_is_refunded(scene: Stage) -> None:
    scene.renderer.error = JobError("The face cannot be used.", FailureReason.INPUT_INVALID)
    async with scene.bot():
        message = await scene.message_with("refunded", interaction=scene.imagine(count=4))
        left = await scene.left()

    assert "The face cannot be used." in message.text
    assert len(scene.renderer.jobs) == 4
    assert left == 20


@pytest.mark.parametrize(
    "reason", [FailureReason.MODEL_ERROR, FailureReason.STORAGE_ERROR, FailureReason.CONCURRENT_JOBS_EXCEEDED]
)
async def test_a_failure_that_may_pass_is_tried_again(scene: Stage, reason: FailureReason) -> None:
    scene.renderer.errors = [JobError("Not now.", reason), JobError("Not now either.", reason)]
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))
        left = await scene.left()

    assert len(message.body.gallery) == 2
    assert len(scene.renderer.jobs) == 4
    assert left == 18


async def test_a_failure_that_does_not_pass_is_refunded_in_the_end(scene: Stage) -> None:
    scene.renderer.error = JobError("The model is away.", FailureReason.MODEL_UNAVAILABLE)
    async with scene.bot():
        message = await scene.message_with("refunded", interaction=scene.imagine())
        left = await scene.left()

    assert "The model is away." in message.text
    assert len(scene.renderer.jobs) == 4  # the first try and three more
    assert left == 20


async def test_an_empty_account_pauses_the_queue_and_is_told_to_the_operator(
    scene: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    scene.renderer.errors = [JobError("Top up.", FailureReason.INSUFFICIENT_CREDITS)]
    async with scene.bot():
        interaction = scene.imagine(count=2)
        await scene.message_with("needs its operator's attention", interaction=interaction)
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 2
    assert "submitting is paused, the queue is kept" in caplog.text
    assert "it has to be topped up" in caplog.text


async def test_admins_read_what_is_left_in_the_account(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine(count=2))
        admin = await scene.playground.answered(scene.playground.command("quota", member="Ada"))
        member = await scene.playground.answered(scene.playground.command("quota", member="Ben"))

    assert "account: 999.98 USD left" in admin.text
    assert "USD" not in member.text


async def test_a_key_for_the_other_api_is_named_to_the_operator(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    scene.trouble.answer(*LOCK, {"detail": "Not Found"}, status=404)
    scene.trouble.answer(*UPLOAD, {"detail": "Not Found"}, status=404)
    async with scene.bot():
        interaction = scene.imagine()
        await scene.message_with("needs its operator's attention", interaction=interaction)
        await scene.delivered(interaction)

    assert "IMAGEPIPELINE_API=adapters" in caplog.text
    assert "stage-key" not in caplog.text


async def test_a_job_that_the_service_cancels_is_refunded(scene: Stage) -> None:
    scene.trouble.answer(*STATUS, {"job_id": "x", "status": "cancelled", "failure_reason_code": "CANCELLED"})
    async with scene.bot():
        await scene.message_with("refunded", interaction=scene.imagine())
        left = await scene.left()

    assert left == 20


async def test_the_next_start_with_the_other_api_refunds_what_was_under_way(scene: Stage) -> None:
    scene.renderer.open.clear()
    async with scene.bot():
        interaction = scene.imagine(count=2)
        await scene.message_with("**Making", interaction=interaction)
    scene.env["IMAGEPIPELINE_API"] = "adapters"
    async with scene.bot():
        message = await scene.message_with("refunded", interaction=interaction)
        scene.renderer.open.set()
        left = await scene.left()

    assert "moved to another image service" in message.text
    assert left == 20
