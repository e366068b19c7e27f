import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from db.provider_jobs import JobState, ProviderJob
from services.errors import GenerationFailed
from services.gate import Gate, Pauses
from services.hosting import DiscordHosting
from services.imagepipeline.answers import Answer, Busy, Misconfigured, Pending, Rejected, ServiceError, Unreachable
from services.imagepipeline.client import Order
from services.parameters import Api
from services.submitter import Backoff, Submitter
from services.tasks import Tasks
from services.wishes import Asked, Wish, identity_wish
from tests import virtual_time
from tests.conftest import Clock
from tests.services.test_hosting import generation

WISH = identity_wish(Asked(prompt="a harbour"), seed=1)
TAKEN = Pending(job_id="p1", status="")


class Service:
    """Answers what a test has put in line, the last again and again, and moves the wall clock with the loop's."""

    api = Api.IDENTITY
    account_usd = None

    def __init__(self, clock: Clock, *answers: Answer | ServiceError) -> None:
        self.orders: list[Order] = []
        self.asked_at_s: list[float] = []
        self._answers = list(answers)
        self._clock, self._born = clock, clock.now

    def route(self, wish: Wish) -> str:
        return "/"

    async def look(self) -> None:
        return None

    async def submit(self, order: Order) -> Answer:
        now_s = asyncio.get_running_loop().time()
        self._clock.now = self._born + timedelta(seconds=now_s)
        self.orders.append(order)
        self.asked_at_s.append(now_s)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def ask(self, route: str, job_id: str) -> Answer:
        raise AssertionError("nobody asks here")


def job(clock: Clock) -> ProviderJob:
    return ProviderJob(
        id="job-1",
        generation_id=7,
        n=0,
        images=1,
        kind="any",
        tries=0,
        provider_id=None,
        state=JobState.SUBMITTING,
        pictures=0,
        failure_text=None,
        started_at=clock.now,
        submitted_at=None,
    )


def run(
    work: Callable[[Submitter], Coroutine[Any, Any, Any]],
    service: Service,
    clock: Clock,
    *,
    webhook_url: Callable[[str], str] | None = None,
    wanted_for: int = 1000,
) -> Any:
    """Do some work with a submitter; ``wanted_for`` is how many of its questions are answered with yes."""
    questions: list[int] = []

    async def is_wanted(generation_id: int) -> bool:
        questions.append(generation_id)
        return len(questions) <= wanted_for

    async def within() -> Any:
        async with Tasks(grace_s=0.0) as tasks:
            submitter = Submitter(
                client=service,
                hosting=DiscordHosting(),
                webhook_url=webhook_url,
                is_wanted=is_wanted,
                gate=Gate(tasks=tasks, pauses=Pauses()),
                tasks=tasks,
                now=clock,
                timeout=timedelta(minutes=15),
                backoff=Backoff(),
            )
            return await work(submitter)

    return virtual_time.run(within())


def submitting(clock: Clock) -> Callable[[Submitter], Coroutine[Any, Any, Answer | None]]:
    return lambda submitter: submitter.submit(generation(), WISH, job(clock))


def test_an_order_carries_the_jobs_own_key_address_and_webhook(clock: Clock) -> None:
    service = Service(clock, TAKEN)

    answer = run(submitting(clock), service, clock, webhook_url=lambda job_id: f"https://bot.example/hooks/{job_id}")

    (order,) = service.orders
    assert answer == TAKEN
    assert order.idempotency_key == "job-1"
    assert order.photo_urls == ("https://cdn.example/1", "https://cdn.example/2")
    assert order.webhook_url == "https://bot.example/hooks/job-1"


def test_a_service_that_is_away_is_asked_at_growing_intervals_under_the_same_key(clock: Clock) -> None:
    service = Service(clock, *[Unreachable("away")] * 4, TAKEN)

    assert run(submitting(clock), service, clock) == TAKEN

    waits = [later - earlier for earlier, later in zip(service.asked_at_s, service.asked_at_s[1:], strict=False)]
    assert [0.8 * 2**n <= wait <= 1.2 * 2**n for n, wait in enumerate(waits)] == [True] * 4
    assert len({order.idempotency_key for order in service.orders}) == 1


def test_a_429_is_waited_out(clock: Clock) -> None:
    service = Service(clock, Busy(45.0), TAKEN)

    run(submitting(clock), service, clock)

    assert service.asked_at_s == [0.0, 45.0]


def test_a_service_that_stays_away_is_given_up_at_the_deadline(clock: Clock) -> None:
    service = Service(clock, Unreachable("away"))

    with pytest.raises(GenerationFailed, match="could not be reached"):
        run(submitting(clock), service, clock)

    assert 15 * 60 <= service.asked_at_s[-1] <= 16 * 60


def test_what_nobody_wants_any_more_is_not_asked_for_again(clock: Clock) -> None:
    service = Service(clock, Unreachable("away"))

    assert run(submitting(clock), service, clock, wanted_for=2) is None

    assert len(service.orders) == 3


def test_the_time_counts_from_the_slot_and_not_from_the_place_in_line(clock: Clock) -> None:
    clock.advance(hours=5)  # the generation itself is that old
    service = Service(clock, Unreachable("away"), TAKEN)

    assert run(submitting(clock), service, clock) == TAKEN


def test_a_refusal_is_told_to_the_member_and_an_account_to_the_operator(clock: Clock) -> None:
    with pytest.raises(GenerationFailed, match=r"refused the request: too wide\."):
        run(submitting(clock), Service(clock, Rejected("too wide")), clock)
    with pytest.raises(Misconfigured, match="top up"):
        run(submitting(clock), Service(clock, Misconfigured("top up")), clock)


def hook(job_id: str) -> str:
    return f"https://bot.example/hooks/{job_id}"


def test_a_late_webhook_names_the_job_that_a_killed_process_was_submitting(clock: Clock) -> None:
    async def named(submitter: Submitter) -> tuple[str | None, list[bool]]:
        waiting = asyncio.ensure_future(submitter.late_name("job-1"))
        await asyncio.sleep(5)
        told = [
            submitter.named_late("job-2", b'{"job_id": "p2"}'),
            submitter.named_late("job-1", b"nonsense"),
            submitter.named_late("job-1", b'{"status": "completed"}'),
            submitter.named_late("job-1", json.dumps({"job_id": "p1"}).encode()),
            submitter.named_late("job-1", json.dumps({"job_id": "forged later"}).encode()),
        ]
        return await waiting, told

    name, told = run(named, Service(clock, TAKEN), clock, webhook_url=hook)

    assert name == "p1"
    assert told == [False, False, False, True, False]


@pytest.mark.parametrize(("webhooks", "waited_s"), [(True, 20.0), (False, 0.0)])
def test_without_a_late_webhook_the_job_is_submitted_again(clock: Clock, webhooks: bool, waited_s: float) -> None:
    async def named(submitter: Submitter) -> tuple[str | None, float]:
        name = await submitter.late_name("job-1")
        return name, asyncio.get_running_loop().time()

    service = Service(clock, TAKEN)

    assert run(named, service, clock, webhook_url=hook if webhooks else None) == (None, waited_s)
