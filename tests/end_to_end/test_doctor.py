"""``python bot.py doctor``: every line in order and, one after another, every line with something to do."""

import asyncio
import os
import sys
from typing import Any

import pytest

import bot
from playground.model import Permission
from services.config import Settings
from services.doctor import Finding
from services.servers import Servers
from tests.end_to_end.stage import ROOT, Stage
from tests.end_to_end.test_bot import free_port


async def examined(scene: Stage, **env: str) -> list[Finding]:
    """What the doctor finds with these settings, in this process."""
    settings = Settings.from_env(scene.settings_env() | env)
    bot.point_at(settings)
    findings: list[Finding] = []
    await bot.examine(settings, findings.append)
    return findings


def problems(findings: list[Finding]) -> dict[str, str]:
    return {finding.subject: finding.text for finding in findings if finding.is_problem}


async def run_doctor(scene: Stage, *more: str) -> tuple[int | None, list[str]]:
    """The command in a process of its own: its exit status and its lines."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD", "IMAGEP"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "bot.py", "doctor", *more),
        cwd=ROOT,
        env=clean | scene.settings_env(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        printed, _ = await process.communicate()
    return process.returncode, printed.decode().splitlines()


async def test_beside_a_running_bot_everything_is_in_order_and_the_bot_is_not_disturbed(scene: Stage) -> None:
    port = free_port()
    scene.env |= {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    async with scene.bot():
        before = dict(scene.playground.state.commands)
        status, lines = await run_doctor(scene)
        await scene.delivered(scene.imagine(photo=None))

    assert [line.partition(":")[0] for line in lines] == [
        "OK  database",
        "OK  disk",
        "OK  face detector",
        "OK  saved faces",
        "OK  clock",
        "OK  image service",
        "OK  image check",
        "OK  PUBLIC_URL",
        "OK  token",
        "OK  application",
        "OK  commands",
        "OK  server Playground",
    ]
    assert status == 0
    assert "a bot runs on it" in lines[0]
    assert scene.playground.state.commands == before
    assert not any(secret in "\n".join(lines) for secret in (scene.playground.token, "stage-key", "/hooks/"))


async def test_without_a_bot_nothing_is_left_behind(scene: Stage) -> None:
    port = free_port()
    scene.env |= {"HTTP_PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    status, lines = await run_doctor(scene)

    assert status == 1
    assert [line for line in lines if not line.startswith("OK ")] == [
        "FIX commands: Discord has others than this version. Start the bot anew, which gives them."
    ]
    assert not scene.playground.state.commands
    assert {path.name for path in scene.folder.iterdir()} == {"engine"}


async def test_wrong_settings_are_told_by_the_doctor_too(scene: Stage) -> None:
    scene.env |= {"QUOTA_IMAGES": "lots"}
    status, lines = await run_doctor(scene)

    assert status == 1
    assert lines[1].startswith("  - QUOTA_IMAGES should be a whole number")


async def test_there_is_help(scene: Stage) -> None:
    status, lines = await run_doctor(scene, "--help")

    assert status == 0
    assert any("look whether everything is in order" in line for line in lines)


async def test_a_refused_token_is_told_and_the_rest_is_looked_at(scene: Stage) -> None:
    findings = await examined(scene, DISCORD_TOKEN="wrong")

    assert problems(findings) == {
        "token": "Discord refuses DISCORD_TOKEN. Reset it in the developer portal and copy it anew."
    }
    assert [finding.subject for finding in findings][-2:] == ["PUBLIC_URL", "token"]


async def test_a_discord_out_of_reach_is_told(scene: Stage) -> None:
    found = problems(await examined(scene, DISCORD_API_URL="http://127.0.0.1:1/api/v10"))

    assert found.keys() == {"token", "clock"}
    assert "Check DISCORD_API_URL" in found["token"]


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ({"interactions_endpoint_url": "https://example.org/commands"}, "Clear the Interactions Endpoint URL"),
        ({"bot_require_code_grant": True}, "Switch off Requires OAuth2 Code Grant"),
    ],
)
async def test_an_application_that_commands_do_not_reach_is_told(
    scene: Stage, setting: dict[str, Any], advice: str
) -> None:
    application = scene.playground.wire.application() | setting
    scene.playground.faults.respond("GET", "/oauth2/applications/@me$", status=200, body=application)

    found = problems(await examined(scene))

    assert advice in found["application"]


async def test_a_user_install_that_discord_does_not_allow_is_told(scene: Stage) -> None:
    application = scene.playground.wire.application()
    answers: list[dict[str, dict[str, str]]] = [{"0": {}}, {}, {"0": {}, "1": {}}]
    for known in answers:
        answer = application | {"integration_types_config": known}
        scene.playground.faults.respond("GET", "/oauth2/applications/@me$", status=200, body=answer)

    found = [problems(await examined(scene, USER_INSTALLS="on")) for _ in range(3)]

    assert "Allow User Install in the portal" in found[0]["application"]
    assert not any("application" in each for each in found[1:])


async def test_a_report_channel_that_the_bot_cannot_write_into_is_told(scene: Stage) -> None:
    guild, lounge = scene.playground.state.guild.id, scene.playground.state.channel("lounge").id
    async with bot.Database.open(scene.folder / "facelock.db") as database:
        await (await Servers.read(database, now=scene.now)).change(guild, by=1, report_channel=lounge)
    writable = await examined(scene)
    scene.playground.deny("lounge", Permission.ATTACH_FILES)
    lacking = problems(await examined(scene))
    scene.playground.delete_channel("lounge")
    gone = problems(await examined(scene))

    subject = "reports of server Playground"
    assert "the bot may write them into #lounge." in [each.text for each in writable if each.subject == subject]
    assert lacking[subject].startswith("the bot cannot write them into #lounge (attach files).")
    assert gone[subject] == "their channel is gone. Its admins choose another with /server settings."


async def test_commands_of_another_version_are_told(scene: Stage) -> None:
    async with scene.bot():
        pass
    same = problems(await examined(scene))
    command = next(each for each in scene.playground.state.commands.values() if each.name == "quota")
    command.definition["description"] = "What it said last year."
    different = problems(await examined(scene))

    assert same == {}
    assert different.keys() == {"commands"}


async def test_commands_for_one_server_alone_are_looked_at_there(scene: Stage) -> None:
    guild_id = str(scene.playground.state.guild.id)
    scene.env["DISCORD_GUILD_ID"] = guild_id
    before = problems(await examined(scene))
    async with scene.bot():
        pass
    after = problems(await examined(scene))
    elsewhere = problems(await examined(scene, DISCORD_GUILD_ID="7"))

    assert before.keys() == {f"commands of server {guild_id}"}
    assert after == {}
    assert "Invite it" in elsewhere["commands of server 7"]


async def test_a_channel_where_the_bot_lacks_permissions_is_named_with_them(scene: Stage) -> None:
    scene.playground.deny("pictures", Permission.ATTACH_FILES, Permission.READ_MESSAGE_HISTORY)
    scene.playground.deny("lounge", Permission.VIEW_CHANNEL)

    found = problems(await examined(scene))

    text = found["server Playground"]
    assert "#pictures (attach files, read message history)" in text
    assert "#lounge (view channel)" in text
    assert "#welcome" not in text


async def test_a_wrong_key_of_the_image_service_is_told(scene: Stage) -> None:
    found = problems(await examined(scene, IMAGEPIPELINE_API_KEY="other"))

    assert "Check IMAGEPIPELINE_API_KEY" in found["image service"]
    assert "other" not in found["image service"].split()


async def test_an_image_service_out_of_reach_is_told(scene: Stage) -> None:
    found = problems(await examined(scene, IMAGEPIPELINE_URL="http://127.0.0.1:1"))

    assert "Check IMAGEPIPELINE_URL" in found["image service"]


async def test_what_is_left_in_the_account_is_told_and_an_empty_one_is_a_problem(scene: Stage) -> None:
    full = await examined(scene, IMAGEPIPELINE_API="identity")
    scene.trouble.answer("GET", "/v1/user/details", {"balance_remaining_usd": 0.0})
    empty = problems(await examined(scene, IMAGEPIPELINE_API="identity"))

    assert any("USD are left" in finding.text and not finding.is_problem for finding in full)
    assert empty["image service"] == "0.00 USD are left in the account. Top it up."
    assert not any(method == "POST" for method, _ in scene.trouble.asked)
