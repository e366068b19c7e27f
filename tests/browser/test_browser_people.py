"""People and pictures on the page: consent, reports, one's own data, a server's settings, and the bot brought along."""

import json
import re
import zipfile
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.test_browser_playground import latest
from tests.browser.walking import (
    attach,
    fits,
    form,
    made,
    option,
    press,
    run,
    sample,
    submit,
    walking,
    write,
)
from tests.end_to_end.stage import PHOTO


async def ask(page: Page, prompt: str) -> None:
    """Ask for pictures with a photo."""
    await write(page, "imagine")
    await page.get_by_label("prompt").fill(prompt)
    await attach(page, PHOTO)
    await page.get_by_label("prompt").press("Enter")


async def test_who_is_in_the_photo_is_asked_in_german_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path, FACE_CONSENT="ask") as walk:
        for member in ("Ben", "Cleo"):
            walk.scene.playground.set_locale(member, "de")
        page = await walk.enter()
        await ask(page, "ein stiller Hafen")
        await press(page, "Das eines Mitglieds …")
        await form(page).get_by_role("combobox").click()
        await page.get_by_role("option", name="Cleo").click()
        await submit(page)
        other = await walk.enter("Cleo", phone=True)
        await expect(latest(other)).to_contain_text("ein stiller Hafen")
        await fits(other)
        await latest(other).get_by_role("button", name="Foto ansehen").tap()
        await expect(latest(other)).to_contain_text("Only you can see this")
        await expect(latest(other).locator("img").last).to_be_visible()
        await other.get_by_role("button", name="Dismiss message").tap()
        await expect(page.locator("li.message .tile, li.message .thumbnail")).to_have_count(0)
        assert walk.scene.renderer.jobs == []

        await latest(other).get_by_role("button", name="Dieses eine Mal").tap()
        await expect(page.locator("li.message .gallery .tile img")).to_have_count(1)
        await ask(page, "ein roter Ballon")
        await latest(other).get_by_role("button", name="Hier immer").tap()
        await expect(page.locator("li.message .gallery .tile img")).to_have_count(2)
        await run(other, "consent list")
        await expect(latest(other).get_by_role("button", name="Widerrufen")).to_have_count(1)
        await fits(other)
        await latest(other).get_by_role("button", name="Widerrufen").tap()
        await latest(other).get_by_role("button", name=re.compile(r"löschen \(\d\)$")).tap()
        await expect(page.locator("li.message .gallery")).to_have_count(0)
        await run(other, "consent never")
        await ask(page, "ein grüner Hügel")
        await expect(latest(page)).to_contain_text("möchte nicht")
        assert len(walk.scene.renderer.jobs) == 2


