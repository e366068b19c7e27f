"""Discord misbehaves, or people do: what was paid for still arrives, once, and nobody else's."""

import pytest

from playground.model import Event, EventKind, Interaction, Message, Permission
from playground.state import State
from tests.end_to_end.stage import Stage

CALLBACK = r"/interactions/\d+/[^/]+/callback$"
ORIGINAL = r"/messages/@original$"


async def being_made(scene: Stage, *, channel: str = "pictures") -> Interaction:
    """A command that the engine has begun and holds."""
    scene.renderer.open.clear()
    interaction = scene.imagine(channel=channel)
    await scene.message_with("**Making", interaction=interaction)
    await scene.renderer.begun(1)
    return interaction


def galleries(state: State) -> list[Message]:
    return [message for message in state.messages.values() if message.body.gallery and message.deleted_at is None]


async def test_a_result_after_the_tokens_life_still_reaches_its_own_message(
    scene: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.env["JOB_TIMEOUT_MINUTES"] = "60"
    async with scene.bot():
        interaction = await being_made(scene)
        scene.advance(minutes=16)
        scene.renderer.open.set()
        call = await scene.message_with("your pictures are ready.")
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 1
    assert len(message.body.thumbnails) == 1
    assert call.reference is not None
    assert call.reference.message_id == message.id
    assert call.pinged_users == {interaction.member_id}
    assert galleries(scene.playground.state) == [message]


async def test_who_gets_their_pictures_at_once_is_not_pinged(scene: Stage) -> None:
    async with scene.bot():
        message = await scene.delivered(scene.imagine("@everyone look, <@1100000000000000111>"))

    assert (message.pinged_users, message.pinged_everyone) == (frozenset(), False)


async def test_who_waited_is_pinged_once_under_the_result(scene: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    async with scene.bot():
        interaction = await being_made(scene)
        scene.advance(seconds=16)
        scene.renderer.open.set()
        call = await scene.message_with("your pictures are ready.")
        message = await scene.delivered(interaction)

    pinging = [each for each in scene.playground.state.messages.values() if each.pinged_users]
    assert pinging == [call]
    assert call.pinged_users == {interaction.member_id}
    assert call.reference is not None
    assert call.reference.message_id == message.id


async def test_a_message_that_a_moderator_deleted_is_not_posted_again_but_sent_to_the_member(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.delete_message(scene.playground.state.messages[interaction.original_id or 0])
        scene.renderer.open.set()
        (message,) = await scene.playground.until(galleries)

    assert scene.playground.state.channels[message.channel_id].recipient_id == interaction.member_id
    assert "This could not be shown in <#" in message.text


async def test_a_member_who_cannot_be_reached_at_all_is_refunded(scene: Stage) -> None:
    scene.playground.allow_direct_messages("Ben", allowed=False)
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.delete_message(scene.playground.state.messages[interaction.original_id or 0])
        scene.renderer.open.set()
        await scene.until_left(20)

    assert galleries(scene.playground.state) == []


async def test_a_channel_that_is_gone_does_not_keep_the_pictures_from_the_member(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene, channel="lounge")
        scene.playground.delete_channel("lounge")
        scene.advance(minutes=16)
        scene.renderer.open.set()
        (message,) = await scene.playground.until(galleries)

    assert scene.playground.state.channels[message.channel_id].recipient_id == interaction.member_id


async def test_a_channel_that_the_bot_may_no_longer_see_does_not_either(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.deny("pictures", Permission.VIEW_CHANNEL)
        scene.advance(minutes=16)
        scene.renderer.open.set()
        (message,) = await scene.playground.until(galleries)

    assert scene.playground.state.channels[message.channel_id].recipient_id == interaction.member_id


async def test_an_edit_that_discord_takes_but_does_not_confirm_leaves_one_result(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        fault = scene.playground.faults.drop_after("PATCH", ORIGINAL)
        scene.renderer.open.set()
        await scene.playground.until(lambda _: fault.hits)
        message = await scene.delivered(interaction)
        left = await scene.left()

    assert len(message.body.gallery) == 1
    assert galleries(scene.playground.state) == [message]
    assert left == 19


async def test_an_outage_of_discord_is_waited_out(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.faults.drop_before("PATCH", ORIGINAL, times=3)
        scene.renderer.open.set()
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 1


async def test_a_429_is_waited_out(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        scene.playground.faults.respond(
            "PATCH", ORIGINAL, status=429, body={"message": "slow", "retry_after": 0.05}, headers={"Via": "1.1 google"}
        )
        scene.renderer.open.set()
        await scene.delivered(interaction)


async def test_pictures_that_discord_finds_too_large_are_made_smaller(scene: Stage) -> None:
    async with scene.bot():
        interaction = await being_made(scene)
        too_large = {"code": 40005, "message": "Request entity too large"}
        scene.playground.faults.respond("PATCH", ORIGINAL, status=413, body=too_large)
        scene.renderer.open.set()
        message = await scene.delivered(interaction)

    assert len(message.body.gallery) == 1


async def test_a_deferral_that_discord_does_not_know_costs_nothing(scene: Stage) -> None:
    async with scene.bot():
        unknown = {"code": 10062, "message": "Unknown interaction"}
        fault = scene.playground.faults.respond("POST", CALLBACK, status=404, body=unknown)
        scene.imagine(count=4)
        await scene.playground.until(lambda _: fault.hits)
        await scene.until_left(20)

    assert scene.renderer.jobs == []


async def test_a_deferral_that_got_lost_on_the_way_costs_nothing(scene: Stage) -> None:
    async with scene.bot():
        fault = scene.playground.faults.drop_before("POST", CALLBACK)
        scene.imagine(count=4)
        await scene.playground.until(lambda _: fault.hits)
        await scene.until_left(20)

    assert scene.renderer.jobs == []


async def test_a_deferral_that_arrived_without_confirmation_is_carried_out(scene: Stage) -> None:
    async with scene.bot():
        scene.playground.faults.drop_after("POST", CALLBACK)
        message = await scene.delivered(scene.imagine(photo=None))

    assert len(message.body.gallery) == 1


async def test_a_replayed_command_is_carried_out_once(scene: Stage) -> None:
    async with scene.bot():
        hanging = scene.playground.faults.hang("POST", CALLBACK)
        interaction = scene.imagine()
        await scene.playground.until(lambda _: hanging.hits)
        scene.playground.gateway.hear(Event(kind=EventKind.INTERACTION_CREATED, id=interaction.id))
        hanging.release()
        await scene.delivered(interaction)
        left = await scene.left()

    assert left == 19
    assert len(scene.renderer.jobs) == 1


@pytest.mark.parametrize("trouble", ["drop_gateway", "reconnect_gateway"])
async def test_commands_work_again_after_the_gateway_broke(scene: Stage, trouble: str) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine())
        getattr(scene.playground, trouble)()
        await scene.playground.until(lambda state: not state.bot_connected)
        await scene.playground.until(lambda state: state.bot_connected)
        await scene.delivered(scene.imagine(photo=None))


async def test_two_members_never_get_each_others_pictures(scene: Stage) -> None:
    async with scene.bot():
        scene.renderer.open.clear()
        interactions = {name: scene.imagine(f"picture of {name}", member=name) for name in ("Ada", "Ben", "Cleo")}
        scene.renderer.open.set()
        messages = {name: await scene.delivered(interaction) for name, interaction in interactions.items()}

    made = {job.parameters.prompt: scene.made((job, 0)) for job in scene.renderer.jobs}
    assert {name: scene.seen(message) for name, message in messages.items()} == {
        name: made[f"picture of {name}"] for name in interactions
    }


async def test_nothing_secret_is_logged(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with scene.bot():
        scene.playground.faults.drop_after("PATCH", ORIGINAL)
        scene.playground.faults.respond("PATCH", ORIGINAL, status=500, body={})
        interaction = scene.imagine("a very private wish")
        await scene.delivered(interaction)

    for secret in (interaction.token, scene.playground.token, "stage-key", "a very private wish", "face.jpg", "hm="):
        assert secret not in caplog.text
