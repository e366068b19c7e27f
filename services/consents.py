"""Whether a face may be used: what members declare of their photos, and what the people who are shown answer.

Every request passes ``weigh`` right before it is queued, whatever its photos come from: a command, a saved face, the
crop in an earlier message. A photo is known by the SHA-256 of its file and of the crop; faces are never compared.
"""

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from db import consents, generations
from db.connection import Connection, Database
from db.consents import Answer, Consent, Declaration, DeletedFace, Whose
from db.generations import Generation, Print, State, Wait, WaitsFor
from services.errors import FaceRefused, NotAllowed, UserError
from services.parameters import Role
from services.quotas import guild_of
from services.servers import Servers
from services.wishes import Wish
from services.words import _, mention

__all__ = ["Answer", "Consent", "Consents", "Declaration", "DeletedFace", "Question", "Rule", "Said", "Whose"]

log = logging.getLogger(__name__)

# The version of the sentences that members answer (cogs/views/consent.py), kept with every answer. Raise it when what
# they say changes.
WORDING = 1
# How long a request waits for an answer.
ANSWER_MAX = timedelta(hours=72)
# How long somebody who has said no is not asked by the same member in the same place again.
AFTER_NO = timedelta(hours=24)
# Questions to one person that one member may have open, or put in vain within ``AFTER_NO``: each calls them.
OPEN_MAX = 3
LISTED_MAX = 10


class Rule(StrEnum):
    """What is asked before a face is used, the strictest last: nothing, whose it is, the member shown too, or it has to
    be one's own.
    """

    OFF = "off"
    DECLARE = "declare"
    ASK = "ask"
    SELF = "self"


def strictest(*rules: Rule) -> Rule:
    """The one that asks most."""
    return max(rules, key=list(Rule).index)


