"""The photos of generations that wait for a person: sealed meanwhile, so that they are there when it goes on."""

from collections.abc import Sequence

from db import generations
from db.connection import Database
from db.generations import Generation, KeptPhoto
from services.errors import PhotoRefused
from services.vault import CannotOpen, Sealed, Vault
from services.words import _

_SCHEME = "kept:"


def url_of(n: int) -> str:
    """What stands where an attached photo has its address, for the photo of that number, from 1."""
    return f"{_SCHEME}{n}"


def number_in(url: str) -> int | None:
    """Read back what ``url_of`` wrote; None of any other address."""
    return int(url.removeprefix(_SCHEME)) if url.startswith(_SCHEME) else None


class KeptPhotos:
    """Seals and opens them; the rows go when their generation is queued or over."""

    def __init__(self, database: Database, *, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def sealed(self, generation: Generation, photos: Sequence[bytes]) -> list[KeptPhoto]:
        """All photos of a generation, in their order, as they are to be kept.

        Raises:
            PhotoRefused: there is no key to seal them with.
        """
        kept: list[KeptPhoto] = []
        for n, photo in enumerate(photos, start=1):
            sealed = self._vault.seal(photo, member_id=generation.member_id, place=_place(generation, n))
            kept.append(KeptPhoto(generation_id=generation.id, n=n, key_id=sealed.key_id, sealed=sealed.content))
        return kept

    async def open(self, generation: Generation, n: int) -> bytes:
        """The photo of that number, from 1.

        Raises:
            PhotoRefused: it is gone, or cannot be opened any more.
        """
        async with self._database.connection() as connection:
            kept = await generations.kept_photo(connection, generation.id, n)
        try:
            if kept is None:
                raise CannotOpen("it is not kept any more")
            sealed = Sealed(kept.key_id, kept.sealed)
            return self._vault.open(sealed, member_id=generation.member_id, place=_place(generation, n))
        except CannotOpen as error:
            raise PhotoRefused(_("The photo could not be kept while the request waited. Attach it again.")) from error


def _place(generation: Generation, n: int) -> str:
    return f"generation {generation.id}, photo {n}"
