"""Who waits, at which place, and who is next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from db.provider_jobs import ProviderJob, Waiting
from services.fairness import serving_order
from services.generations import Generations

# A photo's address at Discord is signed for a day; after that the provider could not fetch it any more.
# https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
WAIT_MAX = timedelta(hours=23)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a generation stands. ``place`` counts generations from 1; ``rounds`` is how many times all slots will have
    been used when its last job is done.
    """

    place: int
    rounds: int


class Queue:
    """The waiting jobs and the slots at the provider; both are only read from their rows."""

    def __init__(self, generations: Generations, *, in_flight_max: int) -> None:
        self._generations = generations
        self._in_flight_max = in_flight_max

    async def claim(self) -> ProviderJob | None:
        """Give the next in line a slot, if one is free."""
        line = await self._generations.line()
        if sum(line.in_flight.values()) >= self._in_flight_max:
            return None
        for waiting in serving_order(line.waiting, line.in_flight):
            job = await self._generations.start(waiting.id)
            if job is not None:
                return job
        return None

    async def is_moving(self) -> bool:
        """Whether a slot is free, so that whoever is next will be taken at once."""
        line = await self._generations.line()
        return sum(line.in_flight.values()) < self._in_flight_max

    async def place_of(self, generation_id: int, *, member_id: int, jobs: int, now: datetime) -> Place:
        """The place in line; of one that is not in it yet, the place that it would get with that many jobs."""
        line = await self._generations.line()
        waiting = list(line.waiting)
        if all(job.generation_id != generation_id for job in waiting):
            waiting += [Waiting("", generation_id, member_id, now)] * jobs
        order = [job.generation_id for job in serving_order(waiting, line.in_flight)]
        before = order[: order.index(generation_id)]
        last = len(order) - order[::-1].index(generation_id)
        busy = sum(line.in_flight.values())
        return Place(place=len(set(before)) + 1, rounds=-(-(busy + last) // self._in_flight_max))

    async def expired(self, now: datetime) -> list[int]:
        """The generations that have waited too long to be served at all."""
        line = await self._generations.line()
        return sorted({job.generation_id for job in line.waiting if now - job.begun_at > WAIT_MAX})
