"""Direct messages, private channels, a server without the bot, and one's language, as people find them on the page."""

from playwright.async_api import Page, expect

from playground.server import Playground
from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import begin, latest
from tests.playground.tiny_bot import TinyBot


async def go(page: Page, place: str) -> None:
    await page.get_by_role("navigation").get_by_role("button", name=place).click()


async def test_a_command_is_brought_along_to_a_private_channel(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ben")
    await go(page, "Cleo")
    await expect(page.get_by_role("heading", name="This is where Cleo and you talk")).to_be_visible()
    await expect(page.get_by_label("Message Cleo")).to_be_focused()

    await begin(page, "where_am_i")
    await page.keyboard.press("Enter")
    await expect(latest(page)).to_contain_text("You are here.")
    await page.locator(".person", has_text="Cleo").click()
    await expect(page.get_by_text("You have not installed Facelock for yourself")).to_be_visible()
    await page.get_by_role("button", name="Here").click()

    await expect(latest(page)).to_contain_text("Pressed.")
    assert [seen["context"] for seen in bot.seen] == [["private"], ["private"]]


async def test_the_app_is_installed_on_the_page(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Cleo")
    await go(page, "books")
    await page.get_by_label("Message #books").fill("/")
    await expect(page.get_by_text("The bot has no commands here.")).to_be_visible()

    await page.get_by_role("checkbox", name="App installed").check()
    await expect(page.get_by_text("Type / for what you brought along.")).to_be_visible()
    await page.get_by_label("Message #books").fill("/along")
    await page.get_by_role("option", name="/along").click()
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("Here I am.")
    await expect(page).to_have_title("#books · Book club")


async def test_a_message_of_the_bot_shows_in_the_direct_message(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ben")
    person = await bot.fetch_user(playground.state.member("Ben").id)
    await person.send("A word between us.")

    await go(page, "Facelock")

    await expect(latest(page)).to_contain_text("A word between us.")


async def test_commands_are_read_in_ones_own_language(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ben")
    await page.get_by_label("Language").select_option("de")
    await page.get_by_label("Message #pictures").fill("/gr")

    await expect(page.get_by_role("option", name="/grüße")).to_contain_text("Jemanden grüßen")
    await page.get_by_role("option", name="/grüße").click()
    await page.get_by_role("combobox", name="wärme, required").fill("Herz")
    await page.get_by_role("option", name="Herzlich").click()
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("de en-US warm")


async def test_what_is_veiled_shows_when_it_is_pressed(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await playground.answered(playground.command("grown_ups", channel="after-dark"))
    page = await visitor.open("Ben", "after-dark")
    await expect(page.locator("#channel-name")).to_have_text("#after-dark18+")
    veils = latest(page).locator(".veil")

    await expect(veils).to_have_count(2)
    hidden = "one => [getComputedStyle(one.firstElementChild).filter, one.firstElementChild.inert]"
    assert [await veil.evaluate(hidden) for veil in await veils.all()] == [["blur(28px) brightness(0.7)", True]] * 2
    await veils.nth(1).get_by_role("button", name="Spoiler").click()

    assert [await veil.evaluate(hidden) for veil in await veils.all()] == [
        ["blur(28px) brightness(0.7)", True],
        ["none", False],
    ]
