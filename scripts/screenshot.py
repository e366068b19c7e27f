"""Take the pictures for the README: the page of ``make play`` with real results in it.

.venv/bin/python -m scripts.screenshot     writes docs/*.png; needs Chromium and requirements-dev.txt
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator

from playwright.async_api import Browser, Locator, Page, async_playwright

from scripts.browser import NAMES, browser_arguments, find_browser
from scripts.play import ROOT

PORT = 8775
DOCS = ROOT / "docs"
PHONE_WIDTH = 390


async def is_ready(playing: asyncio.subprocess.Process) -> None:
    """Wait until it has printed its address, or has ended."""
    while playing.stdout is not None and (line := await playing.stdout.readline()):
        if b"Ctrl-C" in line:
            return


@contextlib.asynccontextmanager
async def opened(
    browser: Browser, member: str, channel: str = "pictures", *, width: int = 1080, height: int = 1060
) -> AsyncGenerator[Page]:
    """A window in which somebody looks at a channel; on a phone with twice as many pixels, as phones have."""
    is_phone = width == PHONE_WIDTH
    page = await browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="light",
        has_touch=is_phone,
        device_scale_factor=2 if is_phone else 1,
    )
    await page.goto(f"http://127.0.0.1:{PORT}/?member={member}&channel={channel}")
    await page.get_by_role("combobox", name=re.compile("^Message ")).click()
    yield page
    await page.close()


def latest(page: Page) -> Locator:
    """The newest message."""
    return page.locator("li.message").last


async def save(page: Page, name: str) -> None:
    """Take a picture of the window, with nothing pointed at."""
    path = DOCS / f"{name}.png"
    await page.wait_for_load_state("networkidle")
    await page.evaluate("document.activeElement.blur()")
    await page.mouse.move(0, 0)
    await page.screenshot(path=path)
    print(f"Wrote {path.relative_to(ROOT)}, {path.stat().st_size // 1024} kB")


async def begin(page: Page, command: str) -> None:
    """Type a command and take it."""
    await page.keyboard.type(f"/{command}")
    await page.get_by_role("listbox", name="Commands").get_by_role("option").first.wait_for()
    await page.keyboard.press("Enter")


async def imagine(page: Page, prompt: str, **options: str) -> None:
    """Ask for pictures of the sample face."""
    await begin(page, "imagine")
    await page.get_by_label("prompt").fill(prompt)
    await page.get_by_role("button", name="Use the sample face").click()
    await page.get_by_role("button", name=re.compile("sample-face")).first.wait_for()
    for name, value in options.items():
        await page.get_by_role("button", name=re.compile(f"^Add {name}: ")).click()
        await page.keyboard.type(value)
    await page.get_by_label("prompt").press("Enter")


async def result(browser: Browser) -> None:
    """Four pictures with their buttons, made as a newcomer makes them."""
    async with opened(browser, "Ada") as page:
        await imagine(page, "portrait on a mountain at dawn, mist in the valley, warm light", count="4")
        await latest(page).get_by_role("button", name="Mine").click()
        await page.get_by_text("4 images used").wait_for(timeout=60_000)
        await save(page, "playground")


async def settings(browser: Browser) -> None:
    """What an admin sets for the server; from here on members are asked before pictures are made of them."""
    async with opened(browser, "Ada", "lounge", height=1290) as page:
        await begin(page, "server settings")
        await page.keyboard.press("Enter")
        await latest(page).get_by_role("combobox").filter(has_text="As the bot's operator wants it").click()
        await page.get_by_role("option", name="The member who is shown").click()
        await save(page, "settings")


async def consent(browser: Browser) -> None:
    """What a member is asked whose photo somebody else takes: here Ada, who has said that the face is hers."""
    async with opened(browser, "Ben") as page, opened(browser, "Ada", height=624) as other:
        await imagine(page, "as a lighthouse keeper in a storm, oil painting")
        await other.get_by_role("button", name="See the photo").wait_for()
        await save(other, "consent")


async def phone(browser: Browser) -> None:
    """The same bot in German, in a hand."""
    async with opened(browser, "Ada", "dm", width=PHONE_WIDTH, height=844) as page:
        await page.request.post(f"http://127.0.0.1:{PORT}/client/members/Ada", data={"locale": "de"})
        await imagine(page, "Spaziergang im Herbstwald", count="2")
        await latest(page).get_by_role("button", name="Löschen").wait_for(timeout=60_000)
        await save(page, "phone")


async def main() -> int:
    """The exit status."""
    browser_path = find_browser()
    if browser_path is None:
        print(f"No browser found: install one of {', '.join(NAMES)}.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as data:
        env = os.environ | {"PLAY_PORT": str(PORT), "PLAY_DATA": data}
        playing = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "scripts.play", cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
        )
        try:
            await is_ready(playing)
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(executable_path=browser_path, args=browser_arguments())
                for take in (result, settings, consent, phone):
                    await take(browser)
                await browser.close()
        finally:
            playing.send_signal(signal.SIGINT)
            await playing.wait()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
