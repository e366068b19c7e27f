"""The control plane over HTTP."""

from typing import Any

import aiohttp
import pytest

from playground.interactions import CommandCall
from playground.model import Permission
from playground.rate_limits import Bucket
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot


async def ask(http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    async with http.request(method, f"/_ctl{path}", json=body) as response:
        assert response.status == 200
        return await response.json()


async def test_the_state_shows_versions_and_who_sees_them(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    interaction = playground.command("secret", member="Cleo")
    await playground.answered(interaction)

    state = await ask(http, "GET", "/state")

    (message,) = (m for m in state["messages"] if m.get("interaction_metadata"))
    assert message["seen_by"] == ["Cleo"]
    assert [version["text"] for version in message["versions"]] == ["Just between us."]
    assert state["interactions"][0]["acknowledged_after_ms"] == interaction.acknowledged_after_ms
    assert state["bot_connected"] is True


async def test_a_fault_is_arranged_seen_and_ended(playground: Playground, http: aiohttp.ClientSession) -> None:
    fault = {"kind": "respond", "method": "GET", "path": "/users/@me", "status": 418, "times": None}

    made = await ask(http, "POST", "/faults", fault)
    async with http.get("/api/v10/users/@me") as response:
        assert response.status == 418

    assert await ask(http, "GET", "/faults") == [made | {"hits": 1}]
    await ask(http, "DELETE", "/faults")
    assert playground.faults.active == []


@pytest.mark.parametrize("kind", ["hang", "drop-before", "drop-after"])
async def test_every_kind_of_fault_can_be_arranged(
    playground: Playground, http: aiohttp.ClientSession, kind: str
) -> None:
    made = await ask(http, "POST", "/faults", {"kind": kind, "path": "/x"})
    await ask(http, "POST", f"/faults/{made['id']}/release")

    assert (made["kind"], made["method"], made["left"]) == (kind, "*", 1)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "explode", "path": "/x"}),
        ("/faults", {"kind": "delay", "path": "/x"}),
        ("/faults", {"kind": "hang", "path": "("}),
        ("/faults/99/release", {}),
        ("/clock/advance", {"seconds": -1}),
        ("/clock/advance", {"seconds": "long"}),
        ("/clock/advance", []),
        ("/gateway/explode", {}),
        ("/members/Zoe", {}),
        ("/members/Ben", {"roles": ["Pilots"]}),
        ("/members/Ben", {"roles": "Moderators"}),
        ("/roles/Pilots", {"permissions": []}),
        ("/roles/Moderators", {"permissions": ["FLY"]}),
        ("/channels/nowhere", {}),
        ("/channels/lounge", {"deny": ["FLY"]}),
    ],
)
async def test_nonsense_is_answered_with_a_sentence(http: aiohttp.ClientSession, path: str, body: object) -> None:
    async with http.post(f"/_ctl{path}", json=body) as response:
        said = await response.json()

    assert response.status == 400
    assert said["message"].endswith(".")


async def test_time_passes_at_once(playground: Playground, http: aiohttp.ClientSession) -> None:
    before = playground.clock()

    await ask(http, "POST", "/clock/advance", {"seconds": 86_400})

    assert playground.clock() - before >= 86_400


async def test_members_and_channels_are_changed_by_name(playground: Playground, http: aiohttp.ClientSession) -> None:
    await ask(http, "POST", "/members/cleo", {"takes_direct_messages": False})
    await ask(http, "POST", "/channels/lounge", {"deny": ["SEND_MESSAGES"]})
    await ask(http, "DELETE", "/channels/welcome")

    assert playground.state.member("Cleo").takes_direct_messages is False
    assert playground.state.channel("lounge").denied is Permission.SEND_MESSAGES
    assert "welcome" not in {channel.name for channel in playground.state.channels.values()}


async def test_a_message_is_deleted_as_by_a_moderator(playground: Playground, http: aiohttp.ClientSession) -> None:
    message = playground.say("hello")

    await ask(http, "DELETE", f"/messages/{message.id}")

    assert message.deleted_at is not None
    async with http.delete(f"/_ctl/messages/{message.id}") as again:
        assert again.status == 400


async def test_rates_are_set_as_numbers_or_as_discords(playground: Playground, http: aiohttp.ClientSession) -> None:
    await ask(http, "PUT", "/rates", {"followup": [5, 2.0]})
    assert {bucket: rate.limit for bucket, rate in playground.limiter.rates.items()} == {"followup": 5}

    await ask(http, "PUT", "/rates", {"like": "discord"})
    assert playground.limiter.rates[Bucket.GLOBAL].limit == 50

    async with http.put("/_ctl/rates", json={"nothing": [1, 1]}) as response:
        assert response.status == 400


async def test_the_capture_is_read_and_forgotten(playground: Playground, http: aiohttp.ClientSession) -> None:
    async with http.get("/api/v10/users/@me"):
        pass

    (row,) = await ask(http, "GET", "/capture")
    await ask(http, "DELETE", "/capture")

    assert (row["method"], row["path"]) == ("GET", "/api/v10/users/@me")
    assert not playground.capture.rows


async def test_the_gateway_is_broken_on_demand(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    await ask(http, "POST", "/gateway/drop", {"code": 4000})

    assert playground.state.bot_connected is False
    await playground.until(lambda state: state.bot_connected)


async def test_until_gives_up_with_a_timeout_and_hands_on_errors(playground: Playground) -> None:
    with pytest.raises(TimeoutError):
        await playground.until(lambda _: False, timeout_s=0.01)
    with pytest.raises(ZeroDivisionError):
        await playground.until(lambda _: 1 // 0)


async def test_a_burst_needs_every_command_to_be_possible(playground: Playground) -> None:
    with pytest.raises(Exception, match="There is no command /nope"):
        playground.burst([CommandCall(member="Ben", name="nope")])
