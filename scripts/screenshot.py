"""Take the picture for the README: the page of ``make play`` with a real result in it.

.venv/bin/python -m scripts.screenshot     writes docs/playground.png; needs Chromium and requirements-dev.txt
"""

import asyncio
import os
import re
import signal
import sys
import tempfile

from playwright.async_api import Page, ViewportSize, async_playwright

from scripts.browser import NAMES, browser_arguments, find_browser
from scripts.play import ROOT

PORT = 8775
PROMPT = "portrait on a mountain at dawn, mist in the valley, warm light"
PICTURE = ROOT / "docs" / "playground.png"


async def is_ready(playing: asyncio.subprocess.Process) -> None:
    """Wait until it has printed its address, or has ended."""
    while playing.stdout is not None and (line := await playing.stdout.readline()):
        if b"Ctrl-C" in line:
            return


async def take(page: Page) -> None:
    """Make a picture as a newcomer would, and take a picture of that."""
    await page.goto(f"http://127.0.0.1:{PORT}/?member=Ada&channel=pictures")
    await page.get_by_label("Message #pictures").click()
    await page.keyboard.type("/imagine")
    await page.keyboard.press("Enter")
    await page.get_by_label("prompt, required").fill(PROMPT)
    await page.get_by_role("button", name="Use the sample face").click()
    await page.get_by_role("button", name=re.compile("face: sample-face")).wait_for()
    await page.get_by_role("button", name="Add count").click()
    await page.keyboard.type("4")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Mine").click()
    await page.get_by_text("4 images used").wait_for(timeout=60_000)
    await page.wait_for_load_state("networkidle")
    await page.screenshot(path=PICTURE)


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
                page = await browser.new_page(viewport=ViewportSize(width=1080, height=980), color_scheme="light")
                await take(page)
                await browser.close()
        finally:
            playing.send_signal(signal.SIGINT)
            await playing.wait()
    print(f"Wrote {PICTURE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
