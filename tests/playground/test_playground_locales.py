"""Languages: what a member has set up, and what commands are called in it."""

import aiohttp
import pytest

from playground.commands import localized, read_commands
from playground.errors import ApiError, Json, MemberError
from playground.server import Playground
from tests.playground.tiny_bot import TinyBot


async def test_the_language_of_a_member_reaches_the_bot(playground: Playground, bot: TinyBot) -> None:
    playground.set_locale("Ben", "de")

    ben = await playground.answered(playground.command("greet", options={"warmth": "warm"}))
    cleo = await playground.answered(playground.command("greet", options={"warmth": "warm"}, member="Cleo"))

    assert [ben.text, cleo.text] == ["de en-US warm", "en-US en-US warm"]
    with pytest.raises(MemberError, match=r"There is no locale xx\. The locales are ar, bg,"):
        playground.set_locale("Ben", "xx")


async def test_a_direct_message_has_no_language_of_its_own(playground: Playground, bot: TinyBot) -> None:
    playground.set_locale("Ben", "de")

    answer = await playground.answered(playground.command("greet", channel="dm", options={"warmth": "warm"}))

    assert answer.text == "de None warm"


async def test_the_page_reads_commands_in_the_language_of_the_member(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession
) -> None:
    await http.post("/client/members/Ben", json={"locale": "de"})
    found: dict[str, Json] = {}
    for member in ("Ben", "Cleo"):
        channel = playground.state.channel("lounge").id
        async with http.get(f"/client/channels/{channel}/commands?member={member}") as response:
            found[member] = next(command for command in await response.json() if command["name"] == "greet")

    assert [found["Ben"][key] for key in ("name_localized", "description_localized")] == ["grüße", "Jemanden grüßen"]
    (option,) = found["Ben"]["options"]
    assert [option["name"], option["name_localized"]] == ["warmth", "wärme"]
    assert option["choices"][0]["name_localized"] == "Herzlich"
    assert found["Cleo"]["name_localized"] == "greet"


async def test_a_locale_is_set_over_http(playground: Playground, http: aiohttp.ClientSession) -> None:
    async with http.post("/_ctl/members/Ben", json={"locale": "de", "has_app": False}) as response:
        assert response.status == 200
    async with http.post("/_ctl/members/Ben", json={"locale": "xx"}) as response:
        assert response.status == 400

    ben = playground.state.member("Ben")
    assert (ben.locale, ben.has_app) == ("de", False)


@pytest.mark.parametrize(("query", "has_texts"), [("", False), ("?with_localizations=true", True)])
async def test_other_languages_are_listed_for_those_who_ask(
    playground: Playground, bot: TinyBot, http: aiohttp.ClientSession, query: str, has_texts: bool
) -> None:
    path = f"/api/v10/applications/{playground.state.bot.id}/commands{query}"
    async with http.get(path) as response:
        command = next(one for one in await response.json() if one["name"] == "greet")

    option = command["options"][0]
    places = [command, option, option["choices"][0]]
    assert ["name_localizations" in place for place in places] == [has_texts] * 3


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ({"xx": "greet"}, "ENUM_TYPE_COERCE"),
        ({"de": "Grüße"}, "APPLICATION_COMMAND_INVALID_NAME"),
        ({"de": "x" * 33}, "BASE_TYPE_BAD_LENGTH"),
    ],
)
def test_a_wrong_translation_is_refused(texts: dict[str, str], code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_commands([{"name": "greet", "description": "Greet", "name_localizations": texts}])

    assert refused.value.errors is not None
    ((found,),) = [place["_errors"] for place in refused.value.errors["0"]["name_localizations"].values()]
    assert found["code"] == code


def test_what_has_no_translation_keeps_its_name() -> None:
    command = {"name": "greet", "description": "Greet", "description_localizations": {"de": "Grüßen"}}

    found = localized(command, "de")

    assert (found["name_localized"], found["description_localized"]) == ("greet", "Grüßen")
