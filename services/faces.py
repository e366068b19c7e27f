"""Faces that members save by name: checked and cropped once, sealed, and opened for their owners alone."""

import asyncio
import contextlib
import logging
import unicodedata
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from db import faces
from db.connection import Connection, Database
from db.faces import Face, PhotoKey, SealedPhoto
from services.downloads import DownloadError, Downloads
from services.errors import FaceRefused, PhotoRefused
from services.photos import PHOTO_BYTES_MAX, Photos, Prepared
from services.request import one_line
from services.vault import CannotOpen, Sealed, Vault
from services.words import _, ngettext, spoken

__all__ = ["Face", "Faces", "Listed", "Saved", "SavedPhoto"]

log = logging.getLogger(__name__)

FACES_MAX = 10  # as many as one message shows with a thumbnail each
PHOTOS_MAX = 3
NAME_CHARACTERS_MAX = 32
# How long before its deletion the owner of an unused face is told.
NOTICE = timedelta(days=7)

PHOTO_TIMEOUT_S = 30.0
# Photos that are being saved, in memory at one time; each up to 10 MiB.
PHOTOS_AT_ONCE = 2
# Whoever types waits for suggestions: https://discord.com/developers/docs/interactions/receiving-and-responding
SUGGEST_TIMEOUT_S = 1.0
REMEMBERED_MEMBERS_MAX = 1000
_SCHEME = "face"


@dataclass(frozen=True, slots=True)
class SavedPhoto:
    """One photo of a saved face, as a generation refers to it."""

    face_id: int
    n: int

    @property
    def url(self) -> str:
        """What stands where an attached photo has its address."""
        return f"{_SCHEME}:{self.face_id}:{self.n}"

    @property
    def size(self) -> int:
        """How many bytes of it have to be fetched: it is here already."""
        return 0

    @classmethod
    def from_url(cls, url: str) -> Self | None:
        """Read back what ``url`` wrote; None of any other address."""
        match url.split(":"):
            case [scheme, face_id, n] if scheme == _SCHEME:
                return cls(int(face_id), int(n))
            case _:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What was kept; ``checked`` is False where no detector looked for a face in the photos."""

    name: str = field(repr=False)
    photos: int
    checked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A face as its owner sees it. Without photos it cannot be opened any more."""

    face: Face
    photos: tuple[bytes, ...] = field(repr=False)
    expires_at: datetime


