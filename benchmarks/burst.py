"""How soon commands are acknowledged when many come at once, against a bot that does nothing else.

    python -m benchmarks.burst [commands]

Both bots run in processes of their own against the same playground, one after the other. The floor defers each command
and is done; Facelock writes the row and its charge first, and then goes on with photos, engine and uploads.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from pathlib import Path

from playground.interactions import CommandCall
from playground.model import Interaction
from playground.server import Playground
from tests.end_to_end.stage import PHOTO, ROOT, stage

FLOOR = """
import os, discord, yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

Route.BASE = os.environ["DISCORD_API_URL"]
DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["DISCORD_GATEWAY_URL"])

class Floor(discord.Client):
    async def setup_hook(self):
        await tree.sync()

client = Floor(intents=discord.Intents(guilds=True), max_messages=None)
tree = app_commands.CommandTree(client)

@tree.command(description="Only defers")
async def imagine(interaction: discord.Interaction, prompt: str, face: discord.Attachment | None = None):
    await interaction.response.defer(thinking=True)

client.run(os.environ["DISCORD_TOKEN"], log_handler=None)
"""


def calls(commands: int) -> list[CommandCall]:
    members = ("Ada", "Ben", "Cleo")
    return [
        CommandCall(
            member=members[number % 3],
            name="imagine",
            options={"prompt": f"picture {number}"},
            attachments={"face": PHOTO},
        )
        for number in range(commands)
    ]


async def acknowledged(playground: Playground, commands: int) -> list[float]:
    """Milliseconds from the dispatch of each command to its answer, shortest first."""
    interactions: list[Interaction] = playground.burst(calls(commands))
    for interaction in interactions:
        await playground.acknowledged(interaction, timeout_s=60)
    return sorted(interaction.acknowledged_after_ms or 0.0 for interaction in interactions)


async def floor(commands: int) -> list[float]:
    async with Playground.run() as playground:
        env = os.environ | {
            "DISCORD_TOKEN": playground.token,
            "DISCORD_API_URL": playground.api_url,
            "DISCORD_GATEWAY_URL": playground.gateway_url,
        }
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", FLOOR, env=env, cwd=ROOT)
        try:
            await playground.ready("imagine")
            return await acknowledged(playground, commands)
        finally:
            process.kill()
            await process.wait()


async def facelock(commands: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        async with stage(Path(folder)) as scene:
            scene.env |= {"QUOTA_IMAGES": "1000000", "MEMBER_QUEUE": "1000"}
            async with scene.process():
                return await acknowledged(scene.playground, commands)


def described(name: str, times_ms: list[float]) -> str:
    median, last = statistics.median(times_ms), times_ms[-1]
    return f"{name:9} median {median:6.0f} ms   last {last:6.0f} ms"


async def main() -> None:
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    below, ours = await floor(commands), await facelock(commands)
    print(f"{commands} commands at once, each with a photo; Discord gives up after 3000 ms")
    print(described("floor", below))
    print(described("facelock", ours))
    ratios = statistics.median(ours) / statistics.median(below), ours[-1] / below[-1]
    print(f"ratio     median {ratios[0]:6.2f}      last {ratios[1]:6.2f}")


if __name__ == "__main__":
    asyncio.run(main())
