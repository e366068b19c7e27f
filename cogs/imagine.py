"""What the commands of both dialects share: from the options of a command to a wish with its photos."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import in_time
from cogs.reception import Reception
from services.catalog import Catalog
from services.consents import Said, Whose
from services.errors import InvalidWish, PhotoRefused, UserError
from services.faces import Faces, SavedPhoto
from services.generations import Source
from services.parameters import SCALE_DEFAULT, SEED, Role, Shape, Table, size_of
from services.photos import check_length
from services.remakes import drafted
from services.wishes import Reference, Wish
from services.words import _

# Finding a saved face comes before accepting, within the same three seconds.
CHOOSE_S = 0.25

PRIVATE = "Show the pictures only to you at first (as you or the server have chosen)"

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
CHOICE_CHARACTERS_MAX = 100

SHAPES = [app_commands.Choice(name=shape.label, value=shape.value) for shape in Shape]


# An answer says that the person is an adult as well; ``services.consents.WORDING`` counts the versions of this.
WHOSE_TEXT = "Whose face it is; you also say that the person is an adult"
PERSON_TEXT = "Which member it is; they are asked first"
WHOSE = [
    app_commands.Choice(name="Mine", value=Whose.ME.value),
    app_commands.Choice(name="Somebody else's, who agreed", value=Whose.AGREED.value),
    app_commands.Choice(name="A member's", value=Whose.MEMBER.value),
]

# What both dialects say of their options; each adds its own.
_IN_BOTH = {
    "prompt": "What the pictures should show",
    "face": "A photo of the person to show: one face, from the front",
    "count": "How many pictures (1)",
    "private": PRIVATE,
}
IMAGINE_OPTIONS = _IN_BOTH | {
    "whose": WHOSE_TEXT,
    "person": PERSON_TEXT,
    "preset": "One of the styles that /styles shows",
    "shape": "The shape of the pictures (square)",
    "draft": "Make four quick sketches first, and choose which to make in full (no)",
}
ADVANCED_OPTIONS = _IN_BOTH | {"seed": "The same seed and options make the same pictures again (random)"}


# An image for a request: attached to the command, or saved earlier.
Photo = discord.Attachment | SavedPhoto


class Imagining(commands.Cog):
    """What the cogs of both dialects share."""

    def __init__(self, reception: Reception, faces: Faces, catalog: Catalog) -> None:
        self.catalog = catalog
        self._reception = reception
        self._faces = faces

    async def suggest_faces(self, interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The member's own saved faces that fit."""
        return await suggested_faces(interaction, self._faces, typed)

    async def suggest_presets(self, _interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """The presets that fit, with what they do."""
        return [
            app_commands.Choice(name=f"{preset.name}: {preset.told}"[:CHOICE_CHARACTERS_MAX], value=preset.name)
            for preset in self.catalog.suggested_presets(typed)
        ]

    async def _request(
        self,
        interaction: discord.Interaction,
        wish: Wish,
        photos: Sequence[Photo],
        *,
        draft: bool,
        is_private: bool,
        said: Said | None,
    ) -> None:
        """Ask for a wish, or for a draft of it. ``photos`` are in the order of its references."""
        photos_from = sources_of(photos, wish.references)
        meant = drafted(wish) if draft else wish
        await self._reception.begin(interaction, meant, photos_from, private=is_private, said=said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """An image option of a command, and the option beside it that says how strongly to follow the image, in
    percent.
    """

    role: Role
    name: str
    photo: Photo | None
    percent_name: str
    percent: int | None = None


def attached(slots: Sequence[Slot]) -> tuple[tuple[Reference, ...], list[Photo]]:
    """What was attached, as the request needs it and as Discord gave it, in the same order: faces, then styles.

    Raises:
        UserError: a strength was named for an image that is not there.
    """
    references: list[Reference] = []
    photos: list[Photo] = []
    for slot in sorted(slots, key=lambda slot: slot.role is not Role.FACE):
        if slot.photo is not None:
            scale = SCALE_DEFAULT if slot.percent is None else slot.percent / 100
            references.append(Reference(role=slot.role, scale=scale))
            photos.append(slot.photo)
        elif slot.percent is not None:
            raise UserError(
                _(
                    "`{percent}` needs an image in `{image}`. Attach one, or leave it out.",
                    percent=slot.percent_name,
                    image=slot.name,
                )
            )
    return tuple(references), photos


async def chosen(
    interaction: discord.Interaction,
    faces: Faces,
    said: str | None,
    *,
    face: discord.Attachment | None,
    is_private: bool,
) -> tuple[SavedPhoto, ...]:
    """The photos of the saved face that the member named; none where they named none. ``is_private`` is what the answer
    will be.

    Raises:
        UserError: they attached a face as well, or have none of that name.
    """
    if said is None:
        return ()
    if face is not None:
        raise UserError(_("Take either `face` or `face_name`, and leave out the other."))
    choosing = faces.choose(interaction.user.id, said)
    return await in_time(interaction, choosing, ephemeral=is_private, within_s=CHOOSE_S)


def said_of(
    interaction: discord.Interaction, whose: str | None, person: discord.User | None, *, has_face: bool
) -> Said | None:
    """Whose face the member says it is; None where they do not say.

    Raises:
        UserError: what they say does not fit together.
    """
    if whose is None and person is None:
        return None
    if not has_face:
        raise UserError(_("`whose` and `person` are about a face. Attach a photo, or leave them out."))
    if person is not None and person.bot:
        raise UserError(_("A bot cannot be asked. Name a member in `person`."))
    chosen_as = Whose.MEMBER if whose is None else Whose(whose)
    return Said.by(interaction.user.id, chosen_as, person.id if person else None)


async def suggested_faces(interaction: discord.Interaction, faces: Faces, typed: str) -> list[app_commands.Choice[str]]:
    """The names of the member's own faces that fit, the default one first."""
    return [app_commands.Choice(name=name, value=name) for name in await faces.suggested(interaction.user.id, typed)]


def one_or_draft(count: int | None, *, draft: bool) -> int:
    """How many pictures are meant: a draft's are for choosing one.

    Raises:
        UserError: a count was named for a draft.
    """
    if draft and count is not None:
        raise UserError(_("A draft is always four pictures. Leave out `count`, or make no draft."))
    return count or 1


def random_seed() -> int:
    """For who names none."""
    return secrets.randbelow(SEED[1] + 1)


def suggested_sizes(typed: str, table: Table) -> list[app_commands.Choice[str]]:
    """What was typed where it is a size in pixels, otherwise the shapes that begin like it, or all of them."""
    begun = typed.strip().lower()
    fitting = [shape for shape in Shape if shape.startswith(begun)]
    if not fitting:
        try:
            width, height = size_of(typed, table)
        except InvalidWish:
            fitting = list(Shape)
        else:
            return [app_commands.Choice(name=f"{width}x{height}", value=f"{width}x{height}")]
    return [
        app_commands.Choice(name=f"{shape.label}, {width}x{height}", value=shape.value)
        for shape, (width, height) in table.sizes.items()
        if shape in fitting
    ]


class Attached(Protocol):
    """A photo that a member has just attached, or one of a saved face; ``size`` is in bytes."""

    @property
    def url(self) -> str:
        """Where Discord serves it for now."""
        ...

    @property
    def size(self) -> int:
        """See above."""
        ...


def sources_of(photos: Sequence[Attached], references: Sequence[Reference]) -> tuple[Source, ...]:
    """Where photos, in the order of their references, are fetched from: fresh ones, or those of a saved face.

    Raises:
        PhotoRefused: one is too large.
    """
    for number, (photo, reference) in enumerate(zip(photos, references, strict=True), start=1):
        try:
            check_length(photo.size)
        except PhotoRefused as error:
            if len(photos) == 1:
                raise
            raise error.among(len(photos), number=number, role=reference.role.label) from error
    return tuple(Source(url=photo.url) for photo in photos)
