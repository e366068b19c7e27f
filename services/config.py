"""The settings: read once from the environment, checked, then trusted."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from services.errors import ConfigError
from services.request import Api, Family, model_id_problem
from services.vault import KEY_BYTES, read_keys

_DATABASE_PREFIX = "sqlite:///"
_FACE_HOSTINGS = ("discord", "public")
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can set; ``.env.example`` says what each is for."""

    discord_token: str = field(repr=False)
    discord_api_url: str
    discord_gateway_url: str | None
    discord_guild_id: int | None
    imagepipeline_api_key: str = field(repr=False)
    imagepipeline_url: str
    imagepipeline_api: Api
    server_id: str | None
    imagepipeline_max_in_flight: int
    member_queue: int
    blocked_members: frozenset[int]
    database: Path
    default_model: Family
    sd_model_id: str
    sdxl_model_id: str
    catalog_file: Path | None
    safety_checker: bool
    quota_images: int
    quota_hours: int
    server_budget_day: int | None
    server_budget_month: int | None
    job_timeout_minutes: int
    face_detection: bool
    face_hosting: str
    face_keys: tuple[bytes, ...] = field(repr=False)
    face_days: int
    history_days: int | None
    audit_days: int
    operator_contact: str | None
    public_url: str | None
    http_host: str
    http_port: int | None
    metrics: bool
    log_level: str
    log_format: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the environment.

        Raises:
            ConfigError: naming every missing or wrong variable at once.
        """
        read = _Reader(env)
        settings = cls(
            discord_token=read.secret("DISCORD_TOKEN", "the bot's token from the Discord developer portal"),
            discord_api_url=read.url("DISCORD_API_URL", "https://discord.com/api/v10", schemes=("https", "http")),
            discord_gateway_url=read.optional_url("DISCORD_GATEWAY_URL", schemes=("wss", "ws")),
            discord_guild_id=read.optional_number("DISCORD_GUILD_ID", 1, 2**63 - 1),
            imagepipeline_api_key=read.secret("IMAGEPIPELINE_API_KEY", "the key of your ImagePipeline account"),
            imagepipeline_url=read.url("IMAGEPIPELINE_URL", "https://api.imagepipeline.io", schemes=("https", "http")),
            imagepipeline_api=Api(read.choice("IMAGEPIPELINE_API", Api.ADAPTERS, tuple(Api))),
            server_id=read.text("IMAGEPIPELINE_SERVER_ID", "") or None,
            imagepipeline_max_in_flight=read.number("IMAGEPIPELINE_MAX_IN_FLIGHT", 8, 1, 1000),
            member_queue=read.number("MEMBER_QUEUE", 20, 1, 1000),
            blocked_members=read.ids("BLOCKED_MEMBERS"),
            database=read.database("DATABASE_URL", "sqlite:///data/facelock.db"),
            default_model=Family(read.choice("DEFAULT_MODEL", Family.SDXL, tuple(Family))),
            sd_model_id=read.model_id("SD_MODEL_ID", "sd1.5", Family.SD),
            sdxl_model_id=read.model_id("SDXL_MODEL_ID", "sdxl", Family.SDXL),
            catalog_file=read.optional_path("CATALOG_FILE"),
            safety_checker=read.switch("SAFETY_CHECKER", default=True),
            quota_images=read.number("QUOTA_IMAGES", 20, 1, 1_000_000),
            quota_hours=read.number("QUOTA_HOURS", 24, 1, 24 * 366),
            server_budget_day=read.optional_number("SERVER_BUDGET_DAY", 1, 1_000_000),
            server_budget_month=read.optional_number("SERVER_BUDGET_MONTH", 1, 100_000_000),
            job_timeout_minutes=read.number("JOB_TIMEOUT_MINUTES", 15, 1, 24 * 60),
            face_detection=read.switch("FACE_DETECTION", default=True),
            face_hosting=read.choice("FACE_HOSTING", "discord", _FACE_HOSTINGS),
            face_keys=read.keys("FACE_KEY"),
            face_days=read.number("FACE_DAYS", 90, 8, 3650),
            history_days=read.optional_number("HISTORY_DAYS", 1, 3650),
            audit_days=read.number("AUDIT_DAYS", 365, 30, 3650),
            operator_contact=read.text("OPERATOR_CONTACT", "") or None,
            public_url=read.optional_url("PUBLIC_URL", schemes=("https", "http")),
            http_host=read.text("HTTP_HOST", "127.0.0.1"),
            http_port=read.optional_number("HTTP_PORT", 1, 65535),
            metrics=read.switch("METRICS", default=False),
            log_level=read.choice("LOG_LEVEL", "INFO", _LOG_LEVELS),
            log_format=read.choice("LOG_FORMAT", "text", _LOG_FORMATS),
        )
        if settings.face_hosting == "public" and settings.public_url is None:
            read.problems.append("FACE_HOSTING=public needs PUBLIC_URL, the address under which the bot can be reached")
        if settings.public_url is not None and settings.http_port is None:
            read.problems.append("PUBLIC_URL needs HTTP_PORT, the port where the bot listens for what comes from there")
        if settings.metrics and settings.http_port is None:
            read.problems.append("METRICS=on needs HTTP_PORT, the port where the bot answers /metrics")
        if read.problems:
            raise ConfigError(read.problems)
        return settings


def variables() -> list[str]:
    """The names of all variables that ``Settings.from_env`` reads, in its order."""
    asked: list[str] = []

    class Asked(dict[str, str]):
        def get(self, key: str, default: str = "", /) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
            asked.append(key)
            return default

    with contextlib.suppress(ConfigError):
        Settings.from_env(Asked())
    return asked


class _Reader:
    """Reads variables one by one and remembers what was wrong with each; an empty variable counts as unset."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def text(self, name: str, default: str) -> str:
        return self._env.get(name, "").strip() or default

    def secret(self, name: str, what: str) -> str:
        value = self.text(name, "")
        if not value:
            self._complain(name, f"is missing: set it to {what}")
        elif not value.isascii() or not value.isprintable() or " " in value:
            self._complain(name, f"has characters that cannot be in {what}: copy it again")
        return value

    def number(self, name: str, default: int, lowest: int, highest: int) -> int:
        value = self.optional_number(name, lowest, highest)
        return default if value is None else value

    def optional_number(self, name: str, lowest: int, highest: int) -> int | None:
        text = self.text(name, "")
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and lowest <= int(text) <= highest):
            self._complain(name, f"should be a whole number from {lowest} to {highest}, not {text!r}")
            return None
        return int(text)

    def ids(self, name: str) -> frozenset[int]:
        texts = [text.strip() for text in self.text(name, "").split(",") if text.strip()]
        if not all(text.isascii() and text.isdecimal() and 0 < int(text) < 2**63 for text in texts):
            self._complain(name, "should be ids of Discord, whole numbers with commas between them")
            return frozenset()
        return frozenset(map(int, texts))

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        text = self.text(name, default)
        found = next((choice for choice in choices if choice.lower() == text.lower()), None)
        if found is None:
            self._complain(name, f"should be one of {', '.join(choices)}, not {text!r}")
        return found or default

    def switch(self, name: str, *, default: bool) -> bool:
        return self.choice(name, "on" if default else "off", ("on", "off")) == "on"

    def url(self, name: str, default: str, *, schemes: tuple[str, ...]) -> str:
        return self.optional_url(name, schemes=schemes) or default

    def optional_url(self, name: str, *, schemes: tuple[str, ...]) -> str | None:
        text = self.text(name, "").rstrip("/")
        if not text:
            return None
        if not _is_url(text, schemes):
            self._complain(name, f"should be an address that begins with {' or '.join(f'{s}://' for s in schemes)}")
            return None
        return text

    def database(self, name: str, default: str) -> Path:
        text = self.text(name, default)
        path = text.removeprefix(_DATABASE_PREFIX)
        if not text.startswith(_DATABASE_PREFIX) or not path or path.endswith("/"):
            self._complain(name, f"should name a file, such as {default} (four slashes for an absolute path)")
            path = default.removeprefix(_DATABASE_PREFIX)
        return Path(path)

    def optional_path(self, name: str) -> Path | None:
        text = self.text(name, "")
        return Path(text) if text else None

    def keys(self, name: str) -> tuple[bytes, ...]:
        try:
            return read_keys(self.text(name, ""))
        except ValueError:
            self._complain(name, f"should be keys of {KEY_BYTES} bytes in base64, with commas between them")
            return ()

    def model_id(self, name: str, default: str, family: Family) -> str:
        value = self.text(name, default)
        problem = model_id_problem(value, family)
        if problem:
            self._complain(name, f"should be {problem}, not {value!r}")
        return value

    def _complain(self, name: str, problem: str) -> None:
        self.problems.append(f"{name} {problem}")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:  # a port that is no number, an unfinished IPv6 address
        return False
