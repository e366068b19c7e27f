"""The page as people use it: one person in several roles, with a mouse, with the keyboard alone, and on a phone."""

import asyncio
import base64
import re

from playwright.async_api import Browser, Locator, Page, Route, expect

from playground.server import Playground
from tests.browser.conftest import Visitor
from tests.playground.tiny_bot import TinyBot, picture

GIVE_FILE = """([kind, name, content, on]) => {
  const target = on ? document.querySelector(on) : document;
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  if (kind === "paste") target.dispatchEvent(new ClipboardEvent("paste", { ...options, clipboardData: data }));
  else target.dispatchEvent(new DragEvent(kind, { ...options, dataTransfer: data }));
}"""


async def give_file(page: Page, kind: str, name: str = "me.png", *, on: str | None = None) -> None:
    """Paste or drop a picture, the way the browser tells a page of it."""
    await page.evaluate(GIVE_FILE, [kind, name, base64.b64encode(picture()).decode(), on])


def form(page: Page) -> Locator:
    return page.locator("form.command-form")


def latest(page: Page) -> Locator:
    return page.locator("li.message").last


async def begin(page: Page, typed: str) -> None:
    """Type the beginning of a command and take the first that fits."""
    await page.keyboard.type(f"/{typed}")
    await expect(page.get_by_role("listbox", name="Commands").get_by_role("option").first).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(form(page)).to_be_visible()


async def make_picture(page: Page, prompt: str = "at sea") -> None:
    """Fill in the tiny bot's main command with the sample face and send it."""
    await begin(page, "picture")
    await page.get_by_role("button", name="Use the sample face").click()
    await expect(page.get_by_role("button", name=re.compile("face: sample-face.png"))).to_be_visible()
    await page.get_by_label("prompt, required").fill(prompt)
    await page.get_by_label("prompt, required").press("Enter")


