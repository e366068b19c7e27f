from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from db.provider_jobs import Waiting
from services import fairness

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def line(*members: int) -> list[Waiting]:
    """Jobs 0, 1, 2, ... of these members, oldest first."""
    return [Waiting(str(number), number, member, NOW) for number, member in enumerate(members)]


def serving_order(waiting: list[Waiting], in_flight: dict[int, int]) -> list[int]:
    return [int(job.id) for job in fairness.serving_order(waiting, in_flight)]


def test_members_with_one_request_do_not_wait_behind_a_member_with_ten() -> None:
    assert serving_order(line(1, 1, 1, 1, 2, 3), {}) == [0, 4, 5, 1, 2, 3]


def test_who_has_jobs_at_the_provider_comes_after_who_has_none() -> None:
    assert serving_order(line(1, 2), {1: 1}) == [1, 0]


def test_among_equals_the_oldest_comes_first() -> None:
    assert serving_order(line(3, 1, 2), {1: 2, 2: 2, 3: 2}) == [0, 1, 2]


def test_nobody_waiting_is_an_empty_order() -> None:
    assert serving_order([], {1: 1}) == []


@given(st.lists(st.integers(1, 5), max_size=30), st.dictionaries(st.integers(1, 5), st.integers(0, 5)))
def test_everybody_is_served_once_and_each_member_in_order(members: list[int], in_flight: dict[int, int]) -> None:
    order = serving_order(line(*members), in_flight)

    assert sorted(order) == list(range(len(members)))
    for member in set(members):
        own = [number for number in order if members[number] == member]
        assert own == sorted(own)
