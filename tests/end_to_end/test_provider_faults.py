"""The image service misbehaves: what the member reads, what they get back, what the operator is told."""

import base64
from typing import Any

import pytest

from tests.end_to_end.stage import Stage
from tests.photographs import astronaut, encoded

SUBMIT = ("POST", "/sdxl/text2image/v1")
STATUS = ("GET", "/status/")
FILES = ("GET", "/files/")


async def failure(scene: Stage, **options: Any) -> str:
    """Run a command that fails, check that it was refunded in whole, and return what the member reads."""
    async with scene.bot():
        message = await scene.message_with("refunded", interaction=scene.imagine(count=2, **options))
        assert await scene.left() == 20
    assert message.body.gallery == []
    return message.text


async def success(scene: Stage) -> str:
    """Run a command that comes through all the same, and return what the member reads."""
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))
    return message.text


async def test_a_job_that_fails_is_explained_and_refunded(scene: Stage) -> None:
    scene.trouble.answer(*STATUS, {"status": "FAILED", "message": "Prompt rejected by content policy"})

    text = await failure(scene)

    assert "The image service could not make it: Prompt rejected by content policy." in text
    assert "Your 2 images were refunded." in text


async def test_a_failed_message_shows_the_face_no_more(scene: Stage) -> None:
    scene.trouble.answer(*STATUS, {"status": "FAILURE"})
    async with scene.bot():
        message = await scene.message_with("refunded", interaction=scene.imagine())

    assert message.body.attachments == ()


async def test_a_renderer_that_breaks_is_a_failure(scene: Stage) -> None:
    scene.renderer.error = RuntimeError("out of memory")

    assert "fault in the engine" in await failure(scene)


@pytest.mark.parametrize(
    "body",
    [{"status": "COMPLETED"}, {"status": "SUCCESS", "download_urls": []}, {"status": "SUCCESS", "download_urls": None}],
)
async def test_a_success_without_pictures_is_a_failure(scene: Stage, body: dict[str, Any]) -> None:
    scene.trouble.answer(*STATUS, body)

    assert "success without a picture" in await failure(scene)


async def test_a_refused_request_gives_the_reason(scene: Stage) -> None:
    scene.trouble.answer(*SUBMIT, {"detail": [{"loc": ["body", "prompt"], "msg": "too rude"}]}, status=422)

    assert "The image service refused the request: prompt: too rude." in await failure(scene)


async def test_busy_and_broken_answers_are_tried_again(scene: Stage) -> None:
    scene.trouble.answer(*SUBMIT, {}, status=429, headers={"Retry-After": "0"})
    scene.trouble.answer(*SUBMIT, {}, status=429)
    scene.trouble.answer(*SUBMIT, {"error": "down"}, status=503, times=3)
    scene.trouble.answer(*STATUS, {}, status=429, headers={"Retry-After": "0"})
    scene.trouble.answer(*STATUS, {}, status=500, times=2)

    assert "2 images used" in await success(scene)
    assert scene.trouble.asked.count(SUBMIT) == 6
    assert len(scene.renderer.jobs) == 1


async def test_every_spelling_of_waiting_is_waited_for(scene: Stage) -> None:
    for status in ("PENDING", "QUEUED", "Processing", "warming up", None, 7):
        scene.trouble.answer(*STATUS, {"status": status})
    scene.trouble.answer(*STATUS, {"no": "status"})
    scene.trouble.answer(*STATUS, [])

    assert "2 images used" in await success(scene)


async def test_a_submit_that_is_answered_with_the_pictures_needs_no_question(scene: Stage) -> None:
    picture = base64.b64encode(encoded(astronaut(), "PNG")).decode()
    scene.trouble.answer(*SUBMIT, {"status": "SUCCESS", "images": [picture, picture]})

    assert "2 images used" in await success(scene)
    assert not [path for _, path in scene.trouble.asked if "/status/" in path]


async def test_fewer_pictures_than_paid_for_are_delivered_and_partly_refunded(scene: Stage) -> None:
    async with scene.bot():
        scene.trouble.answer(*FILES, {}, status=404)
        message = await scene.delivered(scene.imagine(count=3))
        left = await scene.left()

    assert len(message.body.gallery) == 2
    assert "2 images used, 18 of 20 left" in message.text
    assert "1 picture did not come. Your image was refunded." in message.text
    assert left == 18


async def test_more_pictures_than_asked_for_are_not_posted(scene: Stage) -> None:
    picture = base64.b64encode(encoded(astronaut(), "PNG")).decode()
    scene.trouble.answer(*SUBMIT, {"status": "SUCCESS", "images": [picture] * 9})

    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))

    assert len(message.body.gallery) == 2


async def test_a_download_that_stumbles_is_tried_again(scene: Stage) -> None:
    scene.trouble.answer(*FILES, {}, status=503)

    assert "2 images used" in await success(scene)


async def test_files_that_are_no_pictures_are_never_posted(scene: Stage) -> None:
    scene.trouble.answer(*FILES, {"not": "a picture"}, times=4)

    assert "could not be fetched from the image service" in await failure(scene)


async def test_a_lost_job_is_submitted_anew_under_a_new_name(scene: Stage) -> None:
    scene.trouble.answer(*STATUS, {"detail": "unknown job"}, status=404, times=4)

    assert "2 images used" in await success(scene)
    assert len(scene.renderer.jobs) == 2


async def test_a_job_that_never_ends_fails_at_the_deadline(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    scene.renderer.open.clear()
    async with scene.bot():
        interaction = scene.imagine()
        await scene.trouble.until_asked(*STATUS)
        scene.advance(minutes=15)
        message = await scene.message_with("did not finish within 15 minutes", interaction=interaction)

    assert "Your image was refunded." in message.text


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "IMAGEPIPELINE_API_KEY"), (403, "plan of the ImagePipeline account"), (404, "IMAGEPIPELINE_URL")],
)
async def test_a_refused_account_keeps_the_queue_and_tells_the_operator_what_to_check(
    scene: Stage, caplog: pytest.LogCaptureFixture, status: int, advice: str
) -> None:
    scene.trouble.answer(*SUBMIT, {"detail": "no"}, status=status, times=1000)
    async with scene.bot():
        first, second = scene.imagine("first"), scene.imagine("second", member="Cleo")
        await scene.message_with("Your request is kept", interaction=first)
        scene.trouble.forget()
        messages = [await scene.delivered(first), await scene.delivered(second)]

    assert [len(message.body.gallery) for message in messages] == [1, 1]
    assert advice in caplog.text
    assert "stage-key" not in caplog.text


async def test_while_the_account_is_refused_everybody_who_waits_knows_it(scene: Stage) -> None:
    scene.trouble.answer(*SUBMIT, {"detail": "no"}, status=401, times=1000)
    async with scene.bot():
        interactions = [scene.imagine(member=member) for member in ("Ada", "Ben", "Cleo")]
        for interaction in interactions:
            await scene.message_with("operator's attention", interaction=interaction)
        assert await scene.left() == 19
