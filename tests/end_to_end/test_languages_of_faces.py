"""Whose face it is, whether they agree, who sees it, what is refused: played in another language, as all the rest."""

import asyncio

import pytest
from PIL import ImageOps

from playground.model import EVERYONE_MAY, Interaction, Permission
from playground.state import State
from services.parameters import PROMPT_CHARACTERS_MAX
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.end_to_end.test_choosing import GROUP
from tests.end_to_end.test_languages import Play, choose, ids, until_refused
from tests.photographs import admiral, encoded
from tests.servers import recording_server

ADMIRAL = ("admiral.jpg", encoded(admiral()))
MIRRORED = ("mirrored.jpg", encoded(ImageOps.mirror(admiral())))
MARKUP = "*" * PROMPT_CHARACTERS_MAX
REFUSED = ("a naked man", "as a little child", "a swastika", "stabbed in the chest", "a police mugshot")


@pytest.fixture
def play(scene: Stage, locale: str, monkeypatch: pytest.MonkeyPatch) -> Play:
    monkeypatch.setattr("tests.end_to_end.stage.bot.utc_now", lambda: scene.now())
    for member in ("Ada", "Ben", "Cleo"):
        scene.playground.set_locale(member, locale)
    scene.playground.state.guild.locale = locale
    scene.env |= {"QUOTA_IMAGES": "60", "USER_INSTALLS": "on", "JOB_TIMEOUT_MINUTES": "60"}
    return Play(scene)


def of_cleo(play: Play, prompt: str = "a lighthouse", *, member: str = "Ben", photo: Photo = ADMIRAL) -> Interaction:
    return play.scene.imagine(prompt, member=member, photo=photo, whose="member", person="Cleo")


async def declare(play: Play) -> None:
    """Whose face it is, said with the command, by buttons and in the form."""
    scene, playground = play.scene, play.scene.playground
    await play.told(scene.imagine(whose="member"))
    await play.told(scene.imagine(whose="me", person="Cleo"))
    await play.told(scene.imagine(whose="me", photo=None))
    asked = scene.imagine()
    message = await play.message_with("fl-whose:me")
    await play.told(await play.press(message, "fl-whose:me", member="Cleo"))
    await play.press(message, "fl-whose:me")
    await scene.delivered(asked)
    both = scene.advanced(photos={"face": ADMIRAL, "face2": PHOTO})
    form = await play.press(await play.message_with("fl-whose:member"), "fl-whose:member")
    playground.submit(form, {"person": [str(playground.state.member("Cleo").id)]})
    question = await play.message_with("fl-consent:always")
    await play.told(await play.press(question, "fl-consent:no"))
    await play.told(await play.press(question, "fl-consent:see", member="Cleo"))
    no = next(each["custom_id"] for each in question.body.buttons if each["custom_id"].startswith("fl-consent:no"))
    _, second = (playground.press(question, no, member="Cleo") for _ in range(2))
    await until_over(play, both)
    await until_refused(play, second)
    await until_over(play, of_cleo(play))


async def agree(play: Play) -> None:
    """What the person shown allows, how it is listed and taken back."""
    scene = play.scene
    await play.run("consent list", by="Cleo")
    await play.run("face save", by="Ada", name="Storm", photos={"photo": ADMIRAL})
    await play.run("face save", by="Ada", name="Storm", photos={"photo": ADMIRAL}, whose="member", person="Cleo")
    for prompt, answer in (("a lighthouse", "once"), ("a quiet harbour", "always")):
        asked = of_cleo(play, prompt, member="Ada")
        await play.press(await play.message_with(f"fl-consent:{answer}"), f"fl-consent:{answer}", member="Cleo")
        await scene.delivered(asked)
    await play.run("face save", by="Ada", name="Storm", photos={"photo": ADMIRAL}, whose="member", person="Cleo")
    for member in ("Ada", "Cleo"):
        await play.run("consent list", by=member)
    taken_back = await play.run("consent revoke", by="Cleo", person="Ada")
    await play.told(await play.press(taken_back, "fl-consent:wipe", member="Cleo"))
    questions = [of_cleo(play, prompt, member="Ada") for prompt in ("a quiet harbour", "a lighthouse", "Storm", "Calm")]
    await until_over(play, *questions)
    await play.press(await play.message_with("fl-consent:never"), "fl-consent:never", member="Cleo")
    for whose in ("me", "agreed"):
        await until_over(play, scene.imagine("Calm", member="Ada", photo=ADMIRAL, whose=whose))
    await play.told(await play.press(await play.run("consent list", by="Cleo"), "fl-consent:revoke", member="Cleo"))
    await play.run("consent never", by="Cleo")


async def leave_open(play: Play) -> None:
    """What nobody answers, and who cannot be asked."""
    scene = play.scene
    late = scene.imagine("Storm", member="Cleo", photo=MIRRORED)
    await play.message_with("fl-whose:me")
    scene.advance(hours=73)
    await until_over(play, late)
    scene.playground.allow_direct_messages("Ada", allowed=False)
    await until_over(play, scene.imagine(channel="dm", photo=MIRRORED, whose="member", person="Ada"))


async def until_over(play: Play, *asked: Interaction) -> None:
    """Wait until one of them was refused, or nothing can be pressed in its answer any more."""
    await play.scene.playground.until(lambda state: any(is_over(state, each) for each in asked))


def is_over(state: State, interaction: Interaction) -> bool:
    if interaction.followup_ids:
        return True
    message = state.original(interaction)
    return message is not None and not message.is_thinking and not message.body.buttons


