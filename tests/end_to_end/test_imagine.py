"""The main job: from a command with a face to pictures in the channel."""

import io

import pytest
from PIL import Image

from playground.errors import MemberError
from playground.model import InteractionState, Permission
from tests.end_to_end.stage import Stage
from tests.photographs import admiral, coffee, encoded


async def test_a_face_and_a_wish_become_pictures_in_the_one_message(scene: Stage) -> None:
    async with scene.bot():
        interaction = scene.imagine("a quiet harbour", count=3)
        message = await scene.delivered(interaction)

    assert message.id == interaction.original_id
    assert "> a quiet harbour" in message.text
    assert "Stable Diffusion XL" in message.text
    assert "3 images used, 17 of 20 left" in message.text
    (job,) = scene.renderer.jobs
    assert scene.seen(message) == scene.made((job, 0), (job, 1), (job, 2))
    assert (job.parameters.prompt, job.parameters.samples) == ("a quiet harbour", 3)
    assert [(reference.adapter, reference.scale) for reference in job.references] == [
        ("ip-adapter-plus-face_sdxl_vit-h", 0.6)
    ]


async def test_the_message_shows_the_face_the_queue_the_making_and_the_result(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(count=2))

    headlines = [version.body.text.partition("\n")[0] for version in message.versions]
    assert headlines == [
        "",
        "**Your 2 pictures: next in the queue**",
        "**Making your 2 pictures**",
        "> a quiet harbour",
    ]
    assert [len(version.body.thumbnails) for version in message.versions] == [0, 1, 1, 1]
    assert len({thumbnail.id for version in message.versions for thumbnail in version.body.thumbnails}) == 1


async def test_the_provider_gets_the_crop_and_no_other_picture(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(photo=("x.png", encoded(admiral(), "PNG"))))

    (thumbnail,) = message.body.thumbnails
    shown = Image.open(io.BytesIO(scene.playground.content(thumbnail)))
    given = scene.renderer.jobs[0].references[0].image
    assert shown.size == given.size == (512, 512)
    assert shown.convert("RGB").tobytes() == given.tobytes()


async def test_without_a_photo_it_is_a_plain_request(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine("a red bicycle", photo=None, model="sd"))

    (job,) = scene.renderer.jobs
    assert job.references == ()
    assert (job.parameters.model_id, job.parameters.width) == ("sd1.5", 512)
    assert message.body.thumbnails == []


async def test_a_second_command_is_taken_while_the_first_runs(scene: Stage) -> None:
    async with scene.bot():
        scene.renderer.open.clear()
        first, second = scene.imagine("first"), scene.imagine("second")
        await scene.message_with("**Making", interaction=first)
        await scene.message_with("**Making", interaction=second)
        scene.renderer.open.set()
        messages = [await scene.delivered(first), await scene.delivered(second)]

    for message, prompt in zip(messages, ("first", "second"), strict=True):
        ((made, _),) = scene.seen(message)
        assert made.startswith(f"{prompt}|")


async def test_who_waits_reads_their_place(scene: Stage) -> None:
    scene.env["IMAGEPIPELINE_MAX_IN_FLIGHT"] = "1"
    async with scene.bot():
        scene.renderer.open.clear()
        await scene.message_with("**Making", interaction=scene.imagine("one", member="Ada"))
        waiting = scene.imagine("two", member="Ben")
        await scene.message_with("next in the queue", interaction=waiting)
        last = scene.imagine("three", member="Cleo")
        await scene.message_with("place 2 in the queue", interaction=last)
        scene.renderer.open.set()
        await scene.delivered(waiting)
        await scene.delivered(last)


