"""The REST shell over real sockets: tokens, errors, limits, faults and the capture."""

import asyncio
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.capture import stand_in
from playground.drafts import MAX_FILE_BYTES
from playground.errors import Json
from playground.model import Interaction, Permission
from playground.rate_limits import DISCORD_LIKE, Bucket, Rate
from playground.rest import MAX_REQUEST_BYTES
from playground.server import Playground

API = "/api/v10"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: Any
    headers: Mapping[str, str]


async def call(http: aiohttp.ClientSession, method: str, path: str, **options: Any) -> Reply:
    async with http.request(method, path, **options) as response:
        text = await response.text()
        return Reply(response.status, json.loads(text) if text else None, response.headers)


@pytest.fixture
async def ping(playground: Playground, http: aiohttp.ClientSession) -> Interaction:
    """An interaction that waits for its first answer."""
    await call(http, "POST", commands(playground), json={"name": "ping", "description": "Ping"})
    return playground.command("ping")


def commands(playground: Playground) -> str:
    return f"{API}/applications/{playground.state.bot.id}/commands"


def lounge(playground: Playground) -> str:
    return f"{API}/channels/{playground.state.channel('lounge').id}"


def webhook(playground: Playground, interaction: Interaction) -> str:
    return f"{API}/webhooks/{playground.state.bot.id}/{interaction.token}"


def callback(interaction: Interaction) -> str:
    return f"{API}/interactions/{interaction.id}/{interaction.token}/callback"


def upload(content: bytes, payload: object) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps(payload))
    form.add_field("files[0]", io.BytesIO(content), filename="a.png", content_type="application/octet-stream")
    return form


# --------------------------------------------------------------------------------------------------- answers and errors


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, 0),
        ("PUT", "/users/@me", 405, 0),
        ("GET", "/channels/1", 404, 10003),
        ("GET", "/channels/abc", 400, 50035),
        ("GET", "/users/1", 404, 10013),
        ("GET", "/applications/1/commands", 404, 10002),
        ("POST", "/interactions/1/abc/callback", 404, 10062),
        ("POST", "/webhooks/1/abc", 404, 10015),
    ],
)
async def test_errors_come_in_discords_form(
    http: aiohttp.ClientSession, method: str, path: str, status: int, code: int
) -> None:
    reply = await call(http, method, API + path, json={})

    assert (reply.status, reply.body["code"]) == (status, code)
    assert reply.headers["Content-Type"] == "application/json"


async def test_a_body_that_is_no_json_is_refused(playground: Playground, http: aiohttp.ClientSession) -> None:
    reply = await call(http, "POST", f"{lounge(playground)}/messages", data=b"{")

    assert (reply.status, reply.body["code"]) == (400, 50109)


async def test_without_the_token_only_interactions_are_served(playground: Playground, ping: Interaction) -> None:
    async with aiohttp.ClientSession(playground.url) as stranger:
        refused = await call(stranger, "GET", f"{API}/users/@me")
        accepted = await call(stranger, "POST", callback(ping), json={"type": 5})

    assert (refused.status, refused.body) == (401, {"message": "401: Unauthorized", "code": 0})
    assert (accepted.status, accepted.body) == (204, None)


async def test_an_answer_comes_back_with_its_message_when_asked(http: aiohttp.ClientSession, ping: Interaction) -> None:
    answer = {"type": 4, "data": {"content": "pong"}}

    reply = await call(http, "POST", callback(ping) + "?with_response=1", json=answer)

    assert reply.status == 200
    assert reply.body["interaction"]["response_message_id"] == str(ping.original_id)
    assert reply.body["resource"]["message"]["content"] == "pong"


async def test_a_deferral_tells_the_id_of_its_message(http: aiohttp.ClientSession, ping: Interaction) -> None:
    deferral = {"type": 5, "data": {"flags": 64}}

    reply = await call(http, "POST", callback(ping) + "?with_response=true", json=deferral)

    about = reply.body["interaction"]
    assert about["response_message_id"] == str(ping.original_id)
    assert (about["response_message_loading"], about["response_message_ephemeral"]) == (True, True)
    assert "resource" not in reply.body


