"""A real browser, and the playground with a tiny bot for it to look at."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from playground.server import Playground
from scripts.browser import NAMES, browser_arguments, find_browser
from tests.playground.tiny_bot import TinyBot, connected

DESKTOP = ViewportSize(width=1180, height=800)
PHONE = ViewportSize(width=390, height=800)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """The installed Chromium; without one the test is skipped and says so."""
    executable = find_browser()
    if executable is None:
        pytest.skip(f"no browser found: install one of {', '.join(NAMES)}")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=executable, args=browser_arguments())
        yield launched
        await launched.close()


@pytest.fixture
async def playground() -> AsyncIterator[Playground]:
    async with Playground.run() as running:
        yield running


@pytest.fixture
async def bot(playground: Playground, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TinyBot]:
    async with connected(playground, monkeypatch) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Visitor:
    """Opens pages of the playground; whatever goes wrong inside them fails the test."""

    browser: Browser
    playground: Playground
    problems: list[str]

    async def open(self, member: str = "Ada", channel: str = "pictures", *, phone: bool = False) -> Page:
        page = await self.browser.new_page(viewport=PHONE if phone else DESKTOP, has_touch=phone)
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.append(said.text) if said.type == "error" else None)
        await page.goto(f"{self.playground.url}/?member={member}&channel={channel}")
        await page.get_by_label(f"Message #{channel}").wait_for()
        return page


@pytest.fixture
async def visitor(browser: Browser, playground: Playground) -> AsyncIterator[Visitor]:
    problems: list[str] = []
    yield Visitor(browser, playground, problems)
    assert not problems