async def test_it_works_in_a_direct_message_where_the_member_is_the_scope(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine(channel="dm", count=4))
        in_server = await scene.left()

    assert "4 images used, 16 of 20 left" in message.text
    assert in_server == 20


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (("coffee.jpg", encoded(coffee())), "no face in the photo"),
        (("note.txt", b"hello"), "not a photo that the bot can read"),
        (("me.gif", encoded(admiral(), "GIF")), "not a photo that the bot can read"),
    ],
)
async def test_a_photo_that_cannot_be_used_is_explained_to_the_asker_alone(
    scene: Stage, photo: tuple[str, bytes], words: str
) -> None:
    async with scene.bot():
        interaction = scene.imagine(photo=photo, count=4)
        message = await scene.message_with(words, interaction=interaction)
        left = await scene.left()

    assert scene.playground.seen_by(message) == {"Ben"}
    assert "Your 4 images were refunded." in message.text
    assert left == 20
    original = scene.playground.state.messages[interaction.original_id or 0]
    assert original.deleted_at is not None
    assert scene.renderer.jobs == []


async def test_who_is_out_of_images_is_told_at_once_and_alone(scene: Stage) -> None:
    scene.env["QUOTA_IMAGES"] = "4"
    async with scene.bot():
        await scene.delivered(scene.imagine(count=4))
        refused = await scene.playground.answered(scene.imagine())

    assert scene.playground.seen_by(refused) == {"Ben"}
    assert "You have no images left. The next one comes free <t:" in refused.text
    assert len(scene.renderer.jobs) == 1


async def test_a_prompt_of_nothing_but_spaces_is_refused_and_costs_nothing(scene: Stage) -> None:
    async with scene.bot():
        refused = await scene.playground.answered(scene.imagine("   "))
        left = await scene.left()

    assert "`prompt` cannot be `empty`: it takes 1 to 1000 characters." in refused.text
    assert left == 20


async def test_discord_itself_refuses_what_the_options_do_not_allow(scene: Stage) -> None:
    async with scene.bot():
        for name, value in (("count", 5), ("count", 0), ("shape", "round"), ("likeness", 101)):
            with pytest.raises(MemberError):
                scene.playground.command("imagine", options={"prompt": "a harbour", name: value})


async def test_fifty_simultaneous_commands_with_ten_images_left_make_exactly_ten(scene: Stage) -> None:
    scene.env |= {"QUOTA_IMAGES": "10", "MEMBER_QUEUE": "100"}
    async with scene.bot():
        interactions = [scene.imagine(f"number {number}", photo=None) for number in range(50)]
        for interaction in interactions:
            await scene.playground.answered(interaction)
        await scene.playground.until(
            lambda state: sum(bool(message.body.gallery) for message in state.messages.values()) == 10
        )
        left = await scene.left()

    assert left == 0
    assert len(scene.renderer.jobs) == 10
    assert {interaction.state for interaction in interactions} == {InteractionState.ACKNOWLEDGED}


async def test_a_member_with_too_many_unfinished_requests_waits(scene: Stage) -> None:
    scene.env["MEMBER_QUEUE"] = "2"
    async with scene.bot():
        scene.renderer.open.clear()
        started = [scene.imagine(photo=None), scene.imagine(photo=None)]
        for interaction in started:
            await scene.message_with("**Making", interaction=interaction)
        refused = await scene.playground.answered(scene.imagine(photo=None))
        scene.renderer.open.set()
        for interaction in started:
            await scene.delivered(interaction)

    assert "You already have 2 requests under way." in refused.text


async def test_commands_are_given_to_discord_only_where_they_differ(scene: Stage) -> None:
    for _ in range(2):
        async with scene.bot():
            pass

    assert [row["method"] for row in scene.playground.capture.rows if row["path"].endswith("/commands")] == [
        "GET",
        "PUT",
        "GET",
    ]


async def test_commands_of_one_server_move_there_and_back(scene: Stage) -> None:
    guild_id = scene.playground.state.guild.id

    async def scopes(setting: str) -> set[int | None]:
        scene.env["DISCORD_GUILD_ID"] = setting
        async with scene.bot():
            return {command.guild_id for command in scene.playground.state.commands.values()}

    assert [await scopes(""), await scopes(str(guild_id)), await scopes("")] == [{None}, {guild_id}, {None}]


async def test_a_bot_without_any_permission_in_the_channel_still_answers(scene: Stage) -> None:
    scene.playground.deny("pictures", *Permission)
    async with scene.bot():
        assert await scene.delivered(scene.imagine())