async def test_commands_keep_their_ids_when_they_are_registered_again(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    one, two, three = ({"name": name, "description": "x"} for name in ("one", "two", "three"))
    first = await call(http, "PUT", commands(playground), json=[one, two])

    second = await call(http, "PUT", commands(playground), json=[two, three])

    assert [c["name"] for c in second.body] == ["two", "three"]
    assert second.body[0] == first.body[1]
    gone = await call(http, "GET", f"{commands(playground)}/{first.body[0]['id']}")
    assert gone.body["code"] == 10063


async def test_a_command_is_edited_and_deleted(playground: Playground, http: aiohttp.ClientSession) -> None:
    made = await call(http, "POST", commands(playground), json={"name": "one", "description": "x"})
    path = f"{commands(playground)}/{made.body['id']}"

    edited = await call(http, "PATCH", path, json={"description": "y"})
    deleted = await call(http, "DELETE", path)

    assert made.status == 201
    assert (edited.body["name"], edited.body["description"]) == ("one", "y")
    assert (deleted.status, playground.state.commands) == (204, {})


async def test_commands_of_different_kinds_are_kept_apart(playground: Playground, http: aiohttp.ClientSession) -> None:
    path = commands(playground)
    kinds: list[Json] = [{"type": 3, "name": "wave"}, {"type": 2, "name": "wave"}]

    first = await call(http, "PUT", path, json=kinds)
    again = await call(http, "PUT", path, json=list(reversed(kinds)))
    third = await call(http, "POST", path, json={"type": 1, "name": "wave", "description": "x"})
    same = await call(http, "POST", path, json=kinds[0])

    assert [one["id"] for one in again.body] == [one["id"] for one in reversed(first.body)]
    assert [one["description"] for one in first.body] == ["", ""]
    assert (third.status, same.status, same.body["id"]) == (201, 200, first.body[0]["id"])


async def test_server_commands_stand_beside_global_ones(playground: Playground, http: aiohttp.ClientSession) -> None:
    guild = f"{API}/applications/{playground.state.bot.id}/guilds/{playground.state.guild.id}/commands"
    await call(http, "PUT", guild, json=[{"name": "here", "description": "x"}])

    everywhere = await call(http, "GET", commands(playground))

    assert everywhere.body == []
    ada = playground.state.member("Ada")
    assert not playground.state.visible_commands(ada, playground.state.channel("dm", member=ada))
    assert playground.state.visible_commands(ada, playground.state.channel("lounge"))


# --------------------------------------------------------------------------------------------------------------- server


async def test_the_server_is_told_with_its_channels_and_members(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    playground.deny("lounge", Permission.ATTACH_FILES)
    at = f"{API}/guilds/{playground.state.guild.id}"

    mine = await call(http, "GET", f"{API}/users/@me/guilds")
    guild = await call(http, "GET", at)
    channels = await call(http, "GET", f"{at}/channels")
    member = await call(http, "GET", f"{at}/members/{playground.state.bot.id}")

    assert [one["id"] for one in mine.body] == [guild.body["id"]] == [str(playground.state.guild.id)]
    assert int(mine.body[0]["permissions"]) & Permission.ATTACH_FILES
    assert guild.body["roles"][0]["id"] == guild.body["id"]
    denied = {one["name"]: [overwrite["deny"] for overwrite in one["permission_overwrites"]] for one in channels.body}
    assert denied.pop("lounge") == [str(int(Permission.ATTACH_FILES))]
    assert denied == {"welcome": [], "pictures": [], "after-dark": []}
    assert member.body["user"]["id"] == str(playground.state.bot.id)


async def test_another_server_and_a_stranger_are_not_told_of(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    strange = [await call(http, "GET", f"{API}/guilds/7{path}") for path in ("", "/channels", "/members/7")]
    nobody = await call(http, "GET", f"{API}/guilds/{playground.state.guild.id}/members/7")

    assert [(reply.status, reply.body["code"]) for reply in strange] == [(403, 50001)] * 3
    assert nobody.status == 404


# ---------------------------------------------------------------------------------------------------------------- files


async def test_every_read_signs_the_addresses_anew(playground: Playground, http: aiohttp.ClientSession) -> None:
    made = await call(http, "POST", f"{lounge(playground)}/messages", data=upload(b"x", {"content": "hi"}))
    playground.advance(60)

    read = await call(http, "GET", f"{lounge(playground)}/messages/{made.body['id']}")

    first, second = made.body["attachments"][0]["url"], read.body["attachments"][0]["url"]
    assert first != second
    assert first.partition("?")[0] == second.partition("?")[0]


@pytest.mark.parametrize("change", ["expired", "deleted", "forged"])
async def test_an_address_that_is_over_says_so(
    playground: Playground, http: aiohttp.ClientSession, change: str
) -> None:
    made = await call(http, "POST", f"{lounge(playground)}/messages", data=upload(b"x", {"content": "hi"}))
    address = made.body["attachments"][0]["url"]
    if change == "expired":
        playground.advance(24 * 3600 + 1)
    elif change == "deleted":
        await call(http, "DELETE", f"{lounge(playground)}/messages/{made.body['id']}")
    else:
        address = address.replace("hm=", "hm=0")

    async with http.get(address) as response:
        assert (response.status, await response.text()) == (404, "This content is no longer available.")


async def test_a_file_that_is_too_large_is_refused(playground: Playground, http: aiohttp.ClientSession) -> None:
    path = f"{lounge(playground)}/messages"

    file = await call(http, "POST", path, data=upload(bytes(MAX_FILE_BYTES + 1), {"content": "hi"}))
    request = await call(http, "POST", path, data=upload(bytes(MAX_REQUEST_BYTES), {"content": "hi"}))

    assert [(r.status, r.body["code"]) for r in (file, request)] == [(413, 40005)] * 2


async def test_what_a_browser_could_run_is_only_downloaded(playground: Playground, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("files[0]", b"<script>", filename="page.html", content_type="text/html")
    made = await call(http, "POST", f"{lounge(playground)}/messages", data=form)

    async with http.get(made.body["attachments"][0]["url"]) as response:
        assert response.headers["Content-Disposition"] == "attachment"
        assert response.content_type == "application/octet-stream"


# ---------------------------------------------------------------------------------------------------------- rate limits


async def test_a_full_bucket_answers_429_as_discord_does(playground: Playground, http: aiohttp.ClientSession) -> None:
    playground.set_rates({Bucket.MESSAGE_CREATE: Rate(1, 5.0)})
    path = f"{lounge(playground)}/messages"

    first, second = [await call(http, "POST", path, json={"content": "hi"}) for _ in range(2)]
    playground.advance(5)
    third = await call(http, "POST", path, json={"content": "hi"})

    assert [first.status, second.status, third.status] == [200, 429, 200]
    assert 0 < second.body["retry_after"] <= 5
    assert second.headers["Via"]
    assert second.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]


async def test_discords_rates_let_five_edits_pass_in_two_seconds(
    playground: Playground, http: aiohttp.ClientSession, ping: Interaction
) -> None:
    await call(http, "POST", callback(ping), json={"type": 5})
    playground.set_rates(DISCORD_LIKE)
    path = f"{webhook(playground, ping)}/messages/@original"

    replies = [await call(http, "PATCH", path, json={"content": str(n)}) for n in range(6)]

    assert [reply.status for reply in replies] == [200] * 5 + [429]
    original = playground.state.original(ping)
    assert original
    assert original.text == "4"


# --------------------------------------------------------------------------------------------------------------- faults


async def test_a_fault_answers_as_often_as_arranged(playground: Playground, http: aiohttp.ClientSession) -> None:
    fault = playground.faults.respond("GET", "/users/@me$", status=503, body={"message": "no"}, times=2)

    replies = [await call(http, "GET", f"{API}/users/@me") for _ in range(3)]

    assert [reply.status for reply in replies] == [503, 503, 200]
    assert fault.hits == 2


async def test_a_hanging_request_goes_on_when_released(playground: Playground, http: aiohttp.ClientSession) -> None:
    fault = playground.faults.hang("POST", "/messages$")
    sending = asyncio.create_task(call(http, "POST", f"{lounge(playground)}/messages", json={"content": "hi"}))
    await playground.until(lambda _: fault.hits)
    assert not playground.state.bot_messages()

    fault.release()

    assert (await sending).status == 200


@pytest.mark.parametrize("processed", [False, True])
async def test_a_connection_breaks_before_or_after_the_request_is_processed(
    playground: Playground, http: aiohttp.ClientSession, processed: bool
) -> None:
    arrange = playground.faults.drop_after if processed else playground.faults.drop_before
    arrange("POST", "/messages$")

    with pytest.raises(aiohttp.ClientError):
        await call(http, "POST", f"{lounge(playground)}/messages", json={"content": "hi"})

    assert len(playground.state.bot_messages()) == processed


async def test_files_can_fail_as_well(playground: Playground, http: aiohttp.ClientSession) -> None:
    made = await call(http, "POST", f"{lounge(playground)}/messages", data=upload(b"x", {"content": "hi"}))
    playground.faults.respond("GET", "^/attachments/", status=502, body="bad gateway")

    async with http.get(made.body["attachments"][0]["url"]) as response:
        assert (response.status, await response.text()) == (502, "bad gateway")


async def test_clearing_ends_all_faults(playground: Playground, http: aiohttp.ClientSession) -> None:
    playground.faults.respond("*", ".*", status=500, times=None)
    playground.faults.clear()

    assert (await call(http, "GET", f"{API}/users/@me")).status == 200


# -------------------------------------------------------------------------------------------------------------- capture


async def test_every_request_is_taken_down_with_its_answer(playground: Playground, http: aiohttp.ClientSession) -> None:
    path = f"{lounge(playground)}/messages"

    await call(http, "POST", path, data=upload(b"abc", {"content": "hi"}))

    row = playground.capture.rows[-1]
    assert (row["method"], row["path"], row["status"]) == ("POST", path, 200)
    assert row["json"] == {"content": "hi"}
    assert row["files"] == [["files[0]", "a.png", 3]]
    assert row["response"]["content"] == "hi"


async def test_the_file_holds_no_token_and_no_usable_address(tmp_path: Path) -> None:
    file = tmp_path / "captures" / "requests.jsonl"
    async with Playground.run(capture_file=file) as playground:
        headers = {"Authorization": f"Bot {playground.token}"}
        async with aiohttp.ClientSession(playground.url, headers=headers) as http:
            await call(http, "POST", commands(playground), json={"name": "ping", "description": "Ping"})
            ping = playground.command("ping")
            form = upload(b"abc", {"type": 4, "data": {"content": "hi"}})
            await call(http, "POST", callback(ping) + "?with_response=1", data=form)

    text = file.read_text()
    assert stand_in(ping.token) in text
    assert ping.token not in text
    assert playground.token not in text
    assert "hm=redacted" in text
    assert len(text.splitlines()) == 2
