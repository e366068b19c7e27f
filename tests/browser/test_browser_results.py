"""What a member does with pictures: every button under them, and the commands that lead to them."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.test_browser_playground import latest
from tests.browser.walking import (
    attach,
    fits,
    form,
    made,
    menu,
    option,
    press,
    run,
    sample,
    submit,
    walking,
    write,
)
from tests.end_to_end.stage import PHOTO
from tests.end_to_end.test_choosing import GROUP

THE_SAME_FACE = "Face"


async def test_every_button_under_a_result(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = await walk.enter()
        await write(page, "imagine")
        await option(page, "prompt", "a quiet harbour", required=True)
        await attach(page, PHOTO)
        await option(page, "count", "2")
        await page.keyboard.press("Enter")
        await made(page, 2)

        await press(page, "Again")
        await expect(page.locator("li.message")).to_have_count(2)
        await made(page, 2)
        await press(page, "Vary 2")
        await expect(latest(page)).to_contain_text("A variation of picture 2")
        await made(page, 2)
        await press(page, "Edit")
        await expect(form(page).get_by_label("Prompt")).to_have_value("a quiet harbour")
        await form(page).get_by_label("Prompt").fill("a loud harbour")
        await form(page).get_by_label("Likeness").fill("90")
        await form(page).get_by_role("combobox", name="Shape").click()
        await page.get_by_role("option", name="Wide").click()
        await sample(page)
        await submit(page)
        await expect(latest(page)).to_contain_text("a loud harbour")
        await made(page, 2)
        await press(page, "Larger")
        await expect(latest(page)).to_contain_text("not the same enlarged")
        await made(page, 2)
        await press(page, "Details")
        await expect(latest(page)).to_contain_text("Only you can see this")
        await expect(latest(page)).to_contain_text("90 %")
        await page.get_by_role("button", name="Dismiss message").click()
        await expect(page.get_by_role("button", name="Dismiss message")).to_have_count(0)
        await press(page, "Save face")
        await form(page).get_by_label("What to call it").fill("Sample")
        await form(page).get_by_role("checkbox").check()
        await submit(page)
        await expect(latest(page)).to_contain_text("Sample")
        await page.get_by_role("button", name="Dismiss message").click()
        await expect(page.get_by_role("button", name="Dismiss message")).to_have_count(0)
        results = await page.locator("li.message").count()
        await press(page, "Delete")
        await expect(page.locator("li.message")).to_have_count(results - 1)

        assert [job.parameters.width for job in walk.scene.renderer.jobs] == [1024, 1024, 1024, 1024, 1536]


async def test_a_face_is_saved_listed_and_used_by_its_name(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = await walk.enter()
        await write(page, "face save")
        await option(page, "name", "Me at sea", required=True)
        await sample(page)
        await page.get_by_label("name, required").press("Enter")
        await expect(latest(page)).to_contain_text("Me at sea")

        await write(page, "imagine")
        await option(page, "prompt", "a quiet harbour", required=True)
        await page.get_by_role("button", name="Add face_name").click()
        await page.keyboard.type("sea")
        await page.get_by_role("listbox", name="Suggestions for face_name").get_by_text("Me at sea").click()
        await page.keyboard.press("Enter")
        await made(page)
        await expect(latest(page).get_by_alt_text(THE_SAME_FACE, exact=True)).to_be_visible()
        await run(page, "face list")
        await expect(latest(page)).to_contain_text("Me at sea")
        await expect(latest(page).locator(".thumbnail img, .tile img")).to_have_count(1)
        await write(page, "face delete")
        await page.keyboard.type("Me")
        await page.get_by_role("listbox", name="Suggestions for name").get_by_text("Me at sea").click()
        await page.keyboard.press("Enter")
        await expect(latest(page)).to_contain_text("Deleted")


async def test_the_way_from_a_draft_to_the_history(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = await walk.enter()
        await run(page, "styles")
        await expect(latest(page)).to_contain_text("Pixel art")
        await write(page, "imagine")
        await option(page, "prompt", "a grey cat", required=True)
        await option(page, "preset", "Pixel art")
        await option(page, "draft", "True")
        await page.keyboard.press("Enter")
        await made(page, 4)
        await press(page, "3")
        await made(page)

        for number in range(5):
            await walk.scene.delivered(walk.scene.imagine(f"boat {number}", photo=None))
        await run(page, "history")
        await expect(latest(page)).to_contain_text("boat 4")
        await expect(latest(page)).not_to_contain_text("a grey cat")
        await press(page, "Older")
        await expect(latest(page)).to_contain_text("a grey cat")
        await latest(page).get_by_role("button", name="Go to the message").last.click()
        draft = page.locator("li.message", has=page.get_by_role("button", name="3", exact=True))
        await expect(draft).to_be_focused()
        await expect(draft).to_be_in_viewport()
        await latest(page).get_by_role("button", name="Again").first.click()
        await made(page)
        await menu(page, latest(page), "Use this prompt")
        await expect(latest(page).locator("pre")).to_have_count(1)


async def test_a_request_is_cancelled_while_it_is_made(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page, other = await walk.enter(), await walk.enter("Cleo")
        walk.scene.renderer.open.clear()
        await write(page, "imagine")
        await option(page, "prompt", "a quiet harbour", required=True)
        await page.keyboard.press("Enter")
        await walk.scene.renderer.begun(1)

        await press(other, "Cancel")
        await expect(latest(other)).to_contain_text("Only you can see this")
        await press(page, "Cancel")
        await expect(latest(page)).to_contain_text("Cancelled")
        await expect(latest(page).get_by_role("button", name="Cancel")).to_have_count(0)
        await run(page, "quota")
        await expect(latest(page)).to_contain_text("20 left")


async def test_one_of_several_faces_is_chosen(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page, other = await walk.enter(phone=True), await walk.enter("Cleo")
        walk.scene.playground.set_locale("Ben", "de")
        await write(page, "imagine")
        await page.get_by_label("prompt").fill("ein stiller Hafen")
        await attach(page, GROUP)
        await page.get_by_label("prompt").press("Enter")

        await expect(latest(page).locator(".gallery .tile img")).to_have_count(2)
        await expect(latest(page)).to_contain_text("mehrere Gesichter")
        await fits(page)
        await expect(other.locator("li.message img")).to_have_count(0)
        await press(page, "2")
        await made(page)
        await fits(page)


async def test_private_pictures_are_posted_by_their_member(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page, other = await walk.enter(), await walk.enter("Cleo")
        await write(page, "imagine")
        await option(page, "prompt", "a quiet harbour", required=True)
        await option(page, "private", "True")
        await page.keyboard.press("Enter")
        await made(page)
        await expect(latest(page)).to_contain_text("Only you can see this")
        await expect(other.locator("li.message")).to_have_count(0)

        await press(page, "Post to channel")
        await made(other)
        await expect(latest(other)).not_to_contain_text("Only you can see this")
        await expect(latest(other).get_by_role("button", name="Post to channel")).to_have_count(0)
        await write(page, "private")
        await option(page, "default", "on")
        await page.keyboard.press("Enter")
        await expect(latest(page)).to_contain_text("Post to channel")
        await write(page, "imagine")
        await option(page, "prompt", "a quiet harbour", required=True)
        await attach(page, PHOTO)
        await page.keyboard.press("Enter")
        await made(page)
        await expect(latest(page)).to_contain_text("Only you can see this")
        await expect(other.locator("li.message")).to_have_count(1)


async def test_each_button_is_in_reach_on_a_phone_in_german(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        walk.scene.playground.set_locale("Ben", "de")
        page = await walk.enter(phone=True)
        await write(page, "imagine")
        await page.get_by_label("prompt").fill("ein stiller Hafen im Morgenlicht, Nebel über dem Wasser")
        await attach(page, PHOTO)
        await page.get_by_role("button", name="count").click()
        await page.keyboard.type("4")
        await page.keyboard.press("Enter")
        await made(page, 4)

        await fits(page)
        for label, named in (("Bearbeiten", "Bearbeiten"), ("Gesicht speichern", "speichern")):
            await latest(page).get_by_role("button", name=label).tap()
            await expect(form(page)).to_contain_text(named)
            await fits(page)
            await form(page).get_by_role("button", name="Close the form").tap()
        await latest(page).get_by_role("button", name="Details").tap()
        await expect(latest(page)).to_contain_text("Only you can see this")
        await fits(page)