def stricter_than(rule: Rule) -> list[Rule]:
    """Those that ask more."""
    return list(Rule)[list(Rule).index(rule) + 1 :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Whose face a member says a photo shows; ``subject_id`` is the member shown."""

    whose: Whose
    subject_id: int | None

    @classmethod
    def by(cls, member_id: int, whose: Whose, person_id: int | None) -> "Said":
        """What a member has said; naming oneself is the same as *me*.

        Raises:
            UserError: nobody is named where somebody should be, or the other way round.
        """
        if whose is Whose.MEMBER and person_id is None:
            raise UserError(_("Say in `person` which member the photo shows."))
        if whose is not Whose.MEMBER and person_id not in (None, member_id):
            raise UserError(_("Choose *A member's* in `whose` together with `person`, or leave out `person`."))
        if whose is Whose.ME or person_id == member_id:
            return cls(whose=Whose.ME, subject_id=member_id)
        return cls(whose=whose, subject_id=person_id)

    def to_json(self) -> str:
        """As it is kept with a generation."""
        return json.dumps({"whose": self.whose, "subject_id": self.subject_id})

    @classmethod
    def from_json(cls, text: str) -> "Said":
        """Read back what ``to_json`` wrote."""
        read = json.loads(text)
        return cls(whose=Whose(read["whose"]), subject_id=read["subject_id"])


class ConsentRefused(FaceRefused):
    """The face may not be used, as it was said whose it is."""

    code = "no_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the person shown is asked: whether that member's request may be made. ``photos`` are the numbers, from 1, of
    those of its photos that are said to show them, and of its style images.
    """

    consent: Consent
    generation: Generation
    photos: Sequence[int]


class Unreachable(UserError):
    """The person shown cannot be asked."""

    code = "person_unreachable"


class Asking(Protocol):
    """How somebody is asked; ``cogs/notices.py`` implements it."""

    async def ask(self, question: Question) -> tuple[int, int]:
        """Ask, where the person will see it; returns the ids of the channel and of the message. Asking twice within
        minutes leaves one message.

        Raises:
            DiscordUnavailable: try again later.
            Unreachable: there is no way to them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of an answer: the request that asked, whether it goes on, and everything that an answer of *never* ends
    beside it.
    """

    generation_id: int
    goes_on: bool
    revoked: "Revoked | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """What somebody took back: how many answers; the requests that have to end; the saved faces that are gone; how many
    of the bot's messages show pictures made with their face.
    """

    answers: int
    under_way: Sequence[int]
    faces: Sequence[DeletedFace]
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What somebody allows and refuses now, and what they have said of their photos; the newest of each."""

    answers: Sequence[Consent]
    declarations: Sequence[Declaration]


class Consents:
    """Keeps what was declared and answered, and holds requests against it. ``rule`` is the operator's; a server's can
    only be stricter.
    """

    def __init__(self, database: Database, *, rule: Rule, servers: Servers, now: Callable[[], datetime]) -> None:
        self._database = database
        self._rule = rule
        self._servers = servers
        self._now = now

    def rule_in(self, guild_id: int | None) -> Rule:
        """What counts in a server, and outside servers where that is None. A rule that only a newer version knows (this
        database was its own) is taken for the strictest one.
        """
        chosen = self._servers.of(guild_id).consent
        if chosen is None:
            return self._rule
        return strictest(self._rule, Rule(chosen) if chosen in tuple(Rule) else Rule.SELF)

    async def weigh(self, generation: Generation, wish: Wish, prints: Sequence[Print]) -> Wait | None:
        """Whether a received generation may be made; what it has to wait for, where it may not yet. ``prints`` are in
        the order of its references. One that is over by now may: nothing is kept of it, and nothing comes of it.

        Raises:
            ConsentRefused: it may not be made.
        """
        async with self._database.transaction() as connection:
            now = await generations.get(connection, generation.id)
            if now is None or now.state is not State.RECEIVED:
                return None
            # In the transaction of the decision: whoever takes a consent back later finds this generation by it.
            await generations.set_prints(connection, generation.id, prints)
            outcomes = await self._weigh_all(connection, generation, wish, prints)
            waits = [outcome for outcome in outcomes if isinstance(outcome, Wait)]
            first = min(waits, key=lambda wait: wait.what is WaitsFor.CONSENT, default=None)
            is_refused = any(isinstance(outcome, str) for outcome in outcomes)
            if first is not None and first.what is WaitsFor.CONSENT and not is_refused:
                await consents.ask(
                    connection,
                    subject_id=first.on,
                    asker_id=generation.member_id,
                    scope=generation.scope,
                    generation_id=generation.id,
                    wording=WORDING,
                    at=self._now(),
                )
        for outcome in outcomes:
            if isinstance(outcome, str):
                raise ConsentRefused(outcome)  # only now: what was declared stays declared
        return first

    async def check_posting(self, generation: Generation, wish: Wish) -> None:
        """Whether everybody may see the pictures of a generation that were for its member alone.

        Raises:
            ConsentRefused: nobody has said whose face it is, or the person shown does not allow it, or not any more.
        """
        async with self._database.transaction() as connection:
            outcomes = await self._weigh_all(connection, generation, wish, generation.prints)
        for outcome in outcomes:
            if isinstance(outcome, str):
                raise ConsentRefused(outcome)
            if outcome is not None:
                raise ConsentRefused(
                    _("The person in the photo has not agreed to this here, or not any more. Press *Again* to ask.")
                )

    async def _weigh_all(
        self, connection: Connection, generation: Generation, wish: Wish, prints: Sequence[Print]
    ) -> list[Wait | str | None]:
        """The outcome for each face. A style image that somebody has called a face is one, too."""
        return [
            await self._weigh_one(connection, generation, wish, prints, n)
            for n, (photo, reference) in enumerate(zip(prints, wish.references, strict=False), start=1)
            if reference.role is Role.FACE or await consents.is_known(connection, photo)
        ]

    async def _weigh_one(
        self, connection: Connection, generation: Generation, wish: Wish, prints: Sequence[Print], n: int
    ) -> Wait | str | None:
        """What it has to wait for because of the face of that number, from 1, or why it may not be made."""
        photo = prints[n - 1]
        rule = self.rule_in(guild_of(generation.scope))
        asker_id, scope = generation.member_id, generation.scope
        is_face = wish.references[n - 1].role is Role.FACE
        said = Said.from_json(generation.said) if generation.said and is_face else None
        known, refusal = await self._settle(connection, asker_id, photo, said, rule)
        if refusal:
            return refusal
        until = generation.created_at + ANSWER_MAX
        if known is None:
            return None if rule is Rule.OFF else Wait(what=WaitsFor.DECLARATION, on=asker_id, n=n, until=until)
        if known.whose is not Whose.MEMBER or rule is not Rule.ASK or known.subject_id is None:
            return None
        pair = consents.Pair(subject_id=known.subject_id, asker_id=asker_id, scope=scope)
        if await consents.allows_always(connection, pair):
            return None
        if await consents.allows_once(connection, pair, wish=wish.to_json(), prints=prints):
            return None
        yesterday = self._now() - AFTER_NO
        if await consents.said_no(connection, pair, since=yesterday):
            return no_text()
        if await consents.open_questions(connection, pair, beside=generation.id, since=yesterday) >= OPEN_MAX:
            return _("The person in the photo has not answered your earlier questions yet. Wait until they have.")
        return Wait(what=WaitsFor.CONSENT, on=known.subject_id, n=n, until=until)

    async def _settle(
        self, connection: Connection, member_id: int, photo: Print, said: Said | None, rule: Rule
    ) -> tuple[Said | None, str | None]:
        """Write down whose face it is, as it counts from now on, None where nobody has said; and why it may not be
        used, if so.
        """
        if await consents.is_refused_file(connection, member_id, photo):
            return None, _unwanted()
        known = await consents.declared(connection, member_id, photo)
        before = Said(whose=known.whose, subject_id=known.subject_id) if known else None
        if before is not None and said is not None and (contradiction := _contradiction(before, said)):
            return before, contradiction
        counts = said or before
        if rule in (Rule.ASK, Rule.SELF):
            subject_id = await consents.known_subject(connection, member_id, photo)
            if subject_id is not None:  # others have said of this very photo whom it shows
                if counts is not None and counts.whose is Whose.MEMBER and counts.subject_id != subject_id:
                    return before, _("Others have said that this photo shows another member. Use another photo.")
                counts = Said(whose=Whose.MEMBER, subject_id=subject_id)
        if counts is None:
            return None, None
        if counts != before or (known is not None and known.file != photo.file):
            await consents.declare(
                connection,
                member_id,
                photo,
                whose=counts.whose,
                subject_id=counts.subject_id,
                wording=WORDING,
                at=self._now(),
            )
        if counts.whose is Whose.MEMBER and await consents.says_never(connection, counts.subject_id or 0):
            return counts, _unwanted()
        if rule is Rule.SELF and counts.whose is not Whose.ME:
            return counts, _("Here you may use only your own face. Attach a photo of yourself.")
        return counts, None

    async def admit_saved(
        self, member_id: int, guild_id: int | None, scope: str, said: Said | None, prints: Sequence[Print]
    ) -> None:
        """Whether photos may be saved as a face; what was said of them is remembered.

        Raises:
            ConsentRefused: they may not.
        """
        rule = self.rule_in(guild_id)
        async with self._database.transaction() as connection:
            refusals = [await self._why_not_saved(connection, member_id, scope, said, photo, rule) for photo in prints]
        for refusal in refusals:
            if refusal:
                raise ConsentRefused(refusal)

    async def _why_not_saved(
        self, connection: Connection, member_id: int, scope: str, said: Said | None, photo: Print, rule: Rule
    ) -> str | None:
        counts, refusal = await self._settle(connection, member_id, photo, said, rule)
        if refusal or rule is Rule.OFF:
            return refusal
        if counts is None:
            return _("Say in `whose` whose face it is.")
        if rule is not Rule.ASK or counts.whose is not Whose.MEMBER or counts.subject_id is None:
            return None
        pair = consents.Pair(subject_id=counts.subject_id, asker_id=member_id, scope=scope)
        if await consents.allows_always(connection, pair):
            return None
        return _(
            "{member} has to allow that first: use the photo in /imagine, where they are asked. Once they choose "
            "*Always*, you can save it.",
            member=mention(counts.subject_id),
        )

    async def said_of(self, generation: Generation) -> Said | None:
        """Whose face the first one in a generation's photos is, as its asker has said; None where nobody asked."""
        if not generation.prints:
            return None
        async with self._database.connection() as connection:
            known = await consents.declared(connection, generation.member_id, generation.prints[0])
        return Said(whose=known.whose, subject_id=known.subject_id) if known else None

    async def declare(self, generation_id: int, by: int, said: Said) -> bool:
        """The asker says whose face it is, of the photo that the generation waits for: it goes on. False where it waits
        for that no more.

        Raises:
            NotAllowed: it is somebody else's request.
        """
        async with self._database.transaction() as connection:
            generation = await generations.get(connection, generation_id)
            if generation is None or generation.wait is None or generation.wait.what is not WaitsFor.DECLARATION:
                return False
            if generation.member_id != by:
                raise NotAllowed(_("Only the member who asked for these pictures can say whose face it is."))
            photo = generation.prints[generation.wait.n - 1]
            # Whether it may be used as that is weighed once more when it goes on.
            await self._settle(connection, by, photo, said, self.rule_in(guild_of(generation.scope)))
            return await generations.back_to_received(connection, generation_id, self._now())

    async def question(self, consent_id: int, by: int) -> Question:
        """The question of that id, for the person whom it is put to, as long as it is open.

        Raises:
            NotAllowed: it is not for them, or it is over.
        """
        async with self._database.transaction() as connection:
            return await self._open_question(connection, consent_id, by)

    async def _open_question(self, connection: Connection, consent_id: int, by: int) -> Question:
        consent = await consents.get(connection, consent_id)
        if consent is None or consent.generation_id is None:
            raise NotAllowed(_("The bot knows nothing of this question any more."))
        if consent.subject_id != by:
            raise NotAllowed(_("Only the person in the photo can answer this."))
        generation = await generations.get(connection, consent.generation_id)
        if consent.answer is not None or generation is None or generation.state is not State.WAITING:
            raise NotAllowed(_("This needs no answer any more. `/consent list` shows what you have allowed."))
        return await self._question(connection, consent, generation)

    async def _question(self, connection: Connection, consent: Consent, generation: Generation) -> Question:
        photos: list[int] = []
        references = Wish.from_json(generation.wish).references
        for n, (photo, reference) in enumerate(zip(generation.prints, references, strict=False), start=1):
            known = await consents.declared(connection, generation.member_id, photo)
            is_theirs = known is not None and known.subject_id == consent.subject_id
            if is_theirs or (known is None and reference.role is Role.STYLE):
                photos.append(n)
        return Question(consent=consent, generation=generation, photos=photos)

    async def unasked(self) -> list[Question]:
        """The questions that have still to be put."""
        async with self._database.transaction() as connection:
            found: list[Question] = []
            for consent in await consents.unasked(connection):
                generation = await generations.get(connection, consent.generation_id or 0)
                if generation is not None:
                    found.append(await self._question(connection, consent, generation))
        return found

    async def asked(self, question: Question, *, channel_id: int, message_id: int) -> None:
        """Discord has named the message with the question."""
        async with self._database.connection() as connection:
            await consents.set_message(connection, question.consent.id, channel_id=channel_id, message_id=message_id)

    async def answer(self, consent_id: int, by: int, given: Answer) -> Answered:
        """The person shown answers: the request goes on, or has to end.

        Raises:
            NotAllowed: it is not for them, or it is over.
        """
        now = self._now()
        async with self._database.transaction() as connection:
            question = await self._open_question(connection, consent_id, by)
            generation_id = question.generation.id
            if given is Answer.NEVER:
                await consents.answer(connection, consent_id, Answer.NO, now)
                revoked = await self._never(connection, by, now)
                return Answered(generation_id=generation_id, goes_on=False, revoked=revoked)
            await consents.answer(connection, consent_id, given, now)
            goes_on = given in (Answer.ONCE, Answer.ALWAYS)
            if goes_on:
                await generations.back_to_received(connection, generation_id, now)
        log.info("generation %d: the person in the photo has answered", generation_id)
        return Answered(generation_id=generation_id, goes_on=goes_on)

    async def never(self, subject_id: int) -> Revoked:
        """Nobody may make pictures of this member from now on."""
        async with self._database.transaction() as connection:
            return await self._never(connection, subject_id, self._now())

    async def _never(self, connection: Connection, subject_id: int, now: datetime) -> Revoked:
        revoked = await self._revoke(connection, subject_id, None, now)
        await consents.refuse_everybody(connection, subject_id, wording=WORDING, at=now)
        return revoked

    async def allow_asking(self, subject_id: int) -> bool:
        """Take back a *never*: this member may be asked again. False where they could be."""
        async with self._database.connection() as connection:
            return await consents.revoke_never(connection, subject_id, self._now())

    async def revoke(self, subject_id: int, asker_id: int) -> Revoked:
        """Take back everything that a member allows another."""
        async with self._database.transaction() as connection:
            return await self._revoke(connection, subject_id, asker_id, self._now())

    async def _revoke(self, connection: Connection, subject_id: int, asker_id: int | None, now: datetime) -> Revoked:
        return Revoked(
            answers=await consents.revoke(connection, subject_id, asker_id, now),
            under_way=await consents.under_way(connection, subject_id, asker_id),
            faces=await consents.delete_faces(connection, subject_id, asker_id),
            messages=len(await consents.messages(connection, subject_id, asker_id)),
        )

    async def delete_messages(self, subject_id: int, asker_id: int | None) -> int:
        """Have the bot's messages deleted that show pictures made with this member's face, those of one asker or of
        everybody; returns how many that are.
        """
        async with self._database.transaction() as connection:
            return await consents.delete_messages(connection, subject_id, asker_id, self._now())

    async def listed(self, member_id: int) -> Listed:
        """What a member allows, refuses and has said."""
        async with self._database.transaction() as connection:
            return Listed(
                answers=await consents.of_subject(connection, member_id, LISTED_MAX),
                declarations=await consents.of_member(connection, member_id, LISTED_MAX),
            )


def no_text() -> str:
    """What the asker reads after a *no*."""
    return _("The person in the photo does not want these pictures.")


def _contradiction(before: Said, said: Said) -> str | None:
    """What is wrong where less would be asked than by what was said before."""
    order = list(Whose).index
    if order(said.whose) < order(before.whose):
        return _("You have said before that this photo shows somebody else. Use another photo.")
    if before.whose is Whose.MEMBER and said.subject_id != before.subject_id:
        return _("You have said before that this photo shows another member. Use another photo.")
    return None


def _unwanted() -> str:
    return _("The person in this photo wants no pictures made of them with this bot.")
