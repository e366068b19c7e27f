"""What the bot suggests while one types into a command."""

import re

from playwright.async_api import Locator, Page, expect

from playground.server import Playground
from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import TOO_WIDE, begin, latest
from tests.playground.tiny_bot import TinyBot


def suggestions(page: Page, option: str = "model") -> Locator:
    return page.get_by_role("listbox", name=f"Suggestions for {option}").get_by_role("option")


async def stop_time(page: Page) -> None:
    """From now on timers of the page run only when they are told to; needs `page.clock.install()` before."""
    await page.clock.pause_at(await page.evaluate("Date.now() + 1000"))


async def begin_model(page: Page) -> Locator:
    """Begin the tiny bot's largest command and add the option that has suggestions."""
    await begin(page, "studio")
    await page.keyboard.type("at sea")
    await page.get_by_role("button", name="Add model").click()
    await expect(suggestions(page).first).to_be_visible()
    return page.get_by_role("combobox", name=re.compile("^model"))


async def test_a_suggestion_is_chosen_with_the_keyboard(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    field = await begin_model(page)
    await expect(suggestions(page)).to_have_count(25)

    await page.keyboard.type("s")
    await expect(suggestions(page).first).to_have_text("Realistic Vision 5")
    await expect(suggestions(page).first).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowDown")
    active = await suggestions(page).nth(1).get_attribute("id")
    await expect(field).to_have_attribute("aria-activedescendant", active or "")
    await page.keyboard.press("Tab")
    await expect(field).to_have_value("SDXL base")
    await expect(field).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("at sea with sdxl from no file")


async def test_a_suggestion_is_chosen_with_the_mouse_and_can_be_a_number(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin_model(page)
    await suggestions(page).get_by_text("Deliberate 11").click()
    await page.get_by_role("button", name="Add steps").click()
    await page.keyboard.type("2")
    await suggestions(page, "steps").get_by_text("25 steps").click()

    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("at sea with deliberate-11")
    assert bot.seen[-1]["studio"] == ["at sea", "deliberate-11", 25, None]


async def test_escape_closes_the_suggestions_and_any_text_can_be_sent(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await page.clock.install()
    field = await begin_model(page)
    await stop_time(page)
    await page.keyboard.type("studio")
    await expect(suggestions(page).first).to_have_text("Studio model 0")

    await page.keyboard.press("Escape")
    await page.clock.run_for(1000)
    await expect(suggestions(page)).to_have_count(0)
    await expect(field).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(suggestions(page).first).to_have_text("Studio model 0")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("at sea with studio from no file")
    assert [entry["model"] for entry in bot.seen[:-1]] == ["", "studio"]


async def test_the_list_does_not_change_under_who_moves_in_it(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await page.clock.install()
    field = await begin_model(page)
    await stop_time(page)

    await page.keyboard.type("s")
    await page.keyboard.press("ArrowDown")
    await page.clock.run_for(1000)
    await page.keyboard.press("Enter")
    await expect(field).to_have_value("SDXL base")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("at sea with sdxl")
    assert [entry["model"] for entry in bot.seen[:-1]] == [""]


async def test_a_text_that_is_changed_after_choosing_is_sent_as_it_stands(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin_model(page)
    await suggestions(page).get_by_text("SDXL base").click()

    await page.keyboard.type(" of mine")
    await expect(page.get_by_text("Nothing suggested for that.")).to_be_visible()
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("at sea with SDXL base of mine")


async def test_the_bot_is_asked_once_for_what_is_typed_in_one_go(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await page.clock.install()
    await begin_model(page)
    await stop_time(page)

    for letter in "real":
        await page.keyboard.type(letter)
        await page.clock.run_for(150)
    await page.clock.run_for(50)

    await expect(suggestions(page)).to_have_text(["Realistic Vision 5"])
    assert [entry["model"] for entry in bot.seen] == ["", "real"]
    assert bot.seen[-1]["namespace"] == {"prompt": "at sea", "model": "real"}


async def test_the_newest_suggestions_stand(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    field = await begin_model(page)
    bot.go_on.clear()
    async with page.expect_response(lambda found: '"slow"' in (found.request.post_data or "")):
        async with page.expect_request(lambda asked: '"slow"' in (asked.post_data or "")):
            await field.fill("slow")
        await field.fill("sdxl")
        await expect(suggestions(page)).to_have_text(["SDXL base"])
        bot.go_on.set()

    await expect(suggestions(page)).to_have_text(["SDXL base"])


async def test_a_bot_that_suggests_nothing_in_time_is_no_hindrance(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ada")
    field = await begin_model(page)
    bot.go_on.clear()
    async with page.expect_response(lambda found: '"slow"' in (found.request.post_data or "")):
        async with page.expect_request(lambda asked: '"slow"' in (asked.post_data or "")):
            await field.fill("slow")
        await playground.until(lambda state: state.pending)
        playground.advance(3)

    await expect(page.get_by_role("listbox", name="Suggestions for model")).to_be_hidden()
    await expect(page.locator("li.message")).to_have_count(0)
    bot.go_on.set()
    await page.keyboard.press("Enter")
    await expect(latest(page)).to_contain_text("at sea with slow")


async def test_a_subcommand_has_suggestions(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada")
    await begin(page, "album show")

    await page.keyboard.type("W")
    await suggestions(page, "name").get_by_text("Winter").click()
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("This is Winter.")


async def test_a_command_with_two_dozen_options_fits_on_a_phone(bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ada", phone=True)
    await page.get_by_label("Message #pictures").focus()
    await begin_model(page)
    await expect(suggestions(page).first).to_be_in_viewport(ratio=1)
    await page.keyboard.type("a long name")
    await expect(suggestions(page)).to_have_text([re.compile("^With a long name")])
    assert await page.evaluate(TOO_WIDE) == []
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Remove model").click()

    while await (left := page.get_by_role("button", name=re.compile("^Add "))).count():
        await left.first.click()
    await page.get_by_label(re.compile("^embedding")).fill("fine")

    await expect(page.get_by_label(re.compile("^embedding"))).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Send /studio")).to_be_in_viewport(ratio=1)
    await expect(page.get_by_role("button", name="Leave the command")).to_be_in_viewport(ratio=1)
    assert await page.locator("#scroller").evaluate("one => one.clientHeight") > 200
    assert await page.evaluate(TOO_WIDE) == []
    await page.keyboard.press("Enter")
    await expect(latest(page)).to_contain_text("at sea with None from no file")
