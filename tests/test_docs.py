"""What is written about the settings and commands must be what they are."""

import re
from pathlib import Path

from dotenv import dotenv_values

from services.catalog import base_models, read_catalog
from services.config import Settings, variables
from services.parameters import BASE_MODELS, Family

ROOT = Path(__file__).parent.parent
NEEDED = {"DISCORD_TOKEN": "token", "IMAGEPIPELINE_API_KEY": "key"}


def test_the_example_file_names_every_setting_and_no_other() -> None:
    assert sorted(dotenv_values(ROOT / ".env.example")) == sorted(variables())


def test_the_example_file_shows_the_true_defaults() -> None:
    shown = {name: value or "" for name, value in dotenv_values(ROOT / ".env.example").items()}

    assert Settings.from_env(shown | NEEDED) == Settings.from_env(NEEDED)


def test_the_readme_explains_every_setting_and_no_other() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Settings")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `([A-Z_]+)`", table, re.MULTILINE)) == sorted(variables())


def test_the_example_catalogue_can_be_read() -> None:
    catalog = read_catalog(ROOT / "catalog.example.toml", base_models(BASE_MODELS, default=Family.SDXL))

    assert [model.label for model in catalog.models][2:] == ["Storybook"]
    assert [extra.label for extra in catalog.extras] == ["Fix hands"]
