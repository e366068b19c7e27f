"""What the page asks for, over real sockets."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import aiohttp
import pytest

from playground.errors import Json
from playground.journal import KEPT_EVENTS
from playground.model import Event, EventKind
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot, picture


async def get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as response:
        return await response.json()


def message_path(playground: Playground, channel: str = "lounge") -> str:
    return f"/client/channels/{playground.state.channel(channel).id}/messages"


async def events(http: aiohttp.ClientSession, member: str, after: str = "") -> AsyncGenerator[tuple[str, str, Any]]:
    """Id, name and data of server-sent events."""
    async with http.get("/client/events", params={"member": member}, headers={"Last-Event-ID": after}) as stream:
        fields: dict[str, str] = {}
        async for line in stream.content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields:
                yield fields["id"], fields["event"], json.loads(fields["data"])
                fields = {}


async def test_a_member_finds_the_rooms_and_their_own_direct_message(http: aiohttp.ClientSession) -> None:
    world = await get(http, "/client/world?member=Cleo")

    assert world["you"]["name"] == "Cleo"
    assert [channel["name"] for channel in world["channels"]] == [
        "welcome",
        "pictures",
        "lounge",
        "after-dark",
        "dm",
        "books",
        "ben-cleo",
    ]
    assert world["bot"]["connected"] is False
    assert [member["roles"] for member in world["members"]] == [["Admin"], [], ["Supporters"], ["Moderators"]]


async def test_a_message_is_said_and_read(playground: Playground, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"member": "Ben", "content": "hello"})
    form.add_field("files[0]", picture(), filename="a.png")

    async with http.post(message_path(playground), data=form) as response:
        assert response.status == 200

    (message,) = await get(http, f"{message_path(playground)}?member=Ada")
    assert (message["content"], message["author"]["username"]) == ("hello", "ben")
    assert message["attachments"][0]["width"] == 64


async def test_a_private_message_is_given_to_its_member_alone(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    await playground.answered(playground.command("secret", member="Cleo"))

    mine = await get(http, f"{message_path(playground, 'pictures')}?member=Cleo")
    others = await get(http, f"{message_path(playground, 'pictures')}?member=Ada")

    assert (mine[0]["playground"]["only_you"], others) == (True, [])


async def test_the_direct_message_of_another_member_stays_closed(
    playground: Playground, http: aiohttp.ClientSession
) -> None:
    channel = playground.state.direct_channel(playground.state.member("Cleo").id)

    async with http.get(f"/client/channels/{channel.id}/messages?member=Ada") as response:
        assert response.status == 400


async def test_a_command_is_run_with_a_file(playground: Playground, http: aiohttp.ClientSession, bot: TinyBot) -> None:
    channel = str(playground.state.channel("pictures").id)
    call = {"member": "Ben", "channel": channel, "name": "picture_of", "options": {"prompt": "at sea"}}
    form = aiohttp.FormData({"payload_json": json.dumps(call)})
    form.add_field("face", picture(), filename="me.png")

    async with http.post("/client/commands", data=form) as response:
        started = await response.json()

    interaction = playground.state.interactions[int(started["id"])]
    message = await playground.answered(interaction, lambda m: m.body.gallery)
    assert message.text.startswith("### at sea")


@pytest.mark.parametrize(
    ("path", "payload", "said"),
    [
        ("/client/commands", {"member": "Ben", "channel": "lounge", "name": "nope"}, "There is no command /nope here"),
        ("/client/commands", {"member": "Zoe"}, "There is no member Zoe"),
        ("/client/commands", [], "not a JSON object"),
        ("/client/messages/1/press", {"member": "Ben", "custom_id": "x"}, "not there any more"),
        ("/client/messages/1/choose", {"member": "Ben", "custom_id": "x", "values": []}, "not there any more"),
        ("/client/messages/1/commands", {"member": "Ben", "name": "x"}, "not there any more"),
        ("/client/users/1/commands", {"member": "Ben", "channel": "lounge", "name": "x"}, "There is no member 1"),
        ("/client/interactions/1/submit", {"member": "Ben"}, "That form is not there any more"),
    ],
)
async def test_what_cannot_be_done_is_explained(
    http: aiohttp.ClientSession, path: str, payload: object, said: str
) -> None:
    async with http.post(path, json=payload) as response:
        body = await response.json()

    assert response.status == 400
    assert said in body["message"]


async def test_the_stream_tells_what_happens_in_order(playground: Playground, http: aiohttp.ClientSession) -> None:
    world = await get(http, "/client/world?member=Ada")
    stream = events(http, "Ada", world["last_event"])

    message = playground.say("one")
    playground.delete_message(message)

    # Told at the moment of sending: by then the message is gone, and there is nothing to show of it.
    told = [await anext(stream), await anext(stream)]
    assert [name for _, name, _ in told] == ["silent", "message-deleted"]
    assert told[1][2]["id"] == str(message.id)
    await stream.aclose()


async def test_a_stream_that_broke_goes_on_where_it_was(playground: Playground, http: aiohttp.ClientSession) -> None:
    world = await get(http, "/client/world?member=Ada")
    first, second = playground.say("one"), playground.say("two")

    stream = events(http, "Ada", world["last_event"])
    seen, *_ = await anext(stream)
    await stream.aclose()
    again = events(http, "Ada", seen)
    _, name, message = await anext(again)
    await again.aclose()

    assert (name, message["id"]) == ("message", str(second.id))
    assert first.id != second.id


@pytest.mark.parametrize("after", ["", "other-run-5", "nonsense"])
async def test_a_stream_that_cannot_go_on_asks_the_page_to_load_anew(http: aiohttp.ClientSession, after: str) -> None:
    stream = events(http, "Ada", after)

    _, name, _ = await anext(stream)
    await stream.aclose()

    assert name == "reset"


async def test_a_stream_that_missed_too_much_loads_anew(playground: Playground, http: aiohttp.ClientSession) -> None:
    world = await get(http, "/client/world?member=Ada")
    for _ in range(KEPT_EVENTS + 1):
        playground.journal.add(Event(kind=EventKind.TYPING))

    stream = events(http, "Ada", world["last_event"])
    _, name, _ = await anext(stream)
    await stream.aclose()

    assert name == "reset"


async def test_a_failed_command_is_told_to_its_member(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    world = await get(http, "/client/world?member=Ben")
    playground.command("silence")
    playground.advance(3)

    stream = events(http, "Ben", world["last_event"])
    told = [(await anext(stream))[1:] for _ in range(2)]
    await stream.aclose()

    assert [name for name, _ in told] == ["interaction-created", "interaction"]
    assert told[1][1]["state"] == "failed"


async def choices(http: aiohttp.ClientSession, **fields: object) -> Any:
    call = {"member": "Ben", "channel": "pictures", "name": "studio", "option": "model", "typed": "", **fields}
    async with http.post("/client/choices", json=call) as response:
        return response.status, await response.json()


async def test_suggestions_are_asked_for(playground: Playground, http: aiohttp.ClientSession, bot: TinyBot) -> None:
    found = await choices(http, typed="sd", options={"prompt": "at sea"})

    assert found == (200, {"choices": [{"name": "SDXL base", "value": "sdxl"}]})
    assert bot.seen[0]["namespace"] == {"prompt": "at sea", "model": "sd"}


async def test_a_bot_that_suggests_nothing_in_time_is_no_error(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    bot.go_on.clear()
    asked = asyncio.create_task(choices(http, typed="slow"))
    await playground.until(lambda state: state.pending)

    playground.advance(3)

    assert await asked == (200, {"choices": None})


async def test_suggestions_for_an_option_without_them_are_refused(http: aiohttp.ClientSession, bot: TinyBot) -> None:
    assert await choices(http, option="prompt") == (400, {"message": "/studio suggests nothing for prompt."})


async def test_typing_is_told_to_nobody(playground: Playground, http: aiohttp.ClientSession, bot: TinyBot) -> None:
    world = await get(http, "/client/world?member=Ben")
    await playground.choices("studio", "model")

    stream = events(http, "Ben", world["last_event"])
    told = [(await anext(stream))[1] for _ in range(2)]
    await stream.aclose()

    assert told == ["silent", "silent"]


async def act(http: aiohttp.ClientSession, path: str, fields: Json, *files: tuple[str, str, bytes]) -> Any:
    """Post as the page does: JSON, or a form where there are files."""
    form = aiohttp.FormData({"payload_json": json.dumps(fields)})
    for field, filename, content in files:
        form.add_field(field, content, filename=filename)
    body: Json = {"data": form} if files else {"json": fields}
    async with http.post(f"/client{path}", **body) as response:
        found = await response.json()
        assert response.status == 200, found
        return found


async def test_values_are_chosen_in_a_menu(playground: Playground, http: aiohttp.ClientSession, bot: TinyBot) -> None:
    message = await playground.answered(playground.command("panel"))

    fields: Json = {"member": "Cleo", "custom_id": "styles", "values": ["photo", "comic"]}
    chosen = await act(http, f"/messages/{message.id}/choose", fields)

    answer = await playground.answered(playground.state.interactions[int(chosen["id"])])
    assert answer.text == "Styles: photo, comic"


async def test_a_form_is_told_of_and_submitted(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    world, other = await get(http, "/client/world?member=Ben"), await get(http, "/client/world?member=Ada")
    opened = playground.command("report")
    await playground.opened(opened)
    stream, others = events(http, "Ben", world["last_event"]), events(http, "Ada", other["last_event"])
    told = [(await anext(stream))[2] for _ in range(2)]
    hidden = [(await anext(others))[1] for _ in range(2)]
    await stream.aclose()
    await others.aclose()

    first, second = (label["component"] for label in told[1]["modal"]["components"][1:3])
    values = {first["custom_id"]: "That is my face.", second["custom_id"]: ["me"]}
    upload = told[1]["modal"]["components"][4]["component"]["custom_id"]
    files = [(upload, "a.png", picture("red")), (upload, "b.png", picture("blue"))]
    sent = await act(http, f"/interactions/{told[1]['id']}/submit", {"member": "Ben", "values": values}, *files)

    assert hidden == ["silent", "silent"]
    assert (sent["trigger_id"], sent["command"]) == (str(opened.id), None)
    await playground.answered(playground.state.interactions[int(sent["id"])])
    assert bot.seen[0]["photos"] == {"a.png": picture("red"), "b.png": picture("blue")}


async def test_commands_are_picked_from_menus(
    playground: Playground, http: aiohttp.ClientSession, bot: TinyBot
) -> None:
    message = playground.say("look", member="Ada", channel="pictures")
    commands = {command.name: str(command.id) for command in playground.state.commands.values()}
    ada = playground.state.member("Ada").id

    about_message = {"member": "Ben", "command_id": commands["Who made this?"]}
    about_person = {"member": "Ben", "channel": "pictures", "name": "Wave"}
    picked = [
        await act(http, f"/messages/{message.id}/commands", about_message),
        await act(http, f"/users/{ada}/commands", about_person),
    ]

    answers = [await playground.answered(playground.state.interactions[int(one["id"])]) for one in picked]
    assert [answer.text for answer in answers] == ["Ada made “look” with 0 files.", "Ben waves at Ada."]
    shown = await get(http, f"{message_path(playground, 'pictures')}?member=Ben")
    assert [one["playground"]["used"] for one in shown] == [None, "Who made this?", "Wave"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "["])
async def test_other_names_for_this_machine_are_not_answered(http: aiohttp.ClientSession, host: str) -> None:
    async with http.get("/client/world", headers={"Host": host}) as response:
        assert response.status in (400, 403)


async def test_another_sites_page_can_do_nothing(playground: Playground, http: aiohttp.ClientSession) -> None:
    foreign = {"Origin": "https://evil.example"}
    said = {"member": "Ben", "content": "hello"}

    async with http.post(message_path(playground), json=said, headers=foreign) as refused:
        assert refused.status == 403
    async with http.post("/_ctl/gateway/drop", headers=foreign) as refused:
        assert refused.status == 403
    assert not list(playground.state.channel_messages(playground.state.channel("lounge").id))


async def test_the_playgrounds_own_page_may_act(playground: Playground, http: aiohttp.ClientSession) -> None:
    said, own = {"member": "Ben", "content": "hello"}, {"Origin": playground.url}

    async with http.post(message_path(playground), json=said, headers=own) as response:
        assert response.status == 200


async def test_the_sample_face_is_a_picture(http: aiohttp.ClientSession) -> None:
    async with http.get("/client/sample-face") as response:
        assert response.content_type == "image/png"
        assert (await response.read()).startswith(b"\x89PNG")
