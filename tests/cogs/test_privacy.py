"""What ``/privacy policy`` says."""

from datetime import timedelta

from cogs.views.privacy import policy_text
from services.privacy import Retention


def policy(*, checker: str | None = None, history_days: int | None = None, contact: str | None = None) -> str:
    history = timedelta(days=history_days) if history_days else None
    retention = Retention(history=history, audit=timedelta(days=365))
    return policy_text(service="api.example", checker=checker, retention=retention, face_days=90, contact=contact)


def test_the_policy_tells_what_holds_for_this_very_bot() -> None:
    least = policy()
    most = policy(checker="check.example", history_days=30, contact="ada@example.org")

    assert "`api.example`" in least
    assert "kept until you erase it" in least
    assert "checker" not in least
    assert "checker at `check.example`" in most
    assert "forgotten after 30 days" in most
    assert "kept for 365 days" in most
    assert "at most 72 hours" in most
    assert most.endswith("ada@example.org")
