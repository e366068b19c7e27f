"""Who may have how many images, held against a second reckoning that keeps every charge in a list."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import accepting
from db import ledger, quotas
from db.connection import Database
from db.generations import NewGeneration
from db.quotas import RoleQuota
from services.errors import BudgetExceeded, GenerationFailed, Paused, QuotaExceeded, UserError
from services.generations import Generations
from services.presenter import Shown
from services.quotas import Quota, ServerLimits, lower
from tests.conftest import Clock

GUILD, MEMBER = 1, 7
SCOPE = f"guild:{GUILD}"
PAINTERS, PATRONS = 31, 32
FAULT = GenerationFailed("test", "It did not work.")
numbers = itertools.count(1)


def new(
    images: int = 1, *, member: int = MEMBER, roles: Sequence[int] = (), weight: int = 1, scope: str = SCOPE
) -> NewGeneration:
    return NewGeneration(
        interaction_id=next(numbers),
        application_id=1,
        token="token",
        scope=scope,
        channel_id=2,
        member_id=member,
        locale="en-GB",
        file_limit_bytes=10,
        wish="{}",
        images=images,
        weight=weight,
        role_ids=tuple(roles),
    )


@dataclass
class Bank:
    """Generations with a quota of ten images a day, in a server whose limits a test sets."""

    database: Database
    clock: Clock
    limits: ServerLimits = field(default_factory=ServerLimits)
    quota: Quota = field(default_factory=lambda: Quota(images=10, window=timedelta(hours=24)))

    def __post_init__(self) -> None:
        self.generations = Generations(
            self.database, quota=self.quota, limits=lambda _guild: self.limits, unfinished_max=10**9, now=self.clock
        )

    async def accept(self, wanted: NewGeneration) -> int:
        accepted = await self.generations.accept(wanted)
        assert accepted is not None
        return accepted

    async def finish(self, generation_id: int, pictures: int) -> None:
        """Let it come out with so many pictures."""
        generation = await self.generations.get(generation_id)
        assert generation is not None
        await self.generations.queue(generation, kind="any", jobs=1, shown=Shown(message_id=generation_id))
        (waiting,) = await self.generations.jobs(generation_id)
        job = await self.generations.start(waiting.id)
        assert job is not None
        await self.generations.job_done(job, pictures=pictures, length=None)

    async def role(self, role_id: int, images: int, hours: int = 24) -> None:
        async with self.database.transaction() as connection:
            await quotas.set_role_quota(connection, GUILD, RoleQuota(role_id=role_id, images=images, hours=hours))

    async def grant(
        self, images: int, *, days: float = 1, member: int = MEMBER, interaction_id: int | None = None
    ) -> bool:
        async with self.database.transaction() as connection:
            return await ledger.grant(
                connection,
                interaction_id=next(numbers) if interaction_id is None else interaction_id,
                scope=SCOPE,
                member_id=member,
                images=images,
                expires_at=self.clock.now + timedelta(days=days),
                reason=None,
                at=self.clock.now,
            )

    async def left(self, *roles: int, member: int = MEMBER, scope: str = SCOPE) -> tuple[int, int]:
        """What is left of the quota, and of grants."""
        balance = await self.generations.balance(scope=scope, member_id=member, role_ids=roles)
        return balance.left, balance.bonus

    async def rows(self, generation_id: int) -> list[tuple[str, int | None, int]]:
        async with self.database.connection() as connection:
            sql = "SELECT kind, grant_id, images FROM ledger WHERE generation_id = ? ORDER BY id"
            return [(row[0], row[1], row[2]) for row in await connection.execute_fetchall(sql, (generation_id,))]


@pytest.fixture
def bank(database: Database, clock: Clock) -> Bank:
    return Bank(database, clock)


# ------------------------------------------------------------------------------------------------------ roles


async def test_the_best_of_a_members_roles_wins_and_none_takes_anything_away(bank: Bank) -> None:
    await bank.role(PAINTERS, 30)
    await bank.role(PATRONS, 5)

    assert await bank.left() == (10, 0)
    assert await bank.left(PATRONS) == (10, 0)
    assert await bank.left(PATRONS, PAINTERS) == (30, 0)
    await bank.accept(new(25, roles=[PATRONS, PAINTERS]))
    assert await bank.left(PAINTERS) == (5, 0)
    assert await bank.left() == (0, 0)  # without the role


async def test_of_quotas_with_different_windows_the_one_counts_that_leaves_more_now(bank: Bank, clock: Clock) -> None:
    await bank.role(PAINTERS, 20, hours=24 * 30)
    await bank.accept(new(18, roles=[PAINTERS]))

    assert await bank.left(PAINTERS) == (2, 0)
    clock.advance(hours=25)
    assert await bank.left(PAINTERS) == (10, 0)


async def test_a_refusal_names_the_first_moment_at_which_any_quota_has_enough(bank: Bank, clock: Clock) -> None:
    await bank.role(PAINTERS, 20, hours=24 * 30)
    await bank.accept(new(20, roles=[PAINTERS]))
    day = clock.now + timedelta(hours=24)

    with pytest.raises(QuotaExceeded) as refused:
        await bank.accept(new(3, roles=[PAINTERS]))

    assert refused.value.enough_at == day


async def test_a_roles_quota_counts_in_its_own_server_alone(bank: Bank) -> None:
    await bank.role(PAINTERS, 30)

    assert await bank.left(PAINTERS, scope="guild:2") == (10, 0)
    assert await bank.left(PAINTERS, scope=f"member:{MEMBER}") == (10, 0)


async def test_a_generation_remembers_which_of_the_roles_had_a_quota(bank: Bank) -> None:
    await bank.role(PAINTERS, 30)

    generation = await bank.generations.get(await bank.accept(new(12, roles=[5, PAINTERS, 6])))

    assert generation is not None
    assert generation.role_ids == (PAINTERS,)


async def test_a_quota_that_a_role_loses_leaves_nothing_below_nothing(bank: Bank, database: Database) -> None:
    await bank.role(PAINTERS, 30)
    await bank.accept(new(30, roles=[PAINTERS]))
    await bank.grant(3)
    async with database.transaction() as connection:
        assert await quotas.remove_role_quota(connection, GUILD, PAINTERS)
        assert not await quotas.remove_role_quota(connection, GUILD, PAINTERS)

    assert await bank.left(PAINTERS) == (0, 3)
    await bank.accept(new(3, roles=[PAINTERS]))
    assert await bank.left(PAINTERS) == (0, 0)


@pytest.mark.parametrize(("images", "hours"), [(0, 24), (-5, 24), (10**6 + 1, 24), (5, 0), (5, 8785)])
async def test_the_database_takes_no_quota_out_of_range(bank: Bank, images: int, hours: int) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        await bank.role(PAINTERS, images, hours)


# ----------------------------------------------------------------------------------------------------- grants


async def test_a_grant_is_spent_once_the_quota_is_and_the_one_that_ends_first_before_others(bank: Bank) -> None:
    await bank.grant(4, days=9)
    await bank.grant(2, days=2)

    generation_id = await bank.accept(new(13))

    assert await bank.left() == (0, 3)
    (_, quota, ten), (_, sooner, two), (_, later, one) = await bank.rows(generation_id)
    assert (quota, ten, two, one) == (None, 10, 2, 1)
    assert sooner is not None
    assert later is not None
    assert sooner > later


async def test_a_refund_goes_back_to_where_it_came_from_the_last_spent_first(bank: Bank) -> None:
    await bank.grant(4)
    generation_id = await bank.accept(new(12))

    await bank.finish(generation_id, pictures=9)

    assert await bank.left() == (1, 4)
    await bank.generations.fail(generation_id, FAULT)
    assert await bank.left() == (10, 4)


async def test_a_grant_ends_and_what_is_refunded_to_it_later_is_gone(bank: Bank, clock: Clock) -> None:
    await bank.grant(4, days=0.5)
    generation_id = await bank.accept(new(12))
    clock.advance(hours=12)
    assert await bank.left() == (0, 0)

    await bank.generations.cancel(generation_id)

    assert await bank.left() == (10, 0)
    assert [images for kind, _, images in await bank.rows(generation_id) if kind == "refund"] == [2, 10]


async def test_the_same_command_grants_once(bank: Bank) -> None:
    assert await bank.grant(4, interaction_id=99)
    assert not await bank.grant(4, interaction_id=99)

    assert await bank.left() == (10, 4)


async def test_nobody_spends_what_another_was_granted(bank: Bank, database: Database, clock: Clock) -> None:
    await bank.grant(5)
    assert await bank.left(member=8) == (10, 0)
    generation_id = await bank.accept(new(1, member=8))
    async with database.connection() as connection:
        (grant,) = await ledger.grants(connection, scope=SCOPE, member_id=MEMBER, now=clock.now)

    for member, images in ((8, 1), (MEMBER, 6)):
        with pytest.raises(sqlite3.IntegrityError, match="exceeds its grant"):
            async with database.transaction() as connection:
                await ledger.charge(
                    connection,
                    generation_id=generation_id,
                    scope=SCOPE,
                    member_id=member,
                    grant_id=grant.id,
                    images=images,
                    at=clock.now,
                )


async def test_who_has_no_bonus_for_so_many_is_told_when_there_is_enough(bank: Bank, clock: Clock) -> None:
    await bank.grant(3, days=0.5)
    await bank.accept(new(6))
    clock.advance(hours=1)
    await bank.accept(new(4))

    with pytest.raises(QuotaExceeded, match="You have 3 images left, 3 of them a bonus") as refused:
        await bank.accept(new(8))

    # The bonus has ended by then, and the first six that come free are not enough.
    assert refused.value.enough_at == clock.now + timedelta(hours=24)


# ---------------------------------------------------------------------------------------------------- budgets


async def test_all_members_together_stay_within_the_servers_budget_bonuses_included(bank: Bank) -> None:
    bank.limits = ServerLimits(images_per_day=15)
    await bank.accept(new(10))
    await bank.grant(10, member=8)

    with pytest.raises(BudgetExceeded, match="15 images in 24 hours, and 5 are left"):
        await bank.accept(new(6, member=8))
    await bank.accept(new(5, member=8))
    await bank.accept(new(10, member=8, scope="guild:2"))
    await bank.accept(new(10, scope=f"member:{MEMBER}"))


async def test_a_budget_slides_and_a_refund_comes_back_to_it(bank: Bank, clock: Clock) -> None:
    bank.limits = ServerLimits(images_per_day=10, images_per_month=15)
    clock.advance(minutes=25)
    first = await bank.accept(new(10))
    clock.advance(hours=24, microseconds=-1)

    with pytest.raises(BudgetExceeded, match="24 hours"):
        await bank.accept(new(1, member=8))
    clock.advance(microseconds=1)
    await bank.accept(new(5, member=8))
    with pytest.raises(BudgetExceeded, match="30 days") as refused:
        await bank.accept(new(1, member=9))
    # The hour in which the first came is over by then.
    assert refused.value.enough_at == datetime.fromisoformat("2026-12-21T13:00:00+00:00")
    await bank.generations.fail(first, FAULT)
    await bank.accept(new(5, member=9))


async def test_the_moment_that_a_refusal_names_is_no_false_promise(bank: Bank, clock: Clock) -> None:
    bank.limits = ServerLimits(images_per_month=10)
    for minutes in (10, 30, 70):
        clock.advance(minutes=minutes)
        await bank.accept(new(3))

    with pytest.raises(BudgetExceeded) as refused:
        await bank.accept(new(5, member=8))
    assert refused.value.enough_at is not None
    clock.now = refused.value.enough_at
    await bank.accept(new(5, member=8))


async def test_a_request_larger_than_the_whole_budget_is_told_so(bank: Bank) -> None:
    bank.limits = ServerLimits(images_per_day=2)

    with pytest.raises(BudgetExceeded, match="This would be more"):
        await bank.accept(new(3))


def test_of_two_limits_the_lower_budgets_and_the_longer_pause_hold() -> None:
    operators = ServerLimits(images_per_day=10, cooldown_s=5)
    own = ServerLimits(images_per_day=20, images_per_month=30, cooldown_s=2)

    held = ServerLimits(images_per_day=10, images_per_month=30, cooldown_s=5)
    assert lower(operators, own) == lower(own, operators) == held


# --------------------------------------------------------------------------------------------------- cooldown


async def test_a_member_waits_between_two_requests_and_nobody_else_does(bank: Bank, clock: Clock) -> None:
    bank.limits = ServerLimits(cooldown_s=90)
    first = await bank.accept(new())
    await bank.generations.fail(first, FAULT)  # it was accepted all the same
    clock.advance(seconds=89)

    with pytest.raises(Paused, match=rf"waits 90 seconds .* <t:{int(clock.now.timestamp()) + 1}:R>"):
        await bank.accept(new())
    await bank.accept(new(member=8))
    await bank.accept(new(scope="guild:2"))
    clock.advance(seconds=1)
    await bank.accept(new())


async def test_a_clock_that_ran_ahead_pauses_nobody_and_gives_nothing_away(bank: Bank, clock: Clock) -> None:
    bank.limits = ServerLimits(cooldown_s=90, images_per_day=14)
    await bank.accept(new(6))
    clock.advance(days=-3)

    await bank.accept(new(4))

    assert await bank.left() == (0, 0)
    clock.advance(hours=1)
    with pytest.raises(QuotaExceeded):
        await bank.accept(new())
    with pytest.raises(BudgetExceeded):
        await bank.accept(new(5, member=8))


# ---------------------------------------------------------------------------------------------------- weights


async def test_a_picture_is_charged_and_refunded_with_its_weight(bank: Bank) -> None:
    generation_id = await bank.accept(new(4, weight=2))
    assert await bank.left() == (2, 0)

    await bank.finish(generation_id, pictures=3)
    assert await bank.left() == (4, 0)
    await bank.generations.fail(generation_id, FAULT)
    assert await bank.left() == (10, 0)
    cancelled = await bank.accept(new(1, weight=9))
    await bank.generations.cancel(cancelled)
    assert await bank.left() == (10, 0)


@pytest.mark.parametrize(
    ("used", "images", "weight", "told"),
    [
        (4, 4, 2, "You have 6 of your 10 images left. There will be enough for 8 <t:{t}:R>; ask for fewer until then."),
        (9, 2, 2, "You have 1 of your 10 images left. There will be enough for one picture <t:{t}:R>."),
        (10, 1, 2, "You have no images left. There will be enough for one picture <t:{t}:R>."),
        (4, 4, 3, "You have 6 of your 10 images left. The whole quota is 10. Ask for fewer pictures."),
        (
            0,
            1,
            11,
            "You have 10 of your 10 images left. "
            "The whole quota is 10. Choose another model, a smaller size or fewer steps.",
        ),
    ],
)
async def test_a_refusal_speaks_of_the_weight(
    bank: Bank, clock: Clock, used: int, images: int, weight: int, told: str
) -> None:
    free_at = int(clock.now.timestamp()) + 24 * 3600
    if used:
        await bank.accept(new(used))

    with pytest.raises(QuotaExceeded) as refused:
        await bank.accept(new(images, weight=weight))

    assert str(refused.value) == f"{told.format(t=free_at)} Each of these pictures counts as {weight} images."


# ------------------------------------------------------------------------------------------------- properties


@dataclass
class Taken:
    """A request as the second reckoning knows it: what was taken, from where, and what it costs now."""

    member: int
    at: datetime
    parts: list[tuple[int | None, int]]


@dataclass
class Reckoning:
    """All rules once more, over plain lists."""

    limits: ServerLimits
    roles: dict[int, tuple[int, int]]
    taken: dict[int, Taken] = field(default_factory=dict[int, Taken])
    granted: list[tuple[int, int, datetime]] = field(default_factory=list[tuple[int, int, datetime]])

    def spent(self, member: int | None, source: Callable[[int | None], bool], since: datetime) -> int:
        return sum(
            images
            for each in self.taken.values()
            if (member is None or each.member == member) and each.at > since
            for grant, images in each.parts
            if source(grant)
        )

    def quota_left(self, member: int, roles: Sequence[int], now: datetime) -> int:
        offered = [(10, 24), *(self.roles[role] for role in roles)]
        return max(
            0,
            *(
                images - self.spent(member, lambda grant: grant is None, now - timedelta(hours=hours))
                for images, hours in offered
            ),
        )

    def grants_left(self, member: int, now: datetime) -> list[tuple[int, int]]:
        alive = [
            (expires_at, n, images)
            for n, (owner, images, expires_at) in enumerate(self.granted)
            if owner == member and expires_at > now
        ]
        beginning = now - timedelta(days=10**5)
        left = (
            (n, images - self.spent(None, lambda grant, n=n: grant == n, beginning)) for _, n, images in sorted(alive)
        )
        return [(n, images) for n, images in left if images]

    def refusal(self, wanted: NewGeneration, now: datetime) -> type[UserError] | None:
        price = wanted.images * wanted.weight
        cooldown = timedelta(seconds=self.limits.cooldown_s)
        if any(each.member == wanted.member_id and now - cooldown < each.at <= now for each in self.taken.values()):
            return Paused
        grants = self.grants_left(wanted.member_id, now)
        if price > self.quota_left(wanted.member_id, wanted.role_ids, now) + sum(images for _, images in grants):
            return QuotaExceeded
        for most, days in ((self.limits.images_per_day, 1), (self.limits.images_per_month, 30)):
            spent = self.spent(None, lambda _grant: True, now - timedelta(days=days))
            if most is not None and spent + price > most:
                return BudgetExceeded
        return None

    def take(self, generation_id: int, wanted: NewGeneration, now: datetime) -> None:
        price, parts = wanted.images * wanted.weight, list[tuple[int | None, int]]()
        quota = self.quota_left(wanted.member_id, wanted.role_ids, now)
        for source, left in [(None, quota), *self.grants_left(wanted.member_id, now)]:
            if min(left, price):
                parts.append((source, min(left, price)))
                price -= min(left, price)
        self.taken[generation_id] = Taken(wanted.member_id, now, parts)

    def give_back(self, generation_id: int, images: int) -> None:
        parts = self.taken[generation_id].parts
        while images:
            source, left = parts.pop()
            if left > images:
                parts.append((source, left - images))
            images -= min(left, images)


LIMITS = st.builds(
    ServerLimits,
    images_per_day=st.none() | st.integers(0, 40),
    images_per_month=st.none() | st.integers(0, 60),
    cooldown_s=st.sampled_from([0, 0, 60, 5000]),
)
ROLES = st.fixed_dictionaries(
    {
        PAINTERS: st.tuples(st.integers(1, 40), st.sampled_from([1, 24, 24 * 30])),
        PATRONS: st.tuples(st.integers(1, 12), st.sampled_from([1, 48])),
    }
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ask", "ask", "finish", "fail", "cancel", "grant"]),
        st.sampled_from([7, 8]),  # member
        st.integers(1, 4),  # images, or which generation
        st.integers(1, 3),  # weight, or days
        st.sets(st.sampled_from([PAINTERS, PATRONS])),
        st.sampled_from([0, 1, 59, 3600, 40_000, 90_000, -30, -7200]),  # seconds until then
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limits=LIMITS, roles=ROLES, steps=STEPS)
async def test_whatever_happens_every_image_is_accounted_for(
    database: Database,
    clock: Clock,
    limits: ServerLimits,
    roles: dict[int, tuple[int, int]],
    steps: list[tuple[str, int, int, int, set[int], int]],
) -> None:
    clock.advance(days=100)  # each example begins with empty windows
    bank = Bank(database, clock, limits=limits)
    reckoning = Reckoning(limits=limits, roles=roles)
    for role_id, (images, hours) in roles.items():
        await bank.role(role_id, images, hours)
    open_ones: list[tuple[int, NewGeneration]] = []
    for what, member, number, other, role_ids, seconds in steps:
        clock.advance(seconds=seconds)
        if what == "grant":
            await bank.grant(number, days=other, member=member)
            reckoning.granted.append((member, number, clock.now + timedelta(days=other)))
        elif what == "ask":
            wanted = new(number, member=member, weight=other, roles=sorted(role_ids))
            refusal = reckoning.refusal(wanted, clock.now)
            if refusal is not None:
                with pytest.raises(refusal):
                    await bank.accept(wanted)
                continue
            accepted = await bank.accept(wanted)
            reckoning.take(accepted, wanted, clock.now)
            open_ones.append((accepted, wanted))
        elif open_ones:
            generation_id, wanted = open_ones.pop(number % len(open_ones))
            if what == "finish":
                pictures = min(other, wanted.images)
                await bank.finish(generation_id, pictures)
                reckoning.give_back(generation_id, (wanted.images - pictures) * wanted.weight)
            else:
                end = bank.generations.cancel if what == "cancel" else _failing(bank)
                assert await end(generation_id)
                reckoning.give_back(generation_id, wanted.images * wanted.weight)
        for someone in (7, 8):
            bonus = sum(images for _, images in reckoning.grants_left(someone, clock.now))
            left = reckoning.quota_left(someone, sorted(role_ids), clock.now)
            assert await bank.left(*role_ids, member=someone) == (left, bonus)


def _failing(bank: Bank) -> Callable[[int], "asyncio.Future[bool]"]:
    return lambda generation_id: asyncio.ensure_future(bank.generations.fail(generation_id, FAULT))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.tuples(st.sampled_from([7, 8, 9]), st.integers(1, 4), st.integers(1, 3)), min_size=2, max_size=20
    ),
    ends=st.lists(st.sampled_from(["fail", "cancel", "finish"]), max_size=20),
    budget=st.none() | st.integers(1, 40),
    bonus=st.integers(0, 5),
)
async def test_no_interleaving_overdraws(
    database: Database,
    clock: Clock,
    asked: list[tuple[int, int, int]],
    ends: list[str],
    budget: int | None,
    bonus: int,
) -> None:
    clock.advance(days=100)
    bank = Bank(database, clock, limits=ServerLimits(images_per_day=budget))
    for member in (7, 8, 9):
        if bonus:
            await bank.grant(bonus, member=member)

    async def live(wanted: NewGeneration, end: str | None) -> int:
        """What the request costs in the end; 0 where it is refused."""
        try:
            generation_id = await bank.accept(wanted)
        except (QuotaExceeded, BudgetExceeded):
            return 0
        if end == "finish":
            await bank.finish(generation_id, 1)
            return wanted.weight
        if end is not None:
            await (bank.generations.cancel(generation_id) if end == "cancel" else _failing(bank)(generation_id))
            return 0
        return wanted.images * wanted.weight

    wishes = [new(images, member=member, weight=weight) for member, images, weight in asked]
    costs = await asyncio.gather(*(live(*each) for each in itertools.zip_longest(wishes, ends[: len(wishes)])))

    for member in (7, 8, 9):
        cost = sum(cost for cost, wish in zip(costs, wishes, strict=True) if wish.member_id == member)
        left = await bank.left(member=member)
        assert sum(left) == 10 + bonus - cost
        assert min(left) >= 0
    assert budget is None or sum(costs) <= budget
    async with database.connection() as connection:
        in_hours = await ledger.spendings_of_all(connection, scope=SCOPE, since=clock.now - timedelta(days=30))
        top = await ledger.top_spenders(connection, scope=SCOPE, since=clock.now - timedelta(days=30), limit=9)
    assert sum(spending.images for spending in in_hours) == sum(spender.images for spender in top) == sum(costs)


async def test_a_replay_is_taken_once_whatever_the_pause_and_the_budget_say(bank: Bank) -> None:
    bank.limits = ServerLimits(images_per_day=3, cooldown_s=60)
    wanted = new(3)
    await bank.accept(wanted)

    assert await bank.generations.accept(replace(wanted)) is None


async def steps_to_accept(path: Path, clock: Clock, *, old_requests: int) -> int:
    """How much SQLite does for one request after so many, in hundreds of its own steps."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    async with Database.open(path, owner_wait_s=0.0) as database:
        await accepting.fill(database, old_requests, members=10)
        limits = ServerLimits(images_per_day=10**9, images_per_month=10**9, cooldown_s=1)
        bank = Bank(database, clock, limits=limits)
        async with database.connection() as connection:
            await connection.set_progress_handler(count, 100)
        await bank.accept(new(1, roles=[accepting.ROLE]))
    return steps


async def test_a_request_takes_no_more_work_after_a_long_history(tmp_path: Path, clock: Clock) -> None:
    short = await steps_to_accept(tmp_path / "short.db", clock, old_requests=2_000)
    long = await steps_to_accept(tmp_path / "long.db", clock, old_requests=40_000)

    assert long < 1.5 * short
