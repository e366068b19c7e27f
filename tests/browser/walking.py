"""Members who use the real bot on the page, each in a window of their own."""

import contextlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.test_browser_playground import begin, latest
from tests.end_to_end.stage import Photo, Stage, stage

# What reaches beyond the window.
BEYOND = """() => [...document.querySelectorAll("main *, dialog[open] *, [popover]:popover-open *")]
  .filter((one) => !one.closest(".sr-only") && one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.className)"""
OVERFLOW_PX = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True, slots=True)
class Walk:
    """The stage with a running bot, and windows onto it."""

    scene: Stage
    visitor: Visitor

    async def enter(self, member: str = "Ben", channel: str = "pictures", *, phone: bool = False) -> Page:
        return await self.visitor.open(member, channel, phone=phone)


@contextlib.asynccontextmanager
async def walking(browser: Browser, folder: Path, **env: str) -> AsyncGenerator[Walk]:
    """A bot with these settings; whatever goes wrong inside a window fails the test."""
    problems: list[str] = []
    async with stage(folder) as scene:
        scene.env |= env
        async with scene.bot():
            yield Walk(scene, Visitor(browser, scene.playground, problems))
    assert problems == []


async def write(page: Page, command: str, channel: str = "Message #pictures") -> None:
    """Begin a command, from wherever the focus is."""
    await page.get_by_label(channel).focus()
    await begin(page, command)


async def run(page: Page, command: str, channel: str = "Message #pictures") -> None:
    """Send a command that asks for nothing."""
    await write(page, command, channel)
    await page.keyboard.press("Enter")


async def option(page: Page, name: str, value: str, *, required: bool = False) -> None:
    """Fill in an option that is offered, or one that is there already."""
    if not required:
        await page.get_by_role("button", name=re.compile(f"^Add {name}: ")).click()
    await page.get_by_label(re.compile(f"^{name}(, required)?: ")).fill(value)
    choice = page.get_by_role("option", name=value, exact=True)
    if not required and await choice.count():
        await choice.click()


async def attach(page: Page, photo: Photo) -> None:
    """Choose a photo from the disk for the option that takes one."""
    async with page.expect_file_chooser() as chooser:
        await page.locator(".file-field .file-choose").first.click()
    kind = "image/png" if photo[0].endswith("png") else "image/jpeg"
    await (await chooser.value).set_files({"name": photo[0], "mimeType": kind, "buffer": photo[1]})


async def sample(page: Page) -> None:
    """Take the face that the page offers."""
    await page.get_by_role("button", name="Use the sample face").click()
    await expect(page.get_by_role("button", name=re.compile("sample-face")).first).to_be_visible()


async def press(page: Page, label: str) -> None:
    """Press a button of the newest message."""
    await latest(page).get_by_role("button", name=label, exact=True).click()


def form(page: Page) -> Locator:
    """The form that is open."""
    return page.get_by_role("dialog")


async def submit(page: Page) -> None:
    """Send the open form, and see it close."""
    await form(page).get_by_role("button", name="Submit").click()
    await expect(form(page)).to_have_count(0)


async def menu(page: Page, message: Locator, command: str) -> None:
    """Choose a command from a message's menu."""
    await message.get_by_role("button", name="More for this message").click()
    await page.get_by_role("menuitem", name=command).click()


async def made(page: Page, pictures: int = 1) -> None:
    """Wait until the newest message is a result of so many pictures."""
    await expect(latest(page).get_by_role("button", name=re.compile("^(Delete|Löschen)$"))).to_be_visible()
    await expect(latest(page).locator(".gallery .tile img")).to_have_count(pictures)


async def fits(page: Page) -> None:
    """Nothing is wider than the window, and each button of the open form or the newest message can be pressed."""
    assert await page.evaluate(OVERFLOW_PX) == 0
    assert await page.evaluate(BEYOND) == []
    front = form(page) if await form(page).count() else latest(page)
    for button in await front.locator("button:not(:disabled):not(.icon-button)").all():
        await button.scroll_into_view_if_needed()
        await expect(button).to_be_in_viewport(ratio=1)
        await button.click(trial=True)
