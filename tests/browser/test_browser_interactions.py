"""Buttons, menus, forms and the commands in menus, as people use them on the page."""

import re

from playwright.async_api import Locator, Page, expect

from playground.model import Message
from playground.server import Playground
from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import TOO_WIDE, begin, give_file, latest
from tests.playground.tiny_bot import TinyBot, picture

WRONG = "That is my face."


async def panel(playground: Playground, *, private: bool = False, channel: str = "pictures") -> Message:
    """Ben's panel of everything that can be pressed and chosen."""
    return await playground.answered(playground.command("panel", options={"private": private}, channel=channel))


def form(page: Page) -> Locator:
    return page.get_by_role("dialog", name="Report a picture")


async def fill_in(page: Page) -> None:
    """What the form cannot do without."""
    await form(page).get_by_label("What is wrong").fill(WRONG)
    await form(page).get_by_role("combobox", name="Reason").click()
    await page.get_by_role("option", name="It shows me").click()


async def open_menu(page: Page, words: str) -> Locator:
    await page.get_by_text(words, exact=True).click(button="right")
    menu = page.get_by_role("menu")
    await expect(menu).to_be_visible()
    return menu


# --------------------------------------------------------------------------------------------------- buttons and menus


async def test_a_button_is_pressed_and_keeps_the_focus(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Cleo")

    await page.get_by_role("button", name="Count 0").click()

    await expect(page.get_by_role("heading", name="Pressed 1 times")).to_be_visible()
    await expect(latest(page)).to_contain_text("(edited)")
    await expect(page.get_by_role("button", name="Yes")).to_be_disabled()
    await expect(page.get_by_role("link", name="Read more")).to_have_attribute("href", "https://example.com/more")


async def test_a_quiet_press_leaves_the_message_alone(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    bot.go_on.clear()

    await page.get_by_role("button", name="Quietly").click()
    await expect(page.get_by_role("button", name="Quietly")).not_to_have_attribute("aria-busy", "true")
    await expect(page.locator("li.message")).to_have_count(1)
    bot.go_on.set()

    await expect(latest(page)).to_contain_text("Noted.")
    await expect(latest(page)).to_contain_text("Only you can see this")


async def test_a_private_panel_works_for_its_member(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground, private=True)
    page, other = await visitor.open("Ben"), await visitor.open("Cleo")

    await page.get_by_role("button", name="Count 0").click()

    await expect(page.get_by_role("heading", name="Pressed 1 times")).to_be_visible()
    await expect(latest(page)).to_contain_text("Only you can see this")
    await expect(other.locator("li.message")).to_have_count(0)


async def test_several_values_are_ticked_with_the_mouse(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    box = page.get_by_role("combobox", name="Pick styles")

    await box.click()
    await page.get_by_role("option", name="Pencil").click()
    await page.get_by_role("option", name="Comic").click()
    await page.get_by_role("option", name="Photo").click()
    await expect(page.get_by_role("option", name="Photo")).to_have_attribute("aria-selected", "false")
    await page.get_by_label("Message #pictures").click()

    await expect(latest(page)).to_contain_text("Styles: pencil, comic")
    await expect(box).to_contain_text("PencilComic")
    await expect(page.get_by_role("listbox")).to_be_hidden()


async def test_a_value_is_chosen_with_the_keyboard(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    box = page.get_by_role("combobox", name="Show it to")

    await box.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".select-words")).to_have_text(["Ada", "Ben", "Cleo", "Dora", "Facelock"])
    await page.keyboard.press("c")
    active = await page.get_by_role("option", name="Cleo").get_attribute("id")
    await expect(box).to_have_attribute("aria-activedescendant", active or "")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("End")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("For Cleo, a Member.")
    await expect(box).to_be_focused()
    assert len(playground.state.interactions) == 2


async def test_a_menu_closed_without_a_change_sends_nothing(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    box = page.get_by_role("combobox", name="Pick styles")

    await box.click()
    await page.get_by_role("option", name="Pencil").click()
    await page.get_by_role("option", name="Pencil").click()
    await page.keyboard.press("Escape")

    await expect(box).to_have_text("Pick styles")
    assert len(playground.state.interactions) == 1


async def test_buttons_work_in_a_direct_message(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ben")
    await page.get_by_role("navigation").get_by_role("button", name="Facelock").click()
    await expect(page.get_by_label("Message Facelock")).to_be_focused()

    await begin(page, "panel")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Count 0").click()

    await expect(page.get_by_role("heading", name="Pressed 1 times")).to_be_visible()
    await page.get_by_role("combobox", name="Show it to").click()
    await page.get_by_role("option", name="Ada").click()
    await expect(latest(page)).to_contain_text("For Ada, a User.")


# --------------------------------------------------------------------------------------------------------------- forms


async def test_a_form_is_filled_in_and_sent(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page, second = await visitor.open("Ben"), await visitor.open("Ben")
    await begin(page, "report")
    await page.keyboard.press("Enter")
    await expect(form(page).get_by_label("What is wrong")).to_be_focused()
    await expect(form(page)).to_contain_text("Only the moderators read this.")

    await fill_in(page)
    await form(page).get_by_role("combobox", name="Who is in it").click()
    await page.get_by_role("option", name="Ada").click()
    await page.keyboard.press("Escape")
    await form(page).get_by_role("button", name="Use the sample face").click()
    await expect(form(page).locator(".file-chip")).to_contain_text("sample-face.png")
    await give_file(page, "drop", "holiday.png", on="#form-dialog")
    await expect(form(page).locator(".file-chip")).to_have_count(2)
    await expect(page.locator(".composer .file-chip")).to_have_count(0)
    await form(page).get_by_role("button", name="Take sample-face.png away").click()
    await expect(form(page).locator(".file-chip img")).to_have_count(1)
    bot.go_on.clear()
    await form(page).get_by_role("button", name="Submit").click()

    await expect(form(page).get_by_role("button", name="Submit")).to_be_disabled()
    bot.go_on.set()
    await expect(form(page)).to_be_hidden()
    await expect(latest(page)).to_contain_text("Ben used /report")
    await expect(latest(page)).to_contain_text("Thank you, the moderators will look.")
    await expect(page.get_by_label("Message #pictures")).to_be_focused()
    await expect(form(second)).to_be_hidden()
    assert bot.seen == [
        {"wrong": WRONG, "reason": ["me"], "who": ["Ada"], "photos": {"holiday.png": picture()}, "message": None}
    ]


async def test_what_is_wrong_stands_beside_its_field(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    await page.get_by_role("button", name="Report").click()
    wrong = form(page).get_by_label("What is wrong")
    before = len(playground.state.interactions)

    await form(page).get_by_role("button", name="Submit").click()
    await expect(wrong).to_be_focused()
    await expect(wrong).to_have_accessible_description(re.compile("Fill this in first."))
    await expect(form(page).get_by_text("Choose one first.")).to_be_visible()
    await wrong.fill("no")
    await expect(form(page).get_by_text("Fill this in first.")).to_be_hidden()
    await page.get_by_role("button", name="Submit").click()
    await expect(form(page).get_by_text("Takes 5 to 200 characters, this is 2.")).to_be_visible()

    assert len(playground.state.interactions) == before


async def test_the_keyboard_stays_in_a_form_until_escape(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    await panel(playground)
    page = await visitor.open("Ben")
    await page.get_by_role("button", name="Report").click()
    await expect(form(page)).to_be_visible()

    for _ in range(12):
        await page.keyboard.press("Tab")
        inside = "document.activeElement === document.body || document.activeElement.closest('#form-dialog') !== null"
        assert await page.evaluate(inside)
    await form(page).get_by_role("combobox", name="Reason").click()
    await page.keyboard.press("Escape")
    await expect(form(page)).to_be_visible()
    await page.keyboard.press("Escape")

    await expect(form(page)).to_be_hidden()
    await expect(page.get_by_role("button", name="Report")).to_be_focused()
    assert len(playground.state.interactions) == 2


async def test_a_form_that_the_bot_does_not_take_says_so_and_can_be_sent_again(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    page = await visitor.open("Ben")
    await begin(page, "report")
    await page.keyboard.press("Enter")
    await fill_in(page)
    hang = playground.faults.hang("POST", "/callback$")

    await form(page).get_by_role("button", name="Submit").click()
    await playground.until(lambda _: hang.hits)
    playground.advance(3)
    await expect(form(page).get_by_role("alert")).to_contain_text("the bot did not answer in time")
    hang.release()
    await expect(form(page).get_by_label("What is wrong")).to_have_value(WRONG)
    await form(page).get_by_role("button", name="Submit").click()

    await expect(latest(page)).to_contain_text("Thank you, the moderators will look.")
    await expect(form(page)).to_be_hidden()


async def test_a_form_of_the_older_shape_is_shown_too(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    page = await visitor.open("Ben")
    await begin(page, "rename")
    await page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Rename the album")
    await expect(dialog.get_by_label("New name")).to_have_value("Winter")

    await dialog.get_by_label("New name").fill("Spring")
    await page.keyboard.press("Enter")

    await expect(dialog).to_be_hidden()
    await expect(latest(page)).to_contain_text("Renamed to Spring.")


# --------------------------------------------------------------------------------------------------- a message's menu


async def test_a_message_command_is_found_by_right_click(
    playground: Playground, bot: TinyBot, visitor: Visitor
) -> None:
    playground.say("look at this", member="Ada", channel="pictures")
    page = await visitor.open("Ben")

    menu = await open_menu(page, "look at this")
    await menu.get_by_role("menuitem", name="Who made this?").click()

    await expect(menu).to_be_hidden()
    await expect(latest(page)).to_contain_text("Ben used Who made this?")
    await expect(latest(page)).to_contain_text("Ada made “look at this” with 0 files.")


async def test_the_menu_works_with_the_keyboard(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    playground.say("look at this", member="Ada", channel="pictures")
    page = await visitor.open("Ben")
    more = page.get_by_role("button", name="More for this message")

    await more.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Report this")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_be_hidden()
    await expect(more).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Wave")).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(latest(page)).to_contain_text("Ben waves at Ada.")


async def test_a_form_opens_from_a_messages_menu(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    playground.say("look at this", member="Ada", channel="pictures")
    page = await visitor.open("Ben")
    menu = await open_menu(page, "look at this")

    await menu.get_by_role("menuitem", name="Report this").click()
    await fill_in(page)
    await form(page).get_by_role("button", name="Submit").click()

    await expect(latest(page)).to_contain_text("Ben used Report this")
    await expect(latest(page)).to_contain_text("Thank you, the moderators will look.")


async def test_without_commands_the_menu_says_so(playground: Playground, visitor: Visitor) -> None:
    playground.say("look at this", member="Ada", channel="pictures")
    page = await visitor.open("Ben")

    menu = await open_menu(page, "look at this")

    await expect(menu).to_have_text("The bot has no commands for this.")


# ---------------------------------------------------------------------------------------------------------- on a phone


async def test_forms_and_menus_fit_on_a_phone(playground: Playground, bot: TinyBot, visitor: Visitor) -> None:
    await panel(playground)
    page = await visitor.open("Ben", phone=True)
    assert await page.evaluate(TOO_WIDE) == []

    await page.get_by_role("combobox", name="Pick styles").tap()
    await expect(page.get_by_role("option", name="Comic")).to_be_in_viewport(ratio=1)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="More for this message").tap()
    await expect(page.get_by_role("menuitem", name="Wave")).to_be_in_viewport(ratio=1)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Report").tap()
    await form(page).get_by_role("button", name="Submit").tap()

    await expect(form(page).get_by_role("button", name="Submit")).to_be_in_viewport(ratio=1)
    await expect(form(page).get_by_label("What is wrong")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
