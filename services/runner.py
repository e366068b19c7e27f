"""The job runner: carries every accepted generation through its life, and takes all of them up again at a start."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from db.connection import StorageError
from db.generations import Generation, NewGeneration, Source, State, Wait, WaitsFor
from db.provider_jobs import ProviderJob
from services import words
from services.allowance import Allowance
from services.consents import Consents
from services.delivery import Delivery
from services.errors import GenerationFailed, PhotoRefused, Restarting, SeveralFaces, UserError
from services.faces import Faces
from services.gate import Gate
from services.generations import Generations
from services.intake import Intake
from services.jobs import Jobs, internal_failure
from services.kept import KeptPhotos, numbers_of_choices, url_of
from services.photos import Photos, Prepared
from services.pictures import Pictures
from services.presenter import NeverAcknowledged
from services.prints import prints_of
from services.questions import Questions
from services.queue import Queue
from services.quotas import Balance, scope_of
from services.scenes import Scenes
from services.schedule import Schedule
from services.surroundings import Limits, Outside, Timing
from services.tasks import Tasks
from services.wishes import Wish
from services.words import _

log = logging.getLogger(__name__)

# How long a member may choose among the faces in their photo. The faces are shown through the interaction's token, and
# so is what they are told at the end: https://discord.com/developers/docs/interactions/receiving-and-responding
CHOICE_MAX = timedelta(minutes=14)


class Runner:
    """Owns the tasks. Everything that it knows of a generation is in the database. While its jobs stand in line and are
    made, ``Jobs`` has it.
    """

    def __init__(
        self,
        *,
        generations: Generations,
        schedule: Schedule,
        outside: Outside,
        photos: Photos,
        faces: Faces,
        kept: KeptPhotos,
        consents: Consents,
        pictures: Pictures,
        limits: Limits,
        tasks: Tasks,
        now: Callable[[], datetime],
        timing: Timing,
    ) -> None:
        self._generations = generations
        self._consents = consents
        self._kept = kept
        self._client = outside.client
        self._hosting = outside.hosting
        self._pictures = pictures
        self._limits = limits
        self._tasks = tasks
        self._now = now
        self._timing = timing
        self._takes_more = True
        self._taken_in: dict[int, bool] = {}  # what is being taken in, and whether it was cancelled meanwhile
        self._queue = Queue(generations, in_flight_max=limits.in_flight_max)
        self._gate = Gate(tasks=tasks, pauses=timing.pauses)
        self._scenes = Scenes(
            generations=generations,
            queue=self._queue,
            gate=self._gate,
            pictures=pictures,
            kept=kept,
            schedule=schedule,
            now=now,
        )
        self._delivery = Delivery(
            presenter=outside.presenter,
            generations=generations,
            tasks=tasks,
            now=now,
            allowance=Allowance(clock=asyncio.get_running_loop().time),
            scene_of=self._scenes.of,
            on_over=self._discard,
            first_retry_s=timing.show_first_s,
        )
        self._intake = Intake(
            downloads=outside.photo_downloads,
            photos=photos,
            faces=faces,
            kept=kept,
            hosting=outside.hosting,
            delivery=self._delivery,
            tasks=tasks,
        )
        self._questions = Questions(
            consents,
            asking=outside.asking,
            on_unreachable=self._fail,
            tasks=tasks,
            retry_s=timing.ask_again_s,
        )
        self._jobs = Jobs(
            generations=generations,
            queue=self._queue,
            gate=self._gate,
            schedule=schedule,
            outside=outside,
            pictures=pictures,
            limits=limits,
            tasks=tasks,
            now=now,
            timing=timing,
            show=self._delivery.wake,
            fail=self._fail,
            discard=self._discard,
        )

    @property
    def account_usd(self) -> float | None:
        """What the image service last said is left in the operator's account; None where it never said."""
        return self._client.account_usd

    async def start(self) -> None:
        """Take up everything that is not over; call it once Discord can be reached."""
        unfinished = await self._generations.unfinished()
        await self._pictures.sweep(generation.id for generation in unfinished)
        await self._hosting.sweep(generation.id for generation in unfinished)
        self._tasks.spawn(self._expire(), "expiry")
        self._tasks.spawn(self._questions.run(), "questions")
        for generation in unfinished:
            await self._resume(generation)
        await self._jobs.start()
        for generation_id in await self._generations.behind():
            self._delivery.wake(generation_id)
        if unfinished:
            log.info("took up %d unfinished generations", len(unfinished))

    async def accept(self, new: NewGeneration) -> int | None:
        """Take a request with its charge, before it is acknowledged; None where this command was taken already.

        Raises:
            UserError: nothing was taken; the text says why.
        """
        if not self._takes_more:
            raise Restarting
        weight = self._limits.weight_of(Wish.from_json(new.wish))
        return await self._generations.accept(replace(new, weight=weight))

    async def acknowledged(self, generation_id: int, message_id: int | None) -> None:
        """The member has seen that it was taken: begin. Discord may have named the message already."""
        if message_id is not None:
            await self._generations.set_message(generation_id, message_id)
        self._begin(generation_id, self._take_in, "take in")

    async def unacknowledged(self, generation_id: int) -> None:
        """The member has been told that the command failed: undo it."""
        text = _("Discord did not take the answer in time.")
        await self._fail(generation_id, GenerationFailed("unacknowledged", text))

    async def cancel(self, generation_id: int) -> bool:
        """Nobody wants it any more: refund it, and drop what the image service may still make of it. False where that
        comes too late.
        """
        if not await self._generations.cancel(generation_id):
            return False
        self._show_end(generation_id)
        return True

    async def end(self, generation_id: int, error: UserError) -> None:
        """It must not be made, for this reason: the same as if it had failed."""
        if await self._generations.fail(generation_id, error):
            self._show_end(generation_id)

    async def end_blocked(self, member_id: int, *, guild_id: int) -> None:
        """The member was blocked in that server: what they have under way there must not be made or posted."""
        scope = scope_of(guild_id=guild_id, member_id=member_id)
        for generation in await self._generations.unfinished():
            if generation.member_id == member_id and generation.scope == scope:
                with words.speaking(generation.locale):
                    text = _("A moderator of this server has blocked the member who asked for it.")
                await self.end(generation.id, GenerationFailed("blocked", text))

    def _show_end(self, generation_id: int) -> None:
        if generation_id in self._taken_in:
            self._taken_in[generation_id] = True  # its message is being edited, which must not come after ours
        else:
            self._delivery.wake(generation_id)
        self._jobs.wake()

    async def resume(self, generation_id: int) -> bool:
        """The person for whom it waits has answered: take it in once more. False where it waits no more."""
        if not await self._generations.resume(generation_id):
            return False
        self.resumed(generation_id)
        return True

    def resumed(self, generation_id: int) -> None:
        """Its row says that it goes on; the message may still be about to say that it waits."""
        self._begin(generation_id, self._take_in_again, "go on with")

    async def choose_face(self, generation_id: int, *, n: int, choice: int) -> bool:
        """Its member has chosen one of the faces in its photo of that number, both from 1: go on with that one. False
        where it does not wait for that.
        """
        if not await self._generations.choose_face(generation_id, n=n, choice=choice):
            return False
        self.resumed(generation_id)
        return True

    async def abandon(self, generation_id: int) -> None:
        """Its member wants it forgotten: nothing more is made or shown of it, and what was paid comes back."""
        if not await self._generations.cancel(generation_id):
            await self._generations.fail(generation_id, GenerationFailed("erased", _("It was erased.")))
        await self._discard(generation_id)
        self._jobs.wake()

    async def generation(self, generation_id: int) -> Generation | None:
        """Everything that is known of a request."""
        return await self._generations.get(generation_id)

    async def jobs(self, generation_id: int) -> list[ProviderJob]:
        """Its jobs at the image service, in their order."""
        return await self._generations.jobs(generation_id)

    async def renew_token(self, generation_id: int, token: str) -> None:
        """A press on its ephemeral message has brought a younger token, which edits that message too."""
        await self._generations.renew_token(generation_id, token)

    async def publish(self, generation_id: int, message_id: int) -> bool:
        """It was posted for everybody, as this message; False where that was so before."""
        return await self._generations.publish(generation_id, message_id)

    async def balance(self, *, scope: str, member_id: int, role_ids: Collection[int]) -> Balance:
        """What a member with these roles has used and has left."""
        return await self._generations.balance(scope=scope, member_id=member_id, role_ids=role_ids)

    async def of_message(self, message_id: int) -> Generation | None:
        """The generation that is shown in this message, however it came there; None where it shows none."""
        return await self._generations.of_message(message_id)

    def stop_taking(self) -> None:
        """The end is near: refuse what comes from now on."""
        self._takes_more = False

    def hooked(self, job_id: str, body: bytes) -> bool:
        """A webhook has come for a job: a hint to ask the service, which alone is believed. Returns whether it was
        awaited.
        """
        return self._jobs.hooked(job_id, body)

    async def _resume(self, generation: Generation) -> None:
        if Wish.from_json(generation.wish).api is not self._client.api and generation.state is not State.FINISHED:
            with words.speaking(generation.locale):
                text = _("The bot was moved to another image service before this was made. Ask again.")
            await self._fail(generation.id, GenerationFailed("other_api", text))
            return
        match generation.state:
            case State.RECEIVED:
                self._begin(generation.id, self._take_in, "take in")
            case State.QUEUED | State.RUNNING:
                self._jobs.wake()
            case _:
                self._delivery.wake(generation.id)

    def _begin(self, generation_id: int, work: Callable[[int], Awaitable[None]], what: str) -> None:
        self._tasks.spawn(self._guard(generation_id, work), f"{what} generation {generation_id}")

    async def _guard(self, generation_id: int, work: Callable[[int], Awaitable[None]]) -> None:
        """Whatever goes wrong with one generation ends that one, with a refund and a sentence, and nothing else."""
        with words.speaking(await self._generations.locale(generation_id)):
            try:
                await work(generation_id)
            except UserError as error:
                await self._fail(generation_id, error)
            except NeverAcknowledged:
                await self.unacknowledged(generation_id)
            except StorageError:
                raise  # without the database nothing can go on
            except Exception:
                log.exception("generation %d met a bug", generation_id)
                await self._fail(generation_id, internal_failure(generation_id))

    async def _fail(self, generation_id: int, error: UserError) -> None:
        if await self._generations.fail(generation_id, error):
            self._delivery.wake(generation_id)
            self._jobs.wake()

    async def _discard(self, generation_id: int) -> None:
        await self._pictures.discard(generation_id)
        await self._hosting.discard(generation_id)

    async def _take_in(self, generation_id: int) -> None:
        """Received -> queued."""
        self._taken_in[generation_id] = False
        try:
            await self._prepare(generation_id)
        finally:
            if self._taken_in.pop(generation_id):
                self._delivery.wake(generation_id)

    async def _take_in_again(self, generation_id: int) -> None:
        await self._delivery.quiet(generation_id)
        await self._take_in(generation_id)

    async def _expire(self) -> None:
        """Whoever waits for a person for too long waits no more."""
        while True:
            for generation in await self._generations.waited_too_long():
                with words.speaking(generation.locale):
                    error = _unanswered(generation)
                if await self._generations.expire(generation.id, error):
                    self._show_end(generation.id)
            await self._tasks.sleep(self._timing.expiry_s)

    async def _prepare(self, generation_id: int) -> None:
        generation = await self._generations.get(generation_id)
        if generation is None or generation.state is not State.RECEIVED:
            return
        wish = Wish.from_json(generation.wish)
        try:
            prepared = await self._intake.prepare(generation, wish)
        except SeveralFaces as error:
            if not await self._let_choose(generation, error):
                raise
            return
        wait = await self._consents.weigh(generation, wish, await prints_of(prepared))
        if wait is not None:
            await self._wait(generation, wait, prepared)
            return
        if await self._generations.is_unwanted(generation_id):
            return
        shown = await self._intake.show(generation, wish, prepared, lambda: self._scenes.in_queue(generation, wish))
        if await self._generations.queue(generation, kind=wish.kind, jobs=wish.jobs, shown=shown):
            self._jobs.wake()
            if self._gate.closed_for_s() or not await self._queue.is_moving():
                self._delivery.wake(generation_id)  # otherwise there is more to show in a moment

    async def _let_choose(self, generation: Generation, found: SeveralFaces) -> bool:
        """Received -> waiting for the member to choose one of the faces; False where that is of no use."""
        until = generation.created_at + CHOICE_MAX
        if self._now() >= until:
            return False
        try:
            first = numbers_of_choices(found.n).start
            kept = self._kept.sealed(generation, found.crops, first=first)
        except PhotoRefused:
            return False  # there is no key, and nothing of a face is kept without one
        wait = Wait(what=WaitsFor.FACE, on=generation.member_id, n=found.n, until=until)
        if await self._generations.wait(generation.id, wait, photos=generation.photos, kept=kept):
            self._delivery.wake(generation.id)
        return True

    async def _wait(self, generation: Generation, wait: Wait, prepared: Sequence[Prepared]) -> None:
        """Received -> waiting, with the photos as they are prepared: their addresses would end meanwhile."""
        photos = [Source(url=url_of(n), is_prepared=True, file=each.file) for n, each in enumerate(prepared, start=1)]
        kept = self._kept.sealed(generation, [each.jpeg for each in prepared])
        if await self._generations.wait(generation.id, wait, photos=photos, kept=kept):
            self._delivery.wake(generation.id)
            if wait.what is WaitsFor.CONSENT:
                self._questions.wake()


def _unanswered(generation: Generation) -> UserError:
    if generation.wait is not None and generation.wait.what is WaitsFor.FACE:
        return PhotoRefused(
            _(
                "There are several faces in the photo, and none of them was chosen in time. "
                "Ask again, or crop it to one person first."
            )
        )
    return GenerationFailed("unanswered", _("Nobody has answered in time."))