async def refuse(play: Play) -> None:
    """What the rules and the operator's check do not let through, until moderators hear of it."""
    scene, playground = play.scene, play.scene.playground
    panel = await play.run("server settings", by="Ada")
    await choose(play, panel, "report_channel", "lounge")
    for prompt in REFUSED:
        await play.told(scene.imagine(prompt))
    await play.told(scene.imagine(REFUSED[0], photo=None))
    lounge = playground.state.channel("lounge").id
    await playground.until(
        lambda state: [each for each in state.channel_messages(lounge) if each.author_id == state.bot.id]
    )
    await scene.delivered(scene.imagine(count=2))
    await until_over(play, scene.imagine())


async def hide(play: Play) -> None:
    """Private results, posted and not."""
    scene, playground = play.scene, play.scene.playground
    await play.run("private")
    await play.run("private", default="on")
    shown = await scene.delivered(scene.imagine())
    playground.set_permissions("@everyone", EVERYONE_MAY & ~Permission.SEND_MESSAGES)
    await play.told(await play.press(shown, "fl:post"))
    playground.set_permissions("@everyone", EVERYONE_MAY)
    posted = await play.press(shown, "fl:post")
    await playground.until(lambda _: posted.followup_ids)
    await scene.delivered(scene.imagine())
    await play.run("history")
    await play.run("private", default="off")
    panel = await play.run("server settings", by="Ada")
    await choose(play, panel, "is_private_first", "on")
    await play.run("private")
    await choose(play, panel, "is_private_first", "off")


async def pick(play: Play) -> None:
    """A face among several, chosen and not."""
    scene = play.scene
    late = scene.advanced(photos={"face": GROUP, "face2": PHOTO})
    faces = await play.message_with("fl:face")
    scene.advance(minutes=14.5)
    await until_over(play, late)
    await play.told(await play.press(faces, "fl:face"))
    asked = scene.imagine(photo=GROUP, private=True)
    await scene.playground.until(lambda state: (shown := state.original(asked)) and "fl:face" in ids(shown))
    await play.press(await play.message_with("fl:face"), "fl:face")
    await scene.playground.until(lambda state: (message := state.original(asked)) and message.body.thumbnails)


async def bring(play: Play) -> None:
    """Where a member brings the bot along; and what comes late, by direct message."""
    scene, playground = play.scene, play.scene.playground
    elsewhere = await scene.delivered(scene.imagine(channel="books"))
    await play.told(await play.press(elsewhere, "fl:details"))
    await play.run("quota")
    scene.renderer.open.clear()
    asked = scene.imagine(private=True)
    await scene.renderer.begun(len(scene.renderer.jobs) + 1)
    scene.advance(minutes=16)
    scene.renderer.open.set()
    direct = playground.state.direct_channel(asked.member_id).id
    await playground.until(lambda state: [each for each in state.channel_messages(direct) if each.body.gallery])
    await play.run("face save", name="Calm", photos={"photo": PHOTO})


async def test_the_questions_about_faces_are_in_the_language_of_who_reads_them(play: Play, locale: str) -> None:
    play.scene.env["FACE_CONSENT"] = "ask"
    async with asyncio.timeout(120), play.scene.bot():
        for part in (declare, agree, leave_open):
            await part(play)

    play.judge(locale, least=50)


async def test_refusals_and_private_results_are_in_the_language_of_their_member(play: Play, locale: str) -> None:
    scene = play.scene
    async with asyncio.timeout(120), recording_server() as checker:
        for passes in (False, True, False):
            checker.answer({"ok": passes, "reason": "x"})
        async with scene.bot():
            for part in (hide, pick, bring):
                await part(play)
        scene.env |= {"IMAGE_CHECK_URL": checker.url, "ADULT_CONTENT": "on"}
        async with scene.bot():
            await refuse(play)
        scene.env |= {"USER_INSTALLS": "off", "IMAGE_CHECK_URL": ""}
        scene.advance(days=84)
        async with scene.bot():
            brought = await play.message_with("fl:details")
            await play.told(await play.press(brought, "fl:again"))

    play.judge(locale, least=50)


async def test_discord_takes_the_longest_of_everything(play: Play, locale: str) -> None:
    scene, playground = play.scene, play.scene.playground
    scene.env["FACE_CONSENT"] = "ask"
    photos = {"face": PHOTO, "face2": ADMIRAL, "face3": MIRRORED}
    async with asyncio.timeout(120), scene.bot():
        panel = await play.run("server settings", by="Ada")
        await choose(play, panel, "report_channel", "lounge")
        asked = scene.advanced(MARKUP, photos=photos, model="sdxl", count=4, negative_prompt=MARKUP)
        for _ in photos:
            message = await play.message_with("fl-whose:agreed")
            before = len(message.versions)
            await play.press(message, "fl-whose:agreed")
            await playground.until(lambda _, message=message, before=before: len(message.versions) > before)
        shown = await scene.delivered(asked)
        await play.told(await play.press(shown, "fl:details"))
        await play.press(shown, "fl:edit")
        form = await play.press(shown, "fl:save")
        await play.told(playground.submit(form, {"name": "*" * 32}))
        form = await play.press(shown, "fl:report")
        await play.told(playground.submit(form, {"reason": MARKUP[:300]}))
        await play.message_with("fl:report:deleted")
        await scene.delivered(scene.imagine(MARKUP, draft=True))
        of_cleo(play, MARKUP, photo=GROUP)
        await play.press(await play.message_with("fl:face"), "fl:face")
        await play.message_with("fl-consent:once")
        await play.run("history", search=MARKUP[:50])
        for command in ("Who made this?", "Use this prompt"):
            await play.told(playground.message_command(command, shown, member="Ben"))
        for command in ("face list", "consent list", "privacy policy"):
            await play.run(command)

    play.judge(locale, least=40)
    assert len(shown.body.gallery) == 4
    assert len(shown.body.thumbnails) == 3