class Faces:
    """Keeps them. Every member has to do with their own alone, whatever the name or the id.

    ``unused_max`` is how long a face is kept that nobody uses.
    """

    def __init__(
        self,
        database: Database,
        *,
        vault: Vault,
        photos: Photos,
        downloads: Downloads,
        unused_max: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._vault = vault
        self._photos = photos
        self._downloads = downloads
        self.unused_max = unused_max
        self._now = now
        self._slots = asyncio.Semaphore(PHOTOS_AT_ONCE)
        self._names: dict[int, tuple[str, ...]] = {}

    async def save(
        self, member_id: int, said: str, urls: Sequence[str], *, is_prepared: bool = False, as_default: bool = False
    ) -> Saved:
        """Keep the crops of one person's photos, all or none of them, under a name. Prepared ones have come out of the
        bot before, and are kept as they are.

        A face of that name that cannot be opened any more is replaced.

        Raises:
            FaceRefused, PhotoRefused: nothing was kept; the text says why.
        """
        name = _checked(said)
        async with self._database.connection() as connection:
            await self._make_room(connection, member_id, name)  # before anything is fetched
        prepared = [
            await self._prepare(url, number, len(urls), is_prepared=is_prepared)
            for number, url in enumerate(urls, start=1)
        ]
        async with self._changing(member_id) as connection:
            replaced = await self._make_room(connection, member_id, name)
            if replaced is not None:
                await faces.delete(connection, replaced.id)
            face_id = await faces.insert(
                connection,
                member_id=member_id,
                name=name,
                folded=_folded(name),
                is_default=replaced is not None and replaced.is_default,
                locale=spoken(),
                at=self._now(),
            )
            if as_default:
                await faces.set_default(connection, member_id=member_id, face_id=face_id)
            for n, photo in enumerate(prepared, start=1):
                await self._keep(connection, PhotoKey(member_id, face_id, n), photo.jpeg)
        log.info("saved face %d with %d photos", face_id, len(prepared))
        return Saved(name=name, photos=len(prepared), checked=all(photo.checked for photo in prepared))

    async def of(self, member_id: int) -> list[Listed]:
        """All faces of a member, the default one first."""
        async with self._database.transaction() as connection:
            return [
                Listed(
                    face=face,
                    photos=await self._opened(connection, face) or (),
                    expires_at=self.expires_at(face),
                )
                for face in await faces.of_member(connection, member_id)
            ]

    async def rename(self, member_id: int, said: str, new: str) -> str:
        """Give a face another name, which is returned as it is kept.

        Raises:
            FaceRefused
        """
        name = _checked(new)
        async with self._changing(member_id) as connection:
            face = await _find(connection, member_id, said)
            for other in await faces.of_member(connection, member_id):
                if other.folded == _folded(name) and other.id != face.id:
                    raise _taken(other)
            await faces.rename(connection, face.id, name=name, folded=_folded(name))
        return name

    async def set_default(self, member_id: int, said: str) -> str:
        """Have a face suggested first; returns its name.

        Raises:
            FaceRefused
        """
        async with self._changing(member_id) as connection:
            face = await _find(connection, member_id, said)
            await faces.set_default(connection, member_id=member_id, face_id=face.id)
        return face.name

    async def delete(self, member_id: int, said: str) -> str:
        """Delete a face with its photos; returns its name.

        Raises:
            FaceRefused
        """
        async with self._changing(member_id) as connection:
            face = await _find(connection, member_id, said)
            await faces.delete(connection, face.id)
        log.info("face %d was deleted by its owner", face.id)
        return face.name

    async def choose(self, member_id: int, said: str) -> tuple[SavedPhoto, ...]:
        """The photos of the face of that name, for a generation.

        Raises:
            FaceRefused: there is none, or it cannot be opened any more.
        """
        async with self._database.transaction() as connection:
            face = await _find(connection, member_id, said)
            opened = await self._opened(connection, face)
            await faces.set_locale(connection, face.id, spoken())
        if opened is None:
            text = _("`{name}` cannot be opened any more. Save it again with `/face save`.", name=face.name)
            raise FaceRefused(text)
        return tuple(SavedPhoto(face.id, n) for n in range(1, len(opened) + 1))

    async def open(self, member_id: int, saved: SavedPhoto) -> Prepared:
        """A photo for its owner's generation: it was prepared when it was saved. The face's time begins anew.

        Raises:
            FaceRefused: it was deleted meanwhile, or cannot be opened any more.
        """
        async with self._database.transaction() as connection:
            photo = await faces.photo(connection, member_id=member_id, face_id=saved.face_id, n=saved.n)
            if photo is None:
                raise FaceRefused(_("The saved face was deleted before it could be used."))
            try:
                jpeg = self._unseal(photo)
            except CannotOpen as error:
                log.warning("face %d cannot be opened: %s", saved.face_id, error)
                raise FaceRefused(_("The saved face cannot be opened any more. Save it again.")) from error
            await faces.touch(connection, saved.face_id, self._now())
            if not self._vault.seals_with(photo.key_id):
                await self._keep(connection, PhotoKey(member_id, saved.face_id, saved.n), jpeg)
        return Prepared(jpeg=jpeg, checked=True)

    async def suggested(self, member_id: int, typed: str) -> list[str]:
        """The member's names with the typed text in them, the default one first; from memory where they are known
        there, none where the database takes too long.
        """
        names = self._names.get(member_id)
        if names is None:
            try:
                async with asyncio.timeout(SUGGEST_TIMEOUT_S):
                    names = await self._remember(member_id)
            except TimeoutError:
                return []
        wanted = _folded(one_line(typed))
        return [name for name in names if wanted in _folded(name)]

    def expires_at(self, face: Face) -> datetime:
        """When it will be deleted if nobody uses it: not before its owner has known for long enough."""
        return max(face.last_used_at + self.unused_max, (face.warned_at or self._now()) + NOTICE)

    async def to_warn(self) -> list[Face]:
        """Those whose owners should be told now, one member's after the other's."""
        async with self._database.connection() as connection:
            return await faces.to_warn(connection, unused_since=self._now() - self.unused_max + NOTICE)

    async def warned(self, told: Sequence[Face]) -> None:
        """The owner of these knows, or cannot be told."""
        async with self._database.transaction() as connection:
            for face in told:
                await faces.mark_warned(connection, face, self._now())

    async def delete_unused(self) -> None:
        """Delete what nobody has used for too long, once its owner has known for long enough."""
        now = self._now()
        async with self._database.transaction() as connection:
            deleted = await faces.delete_unused(
                connection, unused_since=now - self.unused_max, warned_before=now - NOTICE
            )
            for face in deleted:
                self._names.pop(face.member_id, None)
        for face in deleted:
            log.info("face %d was deleted, because nobody has used it since %s", face.id, face.last_used_at.date())

    def forget(self, member_id: int) -> None:
        """The member's faces were deleted elsewhere: their names are not suggested any more."""
        self._names.pop(member_id, None)

    async def seal_anew(self) -> None:
        """Seal what an older key has sealed with the first one, so that the older can be given up."""
        for key_id in self._vault.older_keys:
            async with self._database.connection() as connection:
                found = await faces.sealed_with(connection, key_id)
            for photo in found:
                await self._seal_one_anew(photo)
            log.info("the face key %s is not needed any more: its photos (%d) are sealed anew", key_id, len(found))

    async def _seal_one_anew(self, found: PhotoKey) -> None:
        async with self._database.transaction() as connection:
            photo = await faces.photo(connection, member_id=found.member_id, face_id=found.face_id, n=found.n)
            if photo is None or self._vault.seals_with(photo.key_id):
                return
            try:
                await self._keep(connection, found, self._unseal(photo))
            except CannotOpen as error:
                log.warning("face %d cannot be opened: %s", photo.face_id, error)

    async def _prepare(self, url: str, number: int, of: int, *, is_prepared: bool) -> Prepared:
        try:
            async with self._slots:
                photo = await self._fetch(url)
                return await (self._photos.verified(photo) if is_prepared else self._photos.crop(photo))
        except PhotoRefused as error:
            if of == 1:
                raise
            text = _("Photo {number} of {of}: {reason}", number=number, of=of, reason=error)
            raise PhotoRefused(text) from error

    async def _fetch(self, url: str) -> bytes:
        try:
            return await self._downloads.fetch(url, bytes_max=PHOTO_BYTES_MAX, timeout_s=PHOTO_TIMEOUT_S)
        except DownloadError as error:
            log.info("a photo did not come: %s", error)
            raise PhotoRefused(_("The photo could not be fetched from Discord. Attach it again.")) from error

    async def _make_room(self, connection: Connection, member_id: int, name: str) -> Face | None:
        """Make sure that a face of this name may be added; returns the one that it replaces, if any."""
        kept = await faces.of_member(connection, member_id)
        namesake = next((face for face in kept if face.folded == _folded(name)), None)
        if namesake is not None and await self._opened(connection, namesake) is not None:
            raise _taken(namesake)
        if namesake is None and len(kept) >= FACES_MAX:
            raise FaceRefused(
                ngettext(
                    "You already have {number} saved face. Delete it first: `/face delete`.",
                    "You already have {number} saved faces. Delete one first: `/face delete`.",
                    FACES_MAX,
                )
            )
        return namesake

    async def _keep(self, connection: Connection, place: PhotoKey, jpeg: bytes) -> None:
        sealed = self._vault.seal(jpeg, member_id=place.member_id, place=_place(place.face_id))
        await faces.put_photo(connection, face_id=place.face_id, n=place.n, key_id=sealed.key_id, sealed=sealed.content)

    def _unseal(self, photo: SealedPhoto) -> bytes:
        return self._vault.open(
            Sealed(photo.key_id, photo.sealed), member_id=photo.member_id, place=_place(photo.face_id)
        )

    async def _opened(self, connection: Connection, face: Face) -> tuple[bytes, ...] | None:
        """All its photos, or None where one of them cannot be opened."""
        try:
            return tuple(self._unseal(photo) for photo in await faces.photos(connection, face.id))
        except CannotOpen:
            return None

    @contextlib.asynccontextmanager
    async def _changing(self, member_id: int) -> AsyncGenerator[Connection]:
        """A transaction after which the names are read anew; nobody can read the old ones before it ends."""
        async with self._database.transaction() as connection:
            yield connection
            self._names.pop(member_id, None)

    async def _remember(self, member_id: int) -> tuple[str, ...]:
        async with self._database.connection() as connection:
            names = tuple(face.name for face in await faces.of_member(connection, member_id))
            if len(self._names) >= REMEMBERED_MEMBERS_MAX:
                del self._names[next(iter(self._names))]
            self._names[member_id] = names
            return names


async def _find(connection: Connection, member_id: int, said: str) -> Face:
    wanted = _folded(one_line(said))
    for face in await faces.of_member(connection, member_id):
        if face.folded == wanted:
            return face
    shown = one_line(said)[:NAME_CHARACTERS_MAX]
    raise FaceRefused(_("You have no saved face called `{name}`. `/face list` shows those that you have.", name=shown))


def _checked(said: str) -> str:
    name = unicodedata.normalize("NFC", one_line(said))
    is_visible = any(unicodedata.category(each)[0] not in "CZ" for each in name)
    if not is_visible or len(name) > NAME_CHARACTERS_MAX:
        raise FaceRefused(
            _("A face's name has 1 to {number} characters. Choose another one.", number=NAME_CHARACTERS_MAX)
        )
    return name


def _place(face_id: int) -> str:
    return f"face {face_id}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _taken(face: Face) -> FaceRefused:
    return FaceRefused(
        _("You already have a face called `{name}`. Choose another name, or delete that one first.", name=face.name)
    )
