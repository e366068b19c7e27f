"""Menus of people, roles and channels, forms with boxes, and roles, as people use them on the page."""

from playwright.async_api import expect

from playground.model import Permission
from playground.server import Playground
from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import TOO_WIDE, begin, latest
from tests.playground.tiny_bot import TinyBot


async def test_roles_and_channels_are_chosen(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await playground.answered(playground.command("picks"))
    page = await visitor.open("Ben")
    roles, anybody = page.get_by_role("combobox", name="Roles"), page.get_by_role("combobox", name="Anybody")
    rooms, calls = page.get_by_role("combobox", name="Rooms"), page.get_by_role("combobox", name="Calls")

    await expect(roles).to_have_text("@Moderators")
    await expect(rooms).to_have_text("#lounge")
    await roles.click()
    await page.get_by_role("option", name="@Supporters").click()
    await expect(latest(page)).to_contain_text("Role Supporters")
    await anybody.click()
    await page.get_by_role("option", name="Cleo").click()
    await page.get_by_role("option", name="@Admin").click()
    await page.keyboard.press("Escape")
    await expect(latest(page)).to_contain_text("Member Cleo, Role Admin")
    await rooms.click()
    await page.get_by_role("option", name="#pictures").click()
    await page.keyboard.press("Escape")
    await expect(latest(page)).to_contain_text("AppCommandChannel lounge, AppCommandChannel pictures")
    await calls.click()
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("There is nothing to choose from here.")).to_be_visible()


async def test_boxes_of_a_form_are_ticked(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ben")
    form = page.get_by_role("dialog", name="Enrol")
    await begin(page, "enrol")
    await page.keyboard.press("Enter")

    await form.get_by_role("combobox", name="Room").click()
    await page.get_by_role("option", name="#lounge").click()
    await form.get_by_role("button", name="Submit").click()
    await expect(form.get_by_text("Choose one first.")).to_be_visible()
    await form.get_by_role("radio", name="Blue").check()
    await form.get_by_role("checkbox", name="Monday").check()
    await form.get_by_role("checkbox", name="Friday").check()
    await form.get_by_role("checkbox", name="I agree").check()
    await form.get_by_role("button", name="Submit").click()

    await expect(latest(page)).to_contain_text("Enrolled.")
    chosen = [[], ["AppCommandChannel lounge"]]
    assert bot.seen == [{"chosen": chosen, "ticked": ["blue", ["monday", "friday"], True]}]


async def test_options_take_people_roles_and_channels(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ben")
    await begin(page, "desk paper hand")

    for option, choice in (("role", "@Supporters"), ("where", "#lounge"), ("tell", "@Moderators")):
        await page.get_by_role("button", name=f"Add {option}").click()
        await page.get_by_role("option", name=choice).click()
    await page.get_by_role("combobox", name="who, required").fill("Dora")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("Handed over.")
    assert bot.seen == [{"handed": ["dora", "Supporters", "lounge", "Moderators"]}]


async def test_a_role_shows_and_opens_commands(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Dora")
    await expect(page.locator(".person", has_text="Dora")).to_contain_text("Moderators")
    await page.get_by_label("Message #pictures").fill("/guard")
    await expect(page.get_by_text("No command begins like that.")).to_be_visible()

    playground.give_role("Dora", "Supporters")
    playground.set_permissions("Supporters", Permission.MANAGE_GUILD)

    await expect(page.get_by_role("option", name="/guard")).to_be_visible()


async def test_menus_and_boxes_fit_on_a_phone(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await playground.answered(playground.command("picks"))
    page = await visitor.open("Ben", phone=True)
    too_wide = TOO_WIDE.replace("main *", "main *, dialog[open] *, .select-list *")

    await page.get_by_role("combobox", name="Roles").click()
    await expect(page.get_by_role("option", name="@Supporters")).to_be_visible()
    assert await page.evaluate(too_wide) == []
    await page.keyboard.press("Escape")
    await page.get_by_label("Message #pictures").focus()
    await begin(page, "enrol")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Enrol")).to_be_visible()

    assert await page.evaluate(too_wide) == []
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
