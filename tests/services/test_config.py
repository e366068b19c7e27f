import base64
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.config import Settings
from services.errors import ConfigError
from services.parameters import Api, Family

NEEDED = {"DISCORD_TOKEN": "token", "IMAGEPIPELINE_API_KEY": "key"}


def test_two_variables_are_enough() -> None:
    settings = Settings.from_env(NEEDED)

    assert settings.discord_api_url == "https://discord.com/api/v10"
    assert settings.imagepipeline_url == "https://api.imagepipeline.io"
    assert settings.default_model is Family.SDXL
    assert settings.database == Path("data/facelock.db")
    assert settings.imagepipeline_api is Api.ADAPTERS
    assert (settings.face_hosting, settings.public_url, settings.catalog_file) == ("discord", None, None)
    assert settings.safety_checker
    assert (settings.quota_images, settings.quota_hours, settings.member_queue) == (20, 24, 20)
    assert (settings.discord_guild_id, settings.http_port, settings.discord_gateway_url) == (None, None, None)


def test_an_empty_variable_counts_as_unset() -> None:
    empty = dict.fromkeys(["DISCORD_GUILD_ID", "HTTP_PORT", "QUOTA_IMAGES", "DEFAULT_MODEL"], "  ")

    assert Settings.from_env(NEEDED | empty) == Settings.from_env(NEEDED)


def test_every_problem_is_named_at_once_with_what_it_should_be() -> None:
    with pytest.raises(ConfigError) as error:
        Settings.from_env({"QUOTA_IMAGES": "many", "HTTP_PORT": "70000", "DEFAULT_MODEL": "flux"})

    assert [problem.split()[0] for problem in error.value.problems] == [
        "DISCORD_TOKEN",
        "IMAGEPIPELINE_API_KEY",
        "DEFAULT_MODEL",
        "QUOTA_IMAGES",
        "HTTP_PORT",
    ]
    assert "a whole number from 1 to 65535, not '70000'" in str(error.value)
    assert "one of sd, sdxl, not 'flux'" in str(error.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DISCORD_API_URL", "discord.com"),
        ("DISCORD_API_URL", "https://"),
        ("DISCORD_GATEWAY_URL", "https://gateway.example"),
        ("IMAGEPIPELINE_URL", "http://host:port"),
        ("DATABASE_URL", "postgres://x/y"),
        ("DATABASE_URL", "sqlite:///"),
        ("DATABASE_URL", "sqlite:///data/"),
        ("QUOTA_HOURS", "0"),
        ("MEMBER_QUEUE", "-1"),
        ("MEMBER_QUEUE", "²"),
        ("SD_MODEL_ID", "sdxl"),
        ("SDXL_MODEL_ID", "my model"),
        ("LOG_LEVEL", "LOUD"),
        ("FACE_DETECTION", "maybe"),
        ("IMAGEPIPELINE_API_KEY", "two words"),
        ("DISCORD_TOKEN", "tökén"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"- {name} ") as error:
        Settings.from_env(NEEDED | {name: value})
    assert len(error.value.problems) == 1


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///data/x.db", "data/x.db"), ("sqlite:////var/lib/x.db", "/var/lib/x.db"), ("sqlite:///x", "x")],
)
def test_three_slashes_are_relative_and_four_are_absolute(url: str, path: str) -> None:
    assert Settings.from_env(NEEDED | {"DATABASE_URL": url}).database == Path(path)


def test_a_checkpoint_may_be_named_by_its_uuid() -> None:
    uuid = "0b9f3a1c-5c1e-4f7a-9d5b-1f2e3d4c5b6a"

    assert Settings.from_env(NEEDED | {"SDXL_MODEL_ID": uuid}).sdxl_model_id == uuid


def test_secrets_are_not_in_the_settings_printed_form() -> None:
    printed = repr(Settings.from_env({"DISCORD_TOKEN": "hush-1", "IMAGEPIPELINE_API_KEY": "hush-2"}))

    assert "hush" not in printed


@given(st.dictionaries(st.sampled_from(["DISCORD_API_URL", "QUOTA_IMAGES", "DATABASE_URL", "HTTP_PORT"]), st.text()))
def test_any_text_is_settings_or_a_list_of_problems(values: dict[str, str]) -> None:
    with contextlib.suppress(ConfigError):
        assert Settings.from_env(NEEDED | values).database.name


@pytest.mark.parametrize(
    ("env", "needed"),
    [
        ({"PUBLIC_URL": "https://bot.example"}, "PUBLIC_URL needs HTTP_PORT"),
        ({"FACE_HOSTING": "public"}, "FACE_HOSTING=public needs PUBLIC_URL"),
    ],
)
def test_settings_that_need_each_other_say_so(env: dict[str, str], needed: str) -> None:
    with pytest.raises(ConfigError, match=needed):
        Settings.from_env(NEEDED | env)

    Settings.from_env(NEEDED | env | {"PUBLIC_URL": "https://bot.example", "HTTP_PORT": "8080"})


@pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
def test_several_keys_are_read_in_their_order_in_either_alphabet(between: str) -> None:
    keys = [bytes([number]) * 32 for number in (255, 1)]
    text = between.join([base64.urlsafe_b64encode(keys[0]).decode(), base64.b64encode(keys[1]).decode()])

    assert Settings.from_env(NEEDED | {"FACE_KEY": text}).face_keys == tuple(keys)


@pytest.mark.parametrize(
    "key", ["hush", f"{base64.b64encode(b'hush' * 8).decode()}!", base64.b64encode(b"hush").decode()]
)
def test_a_wrong_key_is_named_and_not_repeated(key: str) -> None:
    with pytest.raises(ConfigError) as error:
        Settings.from_env(NEEDED | {"FACE_KEY": key})

    assert error.value.problems == ["FACE_KEY should be keys of 32 bytes in base64, with commas between them"]
