"""The bot itself on the page: what a newcomer sees after ``make play``."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import begin, latest
from tests.end_to_end.stage import Stage, stage


async def imagine(page: Page, prompt: str, *, count: int = 1) -> None:
    """Type the command, take the sample face, and send it."""
    await begin(page, "imagine")
    await page.get_by_label("prompt, required").fill(prompt)
    await page.get_by_role("button", name="Use the sample face").click()
    await expect(page.get_by_role("button", name=re.compile("face: sample-face"))).to_be_visible()
    await page.get_by_role("button", name="Add count").click()
    await page.keyboard.type(str(count))
    await page.keyboard.press("Enter")


async def open_page(browser: Browser, scene: Stage, problems: list[str], *, phone: bool = False) -> Page:
    return await Visitor(browser, scene.playground, problems).open("Ben", phone=phone)


async def _makes_pictures(browser: Browser, scene: Stage, problems: list[str]) -> None:
    async with scene.bot():
        page = await open_page(browser, scene, problems)
        scene.renderer.open.clear()

        await imagine(page, "a quiet harbour", count=4)
        await latest(page).get_by_role("button", name="Mine").click()

        await expect(latest(page)).to_contain_text("Making your 4 pictures")
        await expect(latest(page).get_by_alt_text("Face", exact=True)).to_be_visible()
        scene.renderer.open.set()
        await expect(latest(page)).to_contain_text("4 images used, 16 of 20 left")
        await expect(latest(page).get_by_alt_text("a quiet harbour")).to_have_count(4)


async def test_a_newcomer_gets_pictures_of_the_sample_face(browser: Browser, tmp_path: Path) -> None:
    problems: list[str] = []
    async with stage(tmp_path) as scene:
        scene.env["FACE_CONSENT"] = "declare"  # as make play has it
        await _makes_pictures(browser, scene, problems)

    assert problems == []


async def test_a_refusal_is_for_the_asker_alone(browser: Browser, tmp_path: Path) -> None:
    problems: list[str] = []
    async with stage(tmp_path) as scene:
        scene.env["QUOTA_IMAGES"] = "1"
        async with scene.bot():
            page = await open_page(browser, scene, problems)

            await imagine(page, "a quiet harbour", count=2)

            await expect(latest(page)).to_contain_text("You have 1 of your 1 image left")
            await expect(latest(page)).to_contain_text("Only you can see this")

    assert problems == []


async def test_it_works_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    problems: list[str] = []
    async with stage(tmp_path) as scene, scene.bot():
        page = await open_page(browser, scene, problems, phone=True)

        await imagine(page, "a quiet harbour", count=2)

        await expect(latest(page)).to_contain_text("2 images used")
        width = await page.evaluate("document.documentElement.scrollWidth")

    assert width <= 390
    assert problems == []


async def test_the_history_shows_each_request_with_its_own_picture(browser: Browser, tmp_path: Path) -> None:
    problems: list[str] = []
    async with stage(tmp_path) as scene, scene.bot():
        results = [await scene.delivered(scene.imagine(prompt, photo=None)) for prompt in ("first", "second")]
        page = await open_page(browser, scene, problems)

        await begin(page, "history")
        await page.keyboard.press("Enter")

        thumbnails = latest(page).locator(".thumbnail img")
        await expect(thumbnails).to_have_count(2)
        shown = [await thumbnails.nth(number).get_attribute("src") or "" for number in range(2)]

    newest_first = [message.body.gallery[0] for message in reversed(results)]
    assert [src.split("/")[-2] for src in shown] == [str(picture.id) for picture in newest_first]
    assert problems == []
