"""New wishes out of earlier ones: again, varied, larger or edited, with what this bot offers today."""

from dataclasses import dataclass, replace

from services.catalog import Catalog
from services.defaults import capped
from services.errors import UserError
from services.request import (
    FAMILY_TABLES,
    GENERATE_TABLE,
    LOCK_TABLE,
    SCALE_DEFAULT,
    Api,
    Asked,
    Family,
    Reference,
    Role,
    Wish,
    can_vary,
    drafted,
    larger_size,
    remade,
)
from services.servers import UNTOUCHED, ServerSettings
from services.words import _, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What a member changes; ``likeness`` is in percent, ``size`` a shape's name or ``768x512``, and None leaves either
    as it is. With ``new_face`` another face comes in the place of the first one, or as the first.
    """

    prompt: str
    likeness: int | None = None
    size: str | None = None
    new_face: bool = False


class Remakes:
    """Checks every new wish as if it had been asked for with a command, in a server with these settings."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        api: Api,
        safety_checker: bool,
        server_id: str | None,
        settings: ServerSettings = UNTOUCHED,
    ) -> None:
        self._catalog = catalog
        self._api = api
        self._safety_checker = safety_checker
        self._server_id = server_id
        self._settings = settings

    def within(self, settings: ServerSettings) -> "Remakes":
        """The same in another server."""
        return Remakes(
            self._catalog,
            api=self._api,
            safety_checker=self._safety_checker,
            server_id=self._server_id,
            settings=settings,
        )

    def again(self, wish: Wish, *, seed: int) -> Wish:
        """The same with another seed; a draft again as a draft.

        Raises:
            UserError: it cannot be asked for any more.
        """
        again = self._remade(wish, wish.asked, seed=seed)
        return drafted(again) if wish.is_draft else again

    def full(self, wish: Wish, number: int) -> Wish:
        """The draft's picture of that number, from 1, as it was meant.

        Raises:
            UserError: there is no such picture, or it cannot be asked for any more.
        """
        if not wish.is_draft or not 1 <= number <= wish.jobs:
            raise UserError(_("This picture is not one of a draft."))
        return replace(
            self._remade(wish, wish.asked, seed=wish.seed_of(number - 1)),
            caption=_("A picture of a draft, made in full."),
        )

    def varied(self, wish: Wish, number: int, *, seed: int) -> Wish:
        """The same with the picture of that number, from 1, as its one style image, the last of the references.

        Raises:
            UserError: the service has no counterpart for that, or it cannot be asked for any more.
        """
        if not can_vary(wish):
            raise UserError(
                _("This request cannot be varied: the image service takes no style image beside its faces.")
            )
        faces = (reference for reference in wish.references if reference.role is Role.FACE)
        asked = replace(wish.asked, references=(*faces, Reference(role=Role.STYLE, scale=SCALE_DEFAULT)))
        if wish.images > 1:
            caption = _("A variation of picture {number}: similar, not identical.", number=number)
        else:
            caption = _("A variation: similar, not identical.")
        return replace(self._remade(wish, asked, seed=seed), caption=caption)

    def larger(self, wish: Wish, *, seed: int) -> Wish:
        """The same at a larger size; of Stable Diffusion 1.5 with Stable Diffusion XL.

        Raises:
            UserError: it is as large as can be, or cannot be asked for any more.
        """
        size = larger_size(wish)
        if size is None:
            raise UserError(_("This is as large as the image service makes it."))
        asked = replace(wish.asked, size=f"{size[0]}x{size[1]}")
        is_moved = wish.family is Family.SD
        new = self._remade(wish, replace(asked, adapter=None) if is_moved else asked, seed=seed, is_moved=is_moved)
        caption = ngettext(
            "A new picture at {size}, not the same enlarged.",
            "New pictures at {size}, not the same enlarged.",
            new.images,
            size=f"{size[0]}x{size[1]}",
        )
        if is_moved and (wish.extra or wish.asked.adapter):
            left_out = _("The adapters for {family} were left out.", family=Family.SD.label)
            caption = f"{caption} {left_out}"
        return replace(new, caption=caption)

    def edited(self, wish: Wish, edit: Edit, *, seed: int) -> Wish:
        """The same with a member's changes; a draft again as a draft.

        Raises:
            UserError: something in it cannot be asked for.
        """
        references = list(wish.references)
        if edit.new_face and not wish.count_of(Role.FACE):
            references.insert(0, Reference(role=Role.FACE, scale=SCALE_DEFAULT))
        if edit.likeness is not None and references and references[0].role is Role.FACE:
            references[0] = replace(references[0], scale=edit.likeness / 100)
        asked = replace(wish.asked, prompt=edit.prompt, references=tuple(references), size=edit.size or wish.asked.size)
        edited = self._remade(wish, asked, seed=seed)
        return drafted(edited) if wish.is_draft else edited

    def _remade(self, wish: Wish, asked: Asked, *, seed: int, is_moved: bool = False) -> Wish:
        """``is_moved``: to the base model of Stable Diffusion XL."""
        if wish.api is not self._api:
            raise UserError(
                _("This was made with another image service than the bot uses today. Use /imagine to ask anew.")
            )
        model = extra = None
        if is_moved:
            model = self._catalog.base_model(Family.SDXL)
        elif wish.api is Api.ADAPTERS:
            model, extra = self._catalog.model_of(wish), self._catalog.extra_of(wish)
        table = FAMILY_TABLES[model.family] if model else LOCK_TABLE if asked.references else GENERATE_TABLE
        preset = next((preset for preset in self._catalog.presets if preset.name == wish.preset), None)
        return remade(
            wish,
            capped(asked, self._settings, table, preset=preset),
            seed=seed,
            model=model,
            extra=extra,
            safety_checker=self._safety_checker,
            server_id=self._server_id,
        )
