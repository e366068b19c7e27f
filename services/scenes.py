"""What there is to show of a generation, composed from its row and from what is known about the queue."""

from collections.abc import Callable
from datetime import datetime, timedelta

from db.generations import Generation, State
from db.provider_jobs import JobState
from services.errors import GenerationFailed, PhotoRefused
from services.gate import Gate
from services.generations import Generations
from services.pictures import Pictures
from services.presenter import Cancelled, Failure, Progress, Result, Scene, Waiting
from services.provenance import Note, note_for
from services.queue import Queue
from services.quotas import is_private
from services.request import Api, Wish
from services.schedule import Schedule
from services.tokens import TOKENS_MAX, unread
from services.words import _

UNREAD_CHARACTERS_SHOWN = 60


class Scenes:
    """Composes scenes; changes nothing."""

    def __init__(
        self,
        *,
        generations: Generations,
        queue: Queue,
        gate: Gate,
        pictures: Pictures,
        schedule: Schedule,
        now: Callable[[], datetime],
    ) -> None:
        self._generations = generations
        self._queue = queue
        self._gate = gate
        self._pictures = pictures
        self._schedule = schedule
        self._now = now

    async def of(self, generation: Generation, wish: Wish, *, each_max: int) -> Scene:
        """The scene for the row as it is; no picture of it is larger than ``each_max`` bytes.

        Raises:
            GenerationFailed: the pictures are gone.
        """
        match generation.state:
            case State.RECEIVED | State.QUEUED:
                return await self.in_queue(generation, wish)
            case State.WAITING:
                assert generation.wait is not None, "the row of a waiting generation says why"  # noqa: S101 - narrows the type
                return Waiting(wait=generation.wait)
            case State.RUNNING:
                return await self._running(generation, wish)
            case State.FINISHED | State.SETTLED:
                return await self._result(generation, wish, each_max)
            case State.FAILED:
                return Failure(
                    sentence=generation.failure_text or "",
                    refunded=generation.images * generation.weight,
                    private=generation.failure_code == PhotoRefused.code,
                )
            case State.CANCELLED:
                return Cancelled(refunded=generation.images * generation.weight)

    async def in_queue(self, generation: Generation, wish: Wish) -> Progress:
        """Its place, and when it will be ready; of one that is about to be queued, the place that it will get."""
        now = self._now()
        place = await self._queue.place_of(
            generation.id, member_id=generation.member_id, jobs=wish.jobs, now=generation.created_at
        )
        typical_s = self._schedule.typical_s(wish.kind)
        is_known = typical_s is not None and not self._gate.refusal
        ready_at = now + timedelta(seconds=place.rounds * typical_s) if is_known and typical_s else None
        notes = (*_notes(wish), _refused_note()) if self._gate.refusal else _notes(wish)
        return Progress(place=place.place, ready_at=ready_at, notes=notes)

    async def _running(self, generation: Generation, wish: Wish) -> Progress:
        typical_s = self._schedule.typical_s(wish.kind)
        ready_at = generation.changed_at + timedelta(seconds=typical_s) if typical_s else None
        is_ahead = ready_at is not None and ready_at > self._now()
        jobs = await self._generations.jobs(generation.id) if self._gate.refusal else []
        is_held_up = any(job.state is JobState.WAITING for job in jobs)
        notes = (*_notes(wish), _refused_note()) if is_held_up else _notes(wish)
        return Progress(place=None, ready_at=ready_at if is_ahead and not is_held_up else None, notes=notes)

    async def _result(self, generation: Generation, wish: Wish, each_max: int) -> Result:
        def note_of(number: int) -> Note:
            return note_for(wish, number=number, is_private=is_private(generation.scope), made_at=generation.changed_at)

        fitted = await self._pictures.fitted(generation.id, each_max=each_max, note_of=note_of)
        if not fitted.paths:
            raise GenerationFailed("pictures_gone", _("The pictures were made, but are no longer on the bot's disk."))
        return Result(
            pictures=fitted.paths,
            refunded=(wish.images - generation.pictures) * generation.weight,
            missing=generation.failure_text,
            balance=await self._generations.balance(
                scope=generation.scope, member_id=generation.member_id, role_ids=generation.role_ids
            ),
            shrunk=fitted.shrunk,
            unsigned=fitted.unsigned,
        )


def _refused_note() -> str:
    return _(
        "The bot's account at the image service needs its owner's attention. "
        "Your request is kept, and will be made as soon as that is done."
    )


def _notes(wish: Wish) -> tuple[str, ...]:
    """What the member should know about the request. Only the models of the adapters API read so little."""
    if wish.api is not Api.ADAPTERS:
        return wish.notes
    notes = list(wish.notes)
    if rest := _unread(wish.sent_prompt):
        notes.append(
            _(
                "The model reads about {number} words and signs of a prompt. It will not read: {rest}",
                number=TOKENS_MAX,
                rest=rest,
            )
        )
    if rest := _unread(wish.negative_prompt or ""):
        notes.append(
            _(
                "The model reads about {number} words and signs of a negative prompt. It will not read: {rest}",
                number=TOKENS_MAX,
                rest=rest,
            )
        )
    return tuple(notes)


def _unread(prompt: str) -> str:
    """The beginning of what the model will not read of it."""
    rest = unread(prompt)
    return rest if len(rest) <= UNREAD_CHARACTERS_SHOWN else f"{rest[: UNREAD_CHARACTERS_SHOWN - 1]}…"
