"""The gateway over a real websocket, where the client library would hide what happens."""

import asyncio
from typing import Any

import aiohttp
import pytest

from playground.messages import deny_bot
from playground.model import Permission
from playground.server import Playground
from playground.sessions import CloseCode, Op


async def identified(playground: Playground, http: aiohttp.ClientSession, **fields: Any) -> Any:
    socket = await http.ws_connect("/gateway?v=10&encoding=json")
    assert (await socket.receive_json())["op"] == Op.HELLO
    await socket.send_json({"op": Op.IDENTIFY, "d": {"token": playground.token, "intents": 1, **fields}})
    return socket


async def test_hello_ready_and_the_server_come_in_order(playground: Playground, http: aiohttp.ClientSession) -> None:
    socket = await identified(playground, http)

    ready, guild = await socket.receive_json(), await socket.receive_json()

    assert (ready["t"], ready["s"]) == ("READY", 1)
    assert ready["d"]["resume_gateway_url"] == playground.gateway_url
    assert (guild["t"], guild["d"]["name"]) == ("GUILD_CREATE", "Playground")
    assert {channel["name"] for channel in guild["d"]["channels"]} == {"welcome", "pictures", "lounge", "after-dark"}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 1}}, CloseCode.AUTHENTICATION_FAILED),
        ({"op": 3, "d": {}}, CloseCode.NOT_AUTHENTICATED),
        ({"op": 99}, CloseCode.DECODE_ERROR),
        ([], CloseCode.DECODE_ERROR),
    ],
)
async def test_a_client_that_breaks_the_protocol_is_shown_out(
    http: aiohttp.ClientSession, payload: object, code: CloseCode
) -> None:
    socket = await http.ws_connect("/gateway")
    await socket.receive_json()

    await socket.send_json(payload)
    await socket.receive()

    assert socket.close_code == code


async def test_a_heartbeat_is_acknowledged(playground: Playground, http: aiohttp.ClientSession) -> None:
    socket = await http.ws_connect("/gateway")
    await socket.receive_json()

    await socket.send_json({"op": Op.HEARTBEAT, "d": None})

    assert (await socket.receive_json())["op"] == Op.HEARTBEAT_ACK


async def test_an_unknown_session_cannot_be_resumed(playground: Playground, http: aiohttp.ClientSession) -> None:
    socket = await http.ws_connect("/gateway")
    await socket.receive_json()

    await socket.send_json({"op": Op.RESUME, "d": {"token": playground.token, "session_id": "x", "seq": 1}})

    assert await socket.receive_json() == {"op": Op.INVALID_SESSION, "d": False, "s": None, "t": None}


async def test_a_bot_hears_that_its_permissions_change_and_a_channel_goes(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    socket = await identified(playground, http)
    await socket.receive_json()
    await socket.receive_json()

    deny_bot(playground.state, playground.state.channel("lounge"), Permission.VIEW_CHANNEL)
    playground.delete_channel("lounge")

    update, deletion = await socket.receive_json(), await socket.receive_json()
    assert update["d"]["permission_overwrites"][0]["deny"] == str(int(Permission.VIEW_CHANNEL))
    assert deletion["t"] == "CHANNEL_DELETE"


async def test_a_client_that_says_goodbye_leaves_no_session(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    socket = await identified(playground, http)
    await playground.until(lambda state: state.bot_connected)

    await socket.close()
    await playground.until(lambda state: not state.bot_connected)

    assert not playground.gateway.sessions


async def test_a_browser_page_of_another_origin_cannot_connect(http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/gateway", origin="https://evil.example")

    assert refused.value.status == 403


async def test_what_happens_where_the_bot_is_not_goes_to_the_first_shard(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    count = next(count for count in range(2, 9) if (playground.state.guild.id >> 22) % count)
    first = await identified(playground, http, shard=[0, count])
    assert (await first.receive_json())["t"] == "READY"
    definition = {"name": "along", "description": "Come along", "contexts": [0], "integration_types": [0, 1]}
    await http.post(f"/api/v10/applications/{playground.state.bot.id}/commands", json=definition)

    playground.command("along", channel="pictures")
    brought = playground.command("along", channel="books")

    async with asyncio.timeout(5):
        heard = await first.receive_json()
    assert (heard["t"], heard["d"]["id"]) == ("INTERACTION_CREATE", str(brought.id))
