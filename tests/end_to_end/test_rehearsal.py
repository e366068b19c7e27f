"""The whole bot against an engine that goes wrong all the time: each request is delivered or refunded, once."""

import asyncio
from pathlib import Path

import pytest

from engine.chaos import Chaos, Fault
from playground.model import Interaction, Message
from playground.state import State
from tests.end_to_end.stage import Stage, stage
from tests.end_to_end.test_webhooks import free_port

MEMBERS = ("Ada", "Ben", "Cleo")
# All but the 429, whose Retry-After is a matter of real seconds.
FAULTS = frozenset(Fault) - {Fault.RATE_LIMIT}


async def hurried(seconds: float) -> None:
    """The engine's waits, shortened as the bot's are on this stage: an hour is two seconds."""
    await asyncio.sleep(seconds / 2000)


def ending(state: State, interaction: Interaction) -> Message | None:
    for message in state.messages.values():
        is_over = message.body.gallery or "refunded" in message.text
        if message.interaction_id == interaction.id and message.deleted_at is None and is_over:
            return message
    return None


async def come_through(scene: Stage) -> None:
    async with scene.bot():
        asked = [scene.imagine(f"wish {number}", member=MEMBERS[number % 3], count=2) for number in range(18)]
        ends = {
            interaction.id: await scene.playground.until(lambda state, i=interaction: ending(state, i), timeout_s=60)
            for interaction in asked
        }
        left = {member: await scene.left(member) for member in MEMBERS}

    delivered = [message for message in ends.values() if message.body.gallery]
    pictures = [picture for message in delivered for picture in scene.seen(message)]
    assert delivered, "with these dice some should come through"
    assert len(set(pictures)) == len(pictures), "nobody gets a picture twice, or somebody else's"
    for number, member in enumerate(MEMBERS):
        own = [ends[interaction.id] for interaction in asked[number::3]]
        assert left[member] == 20 - sum(len(message.body.gallery) for message in own)


@pytest.mark.parametrize("api", ["adapters", "identity"])
@pytest.mark.parametrize("seed", [1, 2])
async def test_everything_is_delivered_or_refunded(tmp_path: Path, api: str, seed: int) -> None:
    chaos = Chaos(FAULTS, seed=seed, probability=0.15, sleep=hurried)
    async with stage(tmp_path, chaos=chaos) as scene:
        port = free_port()
        scene.env |= {"IMAGEPIPELINE_API": api, "HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
        await come_through(scene)