async def test_a_newcomer_gets_pictures_with_the_sample_face(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open()
    bot.go_on.clear()
    hang = playground.faults.hang("PATCH", "/@original$")

    await make_picture(page)

    await expect(latest(page)).to_contain_text("Facelock is thinking")
    await expect(latest(page)).to_contain_text("Ada used /picture_of")
    hang.release()
    await expect(latest(page)).to_contain_text("Making it…")
    await expect(latest(page).get_by_role("button", name="the face. Enlarge")).to_be_visible()
    bot.go_on.set()
    await expect(latest(page).locator(".tile img")).to_have_count(4)
    await expect(latest(page).get_by_role("heading", name="at sea")).to_be_visible()
    await expect(latest(page)).to_contain_text("for @Ada")
    playground.say("well done", member="Cleo", channel="pictures")
    await expect(latest(page)).to_contain_text("well done")
    await expect(latest(page)).to_be_in_viewport()
    await expect(page.get_by_role("button", name="New messages")).to_be_hidden()
    assert await page.locator("img").evaluate_all("all => all.every((one) => one.naturalWidth > 0)")


async def test_a_picture_is_enlarged_and_stepped_through(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open()
    await make_picture(page)

    await page.get_by_role("button", name="picture 1.png. Enlarge").click()

    dialog = page.get_by_role("dialog", name="Picture")
    await expect(dialog).to_contain_text("2 of 4 · picture 1.png")
    await page.keyboard.press("ArrowRight")
    await expect(dialog).to_contain_text("3 of 4 · picture 2.png")
    await dialog.get_by_role("button", name="Previous picture").click()
    await expect(dialog).to_contain_text("2 of 4")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("button", name="picture 1.png. Enlarge")).to_be_focused()


async def test_a_private_answer_is_seen_by_one_member_and_can_be_dismissed(bot: TinyBot, visitor: Visitor) -> None:
    page, other = await visitor.open("Ada"), await visitor.open("Ben")

    await begin(page, "secret")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("Just between us.")
    await expect(latest(page)).to_contain_text("Only you can see this")
    await page.get_by_label("Message #pictures").fill("public words")
    await page.keyboard.press("Enter")
    await expect(other.get_by_text("public words", exact=True)).to_be_visible()
    await expect(other.get_by_text("Just between us.")).to_have_count(0)
    await page.get_by_role("button", name="Dismiss message").click()
    await expect(page.get_by_text("Just between us.")).to_have_count(0)


async def test_one_person_switches_between_members(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await page.get_by_label("Message #pictures").fill("hello from Ada")
    await page.keyboard.press("Enter")

    # At once: what is written and sent right after the switch is Cleo's already.
    await page.get_by_text("Cleo", exact=True).click()
    await page.get_by_label("Message #pictures").fill("hello from Cleo")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("hello from Cleo")
    await expect(page.get_by_role("radio", name=re.compile("Cleo"))).to_be_checked()
    await expect(page).to_have_url(re.compile("member=Cleo"))
    said = [message.author_id for message in playground.state.messages.values()][-2:]
    assert said == [playground.state.member(name).id for name in ("Ada", "Cleo")]


async def test_everything_works_with_the_keyboard_alone(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await expect(page.get_by_label("Message #pictures")).to_be_focused()

    await page.keyboard.type("/picture")
    await page.keyboard.press("Tab")
    await page.keyboard.type("on a horse")
    await page.get_by_role("button", name="Use the sample face").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("prompt, required")).to_be_focused()
    await page.get_by_role("button", name="Add style: How it looks").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")

    await expect(latest(page).get_by_role("heading", name="on a horse as oil painting")).to_be_visible()
    await page.get_by_role("button", name="Details").focus()
    await page.keyboard.press("Enter")
    await expect(latest(page)).to_contain_text("Seed 7, 25 steps.")
    await expect(page.get_by_role("button", name="Details")).to_be_focused()


# What has the focus, and whether one can see that: an outline, or the ring around a field.
FOCUSED = """() => {
  const one = document.activeElement;
  const outlined = getComputedStyle(one).outlineStyle !== "none";
  return [one.getAttribute("aria-label") ?? one.innerText, outlined || one.matches("input, textarea")];
}"""


async def test_tab_reaches_every_part_in_order(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await page.get_by_role("link", name="Skip to writing a message").focus()

    names: list[str] = []
    for _ in range(13):
        await page.keyboard.press("Tab")
        name, is_visible = await page.evaluate(FOCUSED)
        names.append(name)
        assert is_visible, name

    rooms = ["#\nwelcome", "#\npictures", "#\nlounge", "#\nafter-dark\n18+"]
    assert names[:6] == [*rooms, "Facelock", "#\nbooks"]
    assert names[9:] == ["Messages", "Attach files", "Message #pictures", "Send message"]


async def test_escape_and_backspace_leave_a_command(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")

    await begin(page, "album add")
    await page.keyboard.press("Escape")
    await expect(form(page)).to_have_count(0)
    await begin(page, "album add")
    await page.keyboard.press("Backspace")

    await expect(form(page)).to_have_count(0)
    await expect(page.get_by_label("Message #pictures")).to_be_focused()


async def test_what_is_missing_or_wrong_is_said_before_sending(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    await begin(page, "picture")

    await page.keyboard.press("Enter")
    await expect(form(page)).to_contain_text("prompt: Fill this in first.")
    await page.keyboard.type("ab")
    await page.keyboard.press("Enter")
    await expect(form(page)).to_contain_text("prompt: Takes 3 to 300 characters, this is 2.")
    await page.keyboard.type("c")
    await page.keyboard.press("Enter")
    await expect(form(page)).to_contain_text("face: Choose a file first.")
    await page.get_by_role("button", name="Add count").click()
    await page.keyboard.type("9")
    await page.get_by_role("button", name="Use the sample face").click()
    await expect(page.get_by_role("button", name=re.compile("face: sample-face.png"))).to_be_visible()
    await page.get_by_label(re.compile("^count")).press("Enter")
    await expect(form(page)).to_contain_text("count: Goes from 1 to 4.")

    assert not playground.state.interactions


async def test_a_command_waits_for_the_sample_face_that_is_on_its_way(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    on_its_way = asyncio.Event()

    async def hold(route: Route) -> None:
        await on_its_way.wait()
        await route.continue_()

    await page.route("**/client/sample-face", hold)
    await begin(page, "picture")
    await page.get_by_role("button", name="Use the sample face").click()
    await page.get_by_label("prompt, required").fill("at sea")
    await page.get_by_label("prompt, required").press("Enter")
    await expect(form(page)).to_contain_text("face: The sample face is still on its way. Send it in a moment.")
    assert not playground.state.interactions

    on_its_way.set()
    await expect(page.get_by_role("button", name=re.compile("face: sample-face.png"))).to_be_visible()
    await page.get_by_label("prompt, required").press("Enter")
    await expect(form(page)).to_be_hidden()


async def test_a_pasted_file_fills_the_attachment_option(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    await begin(page, "picture")
    await page.keyboard.type("pasted")

    await give_file(page, "paste", "pasted.png")
    await expect(form(page)).to_contain_text("pasted.png")
    await expect(form(page).locator(".file-field img")).to_be_visible()
    await page.keyboard.press("Enter")

    await expect(latest(page).get_by_role("heading", name="pasted")).to_be_visible()
    (interaction,) = playground.state.interactions.values()
    message = playground.state.original(interaction)
    assert message
    assert playground.content(message.body.thumbnails[0]) == picture()


async def test_a_dropped_file_fills_the_attachment_option(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin(page, "picture")

    await give_file(page, "dragenter")
    await expect(page.get_by_text("Drop to use it as face")).to_be_visible()
    await give_file(page, "drop", "dropped.png")

    await expect(form(page)).to_contain_text("dropped.png")
    await expect(page.get_by_text("Drop to use it as face")).to_be_hidden()


async def test_a_dropped_file_is_sent_with_a_plain_message(visitor: Visitor) -> None:
    page, other = await visitor.open("Ada", "lounge"), await visitor.open("Ben", "lounge")

    await give_file(page, "drop", "holiday.png")
    await page.get_by_label("Message #lounge").fill("look")
    await page.keyboard.press("Enter")

    await expect(latest(other)).to_contain_text("look")
    await expect(latest(other).locator(".tile img")).to_be_visible()


async def test_every_kind_of_option_can_be_filled_in(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin(page, "everything")
    for name, value in (
        ("text", "words"),
        ("whole", "3"),
        ("part", "0.5"),
        ("sure", "tr"),
        ("who", "cl"),
        ("where", "lou"),
    ):
        field = page.get_by_label(re.compile(f"^{name}, required"))
        await field.focus()
        await page.keyboard.type(value)
        if await field.get_attribute("role") == "combobox":
            await page.keyboard.press("Enter")

    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("words 3 0.5 True")
    assert bot.seen == [{"everything": ["words", 3, 0.5, True, "Cleo", "lounge", None, None]}]


# ------------------------------------------------------------------------------------------------------ large commands


async def test_files_fill_one_option_after_the_other(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin(page, "studio")
    await page.keyboard.type("us")
    await expect(form(page).locator(".file-field")).to_have_count(1)

    for name in ("face", "face2"):
        await give_file(page, "paste", f"{name}.png")
        await expect(form(page)).to_contain_text(f"{name}.png")
    await page.get_by_role("button", name="Add style2").click()
    await give_file(page, "dragenter")
    await expect(page.get_by_text("Drop to use it as style2")).to_be_visible()
    await give_file(page, "drop", "style2.png")
    await page.get_by_role("button", name="Take face.png away").click()
    await page.get_by_role("button", name="Remove face", exact=True).click()
    await page.get_by_label("prompt, required").press("Enter")

    await expect(latest(page)).to_contain_text("us with None from face2, style2")


async def test_six_files_are_sent_with_one_command(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin(page, "studio")
    await page.keyboard.type("us")

    for number in range(6):
        await give_file(page, "paste", f"{number}.png")
    await give_file(page, "dragenter")
    await expect(page.get_by_text("Drop to use it as face", exact=True)).to_be_visible()
    await give_file(page, "dragleave")
    await page.get_by_label("prompt, required").press("Enter")

    await expect(latest(page)).to_contain_text("from face, face2, face3, style, style2, style3")
    assert bot.seen[-1]["files"] == dict.fromkeys(("face", "face2", "face3", "style", "style2", "style3"), picture())


async def test_a_command_that_is_not_answered_fails_visibly(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    await begin(page, "silence")
    await page.keyboard.press("Enter")
    await expect(latest(page)).to_contain_text("Sending /silence")

    playground.advance(3)

    await expect(latest(page)).to_contain_text("The bot did not respond in time.")
    await page.get_by_role("button", name="Dismiss message").click()
    await expect(page.locator("li.message")).to_have_count(0)


async def test_a_button_that_is_not_answered_fails_visibly(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    await make_picture(page)
    await expect(latest(page).locator(".tile img")).to_have_count(4)
    playground.faults.respond("POST", "/callback$", status=400, body={"code": 0, "message": "no"})

    await page.get_by_role("button", name="Details").click()
    await expect(page.get_by_role("button", name="Details")).to_have_attribute("aria-busy", "true")
    playground.advance(3)

    await expect(page.get_by_text("This interaction failed", exact=True)).to_be_visible()


async def test_without_a_bot_the_page_says_what_to_do(playground: Playground, visitor: Visitor) -> None:
    page = await visitor.open("Ada")

    notice = page.get_by_role("status").filter(has_text="No bot is connected.")
    await expect(notice).to_contain_text(f"DISCORD_API_URL={playground.api_url}")
    await expect(notice).to_contain_text(f"DISCORD_GATEWAY_URL={playground.gateway_url}")
    await page.keyboard.type("/")
    await expect(page.get_by_text("No bot is connected, so there are no commands.")).to_be_visible()


async def test_the_page_notices_the_bot_and_its_commands(
    playground: Playground, visitor: Visitor, bot: TinyBot
) -> None:
    page = await visitor.open("Ada")
    await expect(page.get_by_text("Facelock is here")).to_be_visible()

    await bot.close()

    await expect(page.get_by_text("No bot is connected.")).to_be_visible()


async def test_the_page_comes_back_when_the_playground_does(browser: Browser) -> None:
    page = await browser.new_page()
    async with Playground.run() as first:
        await page.goto(f"{first.url}/?member=Ada&channel=lounge")
        await page.get_by_label("Message #lounge").fill("half a thought")
        port = int(first.url.rpartition(":")[2])
    await expect(page.get_by_text("The playground does not answer.")).to_be_visible()

    async with Playground.run(port=port) as second:
        second.say("I am back", member="Ben")

        await expect(page.get_by_text("I am back", exact=True)).to_be_visible()
        await expect(page.get_by_text("The playground does not answer.")).to_be_hidden()
        await expect(page.get_by_label("Message #lounge")).to_have_value("half a thought")


async def test_messages_are_announced_and_unread_channels_marked(playground: Playground, visitor: Visitor) -> None:
    page = await visitor.open("Ada")

    playground.say("over here", member="Cleo", channel="pictures")
    await expect(page.locator("#announcer")).to_have_text("Cleo: over here")
    playground.say(f"psst <@{playground.state.member('Ada').id}>", member="Ben", channel="lounge")

    lounge = page.get_by_role("button", name="lounge")
    await expect(lounge).to_contain_text("1 mentions")
    await lounge.click()
    await expect(latest(page)).to_contain_text("psst @Ada")
    await expect(lounge).not_to_contain_text("mentions")


async def test_the_place_in_the_list_is_kept_while_messages_come(playground: Playground, visitor: Visitor) -> None:
    for number in range(40):
        playground.say(f"line {number}", member="Ben", channel="lounge")
    page = await visitor.open("Ada", "lounge")
    await expect(page.get_by_text("line 39")).to_be_in_viewport()

    await page.evaluate("document.getElementById('scroller').scrollTop = 0")
    playground.say("something new", member="Ben", channel="lounge")
    jump = page.get_by_role("button", name="New messages")
    await expect(jump).to_be_visible()
    assert await page.evaluate("document.getElementById('scroller').scrollTop") == 0

    await jump.click()
    await expect(page.get_by_text("something new", exact=True)).to_be_in_viewport()


async def test_foreign_text_never_becomes_markup(playground: Playground, visitor: Visitor) -> None:
    playground.say("<img src=x onerror=alert(1)> [x](javascript:alert(1)) **bold**", channel="lounge")

    page = await visitor.open("Ada", "lounge")

    await expect(latest(page)).to_contain_text("<img src=x onerror=alert(1)> [x](javascript:alert(1)) bold")
    assert await latest(page).locator("img, a").count() == 0


async def test_an_administrator_deletes_a_message(playground: Playground, visitor: Visitor) -> None:
    said = playground.say("rude words", member="Ben", channel="lounge")
    page = await visitor.open("Ada", "lounge")

    await latest(page).hover()
    await page.get_by_role("button", name="Delete message").click()
    await page.get_by_role("button", name="Delete message").click()

    await expect(page.get_by_text("rude words")).to_have_count(0)
    assert said.deleted_at is not None


# ---------------------------------------------------------------------------------------------------------- on a phone

TOO_WIDE = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".sr-only"))
  .map((one) => one.className)"""


async def test_nothing_is_wider_than_a_phone(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada", phone=True)
    await page.get_by_label("Message #pictures").focus()
    await make_picture(page, "a rather long wish with many words " * 4 + "anunbreakablywideword" * 6)
    await expect(latest(page).locator(".tile img")).to_have_count(4)
    assert await page.evaluate(TOO_WIDE) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 390

    await begin(page, "picture")
    await give_file(page, "paste", "a file with a very long name that goes on and on and on and on.png")
    await page.get_by_role("button", name="Add style").click()
    assert await page.evaluate(TOO_WIDE) == []


async def test_the_sidebar_is_a_drawer_on_a_phone(visitor: Visitor) -> None:
    page = await visitor.open("Ada", phone=True)
    rooms = page.get_by_role("navigation", name="Channels and people")
    await expect(rooms).to_be_hidden()

    await page.get_by_role("button", name="Show channels and people").click()
    await expect(rooms).to_be_visible()
    await rooms.get_by_role("button", name="lounge").click()

    await expect(rooms).to_be_hidden()
    await expect(page.get_by_role("heading", name="lounge", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Show channels and people").click()
    await page.keyboard.press("Escape")
    await expect(rooms).to_be_hidden()
    await expect(page.get_by_role("button", name="Show channels and people")).to_be_focused()
