"""Rate-limit buckets and their headers. https://discord.com/developers/docs/topics/rate-limits."""

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from playground.errors import Json


class Bucket(StrEnum):
    """What is counted together. The first five count per channel or per interaction, `global` per bot."""

    MESSAGE_CREATE = "message-create"
    MESSAGE_EDIT = "message-edit"
    MESSAGE_DELETE = "message-delete"
    CHANNEL_READ = "channel-read"
    FOLLOWUP = "followup"
    CHANNEL_FOLLOWUP = "channel-followup"
    GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds."""

    limit: int
    per_s: float


# `global` is documented; `followup` and the hidden, shared `channel-followup` were measured by bot authors
# (discord-api-docs issues 2701 and 7243); the rest is what Discord's headers usually say.
DISCORD_LIKE: Mapping[Bucket, Rate] = {
    Bucket.MESSAGE_CREATE: Rate(5, 5.0),
    Bucket.MESSAGE_EDIT: Rate(5, 5.0),
    Bucket.MESSAGE_DELETE: Rate(5, 1.0),
    Bucket.CHANNEL_READ: Rate(10, 10.0),
    Bucket.FOLLOWUP: Rate(5, 2.0),
    Bucket.CHANNEL_FOLLOWUP: Rate(30, 60.0),
    Bucket.GLOBAL: Rate(50, 1.0),
}

# What the headers say where nothing is limited: so much room that no client ever waits.
_UNLIMITED = Rate(1000, 1.0)


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a request may pass, and the headers that tell the client so."""

    headers: dict[str, str]
    retry_after_s: float | None = None
    is_global: bool = False

    def body(self) -> Json:
        """The body of the 429."""
        seconds = self.retry_after_s or 0.0
        return {"message": "You are being rate limited.", "retry_after": seconds, "global": self.is_global}


class RateLimiter:
    """Counts requests in windows that begin with their first request."""

    def __init__(self, now: Callable[[], float], rates: Mapping[Bucket, Rate]) -> None:
        self.rates = dict(rates)
        self._now = now
        self._windows: dict[tuple[Bucket, str], _Window] = {}

    def check(self, bucket: Bucket | None, key: str, *, hidden: str | None = None, counts_globally: bool) -> Verdict:
        """Count a request. `hidden` names the channel whose shared, unannounced bucket an interaction also fills."""
        over = [
            self._count(Bucket.GLOBAL, "") if counts_globally else None,
            self._count(bucket, key) if bucket else None,
            self._count(Bucket.CHANNEL_FOLLOWUP, hidden) if hidden else None,
        ]
        scopes = ("global", "user", "shared")
        for scope, wait_s in zip(scopes, over, strict=True):
            if wait_s is not None:
                return self._refusal(bucket, key, scope=scope, wait_s=wait_s)
        return Verdict(headers=self._headers(bucket, key) if bucket else {})

    def forget(self) -> None:
        """Begin all windows anew."""
        self._windows.clear()

    def _count(self, bucket: Bucket, key: str) -> float | None:
        """Use one of the bucket; the seconds until it is full again when nothing is left."""
        rate = self.rates.get(bucket)
        if rate is None:
            return None
        window = self._window(bucket, key, rate)
        if window.used >= rate.limit:
            return max(window.ends_at - self._now(), 0.001)
        window.used += 1
        return None

    def _window(self, bucket: Bucket, key: str, rate: Rate) -> _Window:
        now = self._now()
        window = self._windows.get((bucket, key))
        if window is None or window.ends_at <= now:
            self._drop_ended(now)
            window = self._windows[bucket, key] = _Window(now + rate.per_s)
        return window

    def _drop_ended(self, now: float) -> None:
        if len(self._windows) > _MANY_WINDOWS:
            self._windows = {key: window for key, window in self._windows.items() if window.ends_at > now}

    def _headers(self, bucket: Bucket, key: str) -> dict[str, str]:
        rate = self.rates.get(bucket, _UNLIMITED)
        window = self._windows.get((bucket, key)) if bucket in self.rates else None
        used, ends_at = (window.used, window.ends_at) if window else (1, self._now() + rate.per_s)
        return {
            "X-RateLimit-Limit": str(rate.limit),
            "X-RateLimit-Remaining": str(max(rate.limit - used, 0)),
            "X-RateLimit-Reset": f"{ends_at:.3f}",
            "X-RateLimit-Reset-After": f"{max(ends_at - self._now(), 0):.3f}",
            "X-RateLimit-Bucket": hashlib.md5(bucket.encode(), usedforsecurity=False).hexdigest(),
        }

    def _refusal(self, bucket: Bucket | None, key: str, *, scope: str, wait_s: float) -> Verdict:
        headers = self._headers(bucket, key) if bucket else {}
        headers |= {"Retry-After": str(math.ceil(wait_s)), "X-RateLimit-Scope": scope}
        if scope == "global":
            headers["X-RateLimit-Global"] = "true"
        return Verdict(headers=headers, retry_after_s=round(wait_s, 3), is_global=scope == "global")


_MANY_WINDOWS = 10_000