async def test_a_report_reaches_the_moderators_whose_buttons_act(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        admin = await walk.enter("Ada")
        await run(admin, "server settings")
        await pick(admin, "Nowhere", "#lounge")
        walk.scene.playground.set_locale("Cleo", "de")
        await walk.scene.delivered(walk.scene.imagine())
        page = await walk.enter("Cleo", phone=True)
        await latest(page).get_by_role("button", name="Report").tap()
        await form(page).get_by_role("textbox").fill("Das bin ich.")
        await fits(page)
        await submit(page)
        await expect(latest(page)).to_contain_text("Only you can see this")

        moderator = await walk.enter("Dora", "lounge")
        await expect(latest(moderator)).to_contain_text("Das bin ich.")
        await expect(latest(moderator).locator(".veil")).to_have_count(1)
        await press(moderator, "Delete pictures")
        await expect(latest(moderator)).to_contain_text("has deleted the pictures")
        await expect(page.locator("li.message .gallery")).to_have_count(0)
        await press(moderator, "Block member")
        await expect(latest(moderator)).to_contain_text("has blocked the member")
        await press(moderator, "Dismiss")
        await expect(latest(moderator)).to_contain_text("has dismissed this")
        refused = await walk.enter("Ben")
        await write(refused, "imagine")
        await option(refused, "prompt", "a quiet harbour", required=True)
        await refused.keyboard.press("Enter")
        await expect(latest(refused)).to_contain_text("Only you can see this")
        await run(admin, "server audit")
        await expect(latest(admin)).to_contain_text("blocked")


async def pick(page: Page, menu: str, *choices: str, number: int = 0) -> None:
    """Choose in a menu of the newest message, and see the message change."""
    box = latest(page).get_by_role("combobox", name=menu).nth(number)
    await box.click()
    for choice in choices:
        await page.get_by_role("option", name=choice, exact=True).click()
    await page.keyboard.press("Escape")
    await expect(latest(page).get_by_role("combobox", name=menu).nth(number)).to_have_text("".join(choices))
    await expect(latest(page).locator("[aria-busy=true]")).to_have_count(0)


async def test_an_admin_sets_the_server_up_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        page = await walk.enter("Ada", phone=True)
        await run(page, "server settings")
        await pick(page, "Everywhere", "#lounge")
        await pick(page, "Everybody", "@Supporters")
        await latest(page).get_by_role("combobox").filter(has_text="Of the member who asked").tap()
        await page.get_by_role("option", name="Deutsch").tap()
        await expect(latest(page).get_by_role("combobox").filter(has_text="Deutsch")).to_be_visible()
        await fits(page)
        await latest(page).get_by_role("button", name="Change the numbers").tap()
        await form(page).get_by_label("Most steps of a picture").fill("many")
        await submit(page)
        await expect(latest(page)).to_contain_text("Nothing was changed")
        await page.get_by_role("button", name="Dismiss message").last.tap()
        await latest(page).get_by_role("button", name="Change the numbers").tap()
        await form(page).get_by_label("Most steps of a picture").fill("10")
        await fits(page)
        await submit(page)
        await expect(latest(page)).to_contain_text("10")

        other = await walk.enter("Cleo", "lounge")
        await write(other, "imagine", "Message #lounge")
        await option(other, "prompt", "a quiet harbour", required=True)
        await other.keyboard.press("Enter")
        await expect(latest(other).get_by_role("button", name="Nochmal")).to_be_visible()
        assert [job.parameters.num_inference_steps for job in walk.scene.renderer.jobs] == [10]


async def test_what_is_kept_is_taken_along_and_erased(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path) as walk:
        await walk.scene.delivered(walk.scene.imagine("a lighthouse"))
        page = await walk.enter()
        await run(page, "quota")
        await expect(latest(page)).to_contain_text("19 left")
        await run(page, "privacy policy")
        await expect(latest(page)).to_contain_text("/privacy export")
        await run(page, "privacy export")
        async with page.expect_download() as download:
            await latest(page).get_by_role("link").first.click()
        with zipfile.ZipFile(await (await download.value).path()) as archive:
            told = json.loads(archive.read("export.json"))
        assert [each["wish"]["prompt"] for each in told["requests"]] == ["a lighthouse"]

        await run(page, "privacy erase")
        await press(page, "Erase everything")
        await expect(latest(page)).to_contain_text("Erased")
        await expect(page.locator("li.message .gallery")).to_have_count(0)
        await run(page, "history")
        await expect(latest(page)).to_contain_text("nothing here yet")


async def test_the_bot_is_brought_along_to_another_server(browser: Browser, tmp_path: Path) -> None:
    async with walking(browser, tmp_path, USER_INSTALLS="on") as walk:
        page = await walk.enter("Ben", "books", phone=True)
        await write(page, "imagine", "Message #books")
        await page.get_by_label("prompt").fill("a quiet harbour")
        await sample(page)
        await page.get_by_label("prompt").press("Enter")
        await made(page)
        await fits(page)
        await latest(page).get_by_role("button", name="Again").tap()
        await expect(page.locator("li.message")).to_have_count(2)
        await made(page)
