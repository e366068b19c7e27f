"""Rate-limit buckets."""

from dataclasses import dataclass

import pytest

from playground.rate_limits import DISCORD_LIKE, Bucket, Rate, RateLimiter


@dataclass
class Time:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def now() -> Time:
    return Time()


def test_a_bucket_refuses_until_its_window_ends(now: Time) -> None:
    limiter = RateLimiter(now, {Bucket.FOLLOWUP: Rate(2, 2.0)})

    waits = [limiter.check(Bucket.FOLLOWUP, "a", counts_globally=False).retry_after_s for _ in range(3)]
    now.now_s += 2.0

    assert waits == [None, None, 2.0]
    assert limiter.check(Bucket.FOLLOWUP, "a", counts_globally=False).retry_after_s is None


def test_every_interaction_has_a_bucket_of_its_own(now: Time) -> None:
    limiter = RateLimiter(now, {Bucket.FOLLOWUP: Rate(1, 2.0)})

    verdicts = [limiter.check(Bucket.FOLLOWUP, key, counts_globally=False) for key in ("a", "b")]

    assert [verdict.retry_after_s for verdict in verdicts] == [None, None]


def test_the_headers_count_down(now: Time) -> None:
    limiter = RateLimiter(now, {Bucket.FOLLOWUP: Rate(2, 2.0)})

    headers = [limiter.check(Bucket.FOLLOWUP, "a", counts_globally=False).headers for _ in range(3)]

    assert [h["X-RateLimit-Remaining"] for h in headers] == ["1", "0", "0"]
    assert headers[2]["X-RateLimit-Scope"] == "user"
    assert headers[2]["Retry-After"] == "2"
    assert headers[0]["X-RateLimit-Bucket"] == headers[1]["X-RateLimit-Bucket"]


def test_the_channels_hidden_bucket_is_shared_by_its_interactions(now: Time) -> None:
    limiter = RateLimiter(now, {Bucket.CHANNEL_FOLLOWUP: Rate(2, 60.0)})

    verdicts = [
        limiter.check(Bucket.FOLLOWUP, token, hidden="channel", counts_globally=False) for token in ("a", "b", "c")
    ]

    assert [verdict.retry_after_s for verdict in verdicts] == [None, None, 60.0]
    assert verdicts[2].headers["X-RateLimit-Scope"] == "shared"
    assert verdicts[2].headers["X-RateLimit-Remaining"] != "0"


def test_the_global_limit_counts_the_bots_own_requests_only(now: Time) -> None:
    limiter = RateLimiter(now, {Bucket.GLOBAL: Rate(1, 1.0)})

    verdicts = [limiter.check(None, "", counts_globally=counts) for counts in (True, False, True)]

    assert [verdict.is_global for verdict in verdicts] == [False, False, True]
    assert verdicts[2].body()["global"] is True


def test_without_limits_the_headers_leave_room(now: Time) -> None:
    limiter = RateLimiter(now, {})

    verdicts = [limiter.check(Bucket.FOLLOWUP, "a", counts_globally=True) for _ in range(2000)]

    assert all(verdict.retry_after_s is None for verdict in verdicts)
    assert verdicts[-1].headers["X-RateLimit-Remaining"] == "999"


def test_discords_own_rates_cover_every_bucket() -> None:
    assert set(DISCORD_LIKE) == set(Bucket)
