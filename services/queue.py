"""Who waits, at which place, and who is next."""

from datetime import datetime, timedelta

from db.generations import Waiting
from db.provider_jobs import ProviderJob
from services.fairness import serving_order
from services.generations import Generations

# A face's address at Discord is signed for a day; after that the provider could not fetch it any more.
# https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
WAIT_MAX = timedelta(hours=23)


class Queue:
    """The queued generations and the slots at the provider; both are only read from their rows."""

    def __init__(self, generations: Generations, *, in_flight_max: int) -> None:
        self._generations = generations
        self._in_flight_max = in_flight_max

    async def claim(self) -> ProviderJob | None:
        """Give the next in line a slot, if one is free."""
        line = await self._generations.line()
        if sum(line.in_flight.values()) >= self._in_flight_max:
            return None
        for generation_id in serving_order(line.waiting, line.in_flight):
            job = await self._generations.start(generation_id)
            if job is not None:
                return job
        return None

    async def is_moving(self) -> bool:
        """Whether a slot is free, so that whoever is next will be taken at once."""
        line = await self._generations.line()
        return sum(line.in_flight.values()) < self._in_flight_max

    async def place_of(self, generation_id: int, *, member_id: int, now: datetime) -> int:
        """The place in line, from 1; of one that is not in it yet, the place that it would get."""
        line = await self._generations.line()
        waiting = list(line.waiting)
        if all(generation.id != generation_id for generation in waiting):
            waiting.append(Waiting(generation_id, member_id, now))
        return serving_order(waiting, line.in_flight).index(generation_id) + 1

    async def expired(self, now: datetime) -> list[int]:
        """Those who have waited too long to be served at all."""
        line = await self._generations.line()
        return [generation.id for generation in line.waiting if now - generation.created_at > WAIT_MAX]
