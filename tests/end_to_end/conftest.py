import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from scripts.words import template
from services import words
from tests.end_to_end.stage import Stage, stage
from tests.languages import MARKED, marked


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path) as opened:
        yield opened


@pytest.fixture
def asking(scene: Stage) -> Stage:
    scene.env["FACE_CONSENT"] = "ask"
    return scene


@pytest.fixture(scope="session")
def said() -> Catalog:
    return template()


@pytest.fixture(params=[MARKED, "de"])
def locale(request: pytest.FixtureRequest, said: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What members speak; one of the two is the language in which everything is marked."""
    folder = tmp_path / "locales"
    shutil.copytree(words.CATALOGUES, folder)
    language = MARKED.partition("-")[0]
    with (folder / f"{language}.po").open("wb") as file:
        write_po(file, marked(said, language))
    monkeypatch.setattr(words, "CATALOGUES", folder)
    monkeypatch.setattr(words, "_catalogues", {})
    return request.param
