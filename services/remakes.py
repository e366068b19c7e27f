"""New wishes out of earlier ones: again, varied, larger or edited, with what this bot offers today."""

from dataclasses import dataclass, replace

from services.catalog import Catalog
from services.errors import UserError
from services.request import (
    SCALE_DEFAULT,
    Api,
    Asked,
    Family,
    Reference,
    Role,
    Wish,
    can_vary,
    larger_size,
    remade,
)


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
    """Checks every new wish as if it had been asked for with a command."""

    def __init__(self, catalog: Catalog, *, api: Api, safety_checker: bool, server_id: str | None) -> None:
        self._catalog = catalog
        self._api = api
        self._safety_checker = safety_checker
        self._server_id = server_id

    def again(self, wish: Wish, *, seed: int) -> Wish:
        """The same with another seed.

        Raises:
            UserError: it cannot be asked for any more.
        """
        return self._remade(wish, wish.asked, seed=seed)

    def varied(self, wish: Wish, number: int, *, seed: int) -> Wish:
        """The same with the picture of that number, from 1, as its one style image, the last of the references.

        Raises:
            UserError: the service has no counterpart for that, or it cannot be asked for any more.
        """
        if not can_vary(wish):
            raise UserError("This request cannot be varied: the image service takes no style image beside its faces.")
        faces = (reference for reference in wish.references if reference.role is Role.FACE)
        asked = replace(wish.asked, references=(*faces, Reference(role=Role.STYLE, scale=SCALE_DEFAULT)))
        caption = f"A variation of picture {number}: similar, not identical." if wish.images > 1 else _VARIATION
        return replace(self._remade(wish, asked, seed=seed), caption=caption)

    def larger(self, wish: Wish, *, seed: int) -> Wish:
        """The same at a larger size; of Stable Diffusion 1.5 with Stable Diffusion XL.

        Raises:
            UserError: it is as large as can be, or cannot be asked for any more.
        """
        size = larger_size(wish)
        if size is None:
            raise UserError("This is as large as the image service makes it.")
        asked = replace(wish.asked, size=f"{size[0]}x{size[1]}")
        is_moved = wish.family is Family.SD
        new = self._remade(wish, replace(asked, adapter=None) if is_moved else asked, seed=seed, is_moved=is_moved)
        made = "A new picture" if new.images == 1 else "New pictures"
        is_plainer = is_moved and (wish.extra or wish.asked.adapter)
        left_out = f" The adapters for {Family.SD.label} were left out." if is_plainer else ""
        return replace(new, caption=f"{made} at {size[0]}x{size[1]}, not the same enlarged.{left_out}")

    def edited(self, wish: Wish, edit: Edit, *, seed: int) -> Wish:
        """The same with a member's changes.

        Raises:
            UserError: something in it cannot be asked for.
        """
        references = list(wish.references)
        if edit.new_face and not wish.count_of(Role.FACE):
            references.insert(0, Reference(role=Role.FACE, scale=SCALE_DEFAULT))
        if edit.likeness is not None and references and references[0].role is Role.FACE:
            references[0] = replace(references[0], scale=edit.likeness / 100)
        asked = replace(wish.asked, prompt=edit.prompt, references=tuple(references), size=edit.size or wish.asked.size)
        return self._remade(wish, asked, seed=seed)

    def _remade(self, wish: Wish, asked: Asked, *, seed: int, is_moved: bool = False) -> Wish:
        """``is_moved``: to the base model of Stable Diffusion XL."""
        if wish.api is not self._api:
            raise UserError(
                "This was made with another image service than the bot uses today. Use /imagine to ask anew."
            )
        model = extra = None
        if is_moved:
            model = self._catalog.base_model(Family.SDXL)
        elif wish.api is Api.ADAPTERS:
            model, extra = self._catalog.model_of(wish), self._catalog.extra_of(wish)
        return remade(
            wish,
            asked,
            seed=seed,
            model=model,
            extra=extra,
            safety_checker=self._safety_checker,
            server_id=self._server_id,
        )


_VARIATION = "A variation: similar, not identical."
