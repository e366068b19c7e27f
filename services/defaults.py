"""What a server's admins have chosen for requests that leave it open, and the most that a request may ask for there."""

from dataclasses import dataclass, replace

from services.catalog import Catalog
from services.errors import InvalidWish, NotAllowed
from services.request import SIDE_PX_MULTIPLE, Asked, ExtraAdapter, ModelChoice, Preset, Shape, Table, Wish, size_of
from services.servers import ServerSettings
from services.words import _


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a request is made with."""

    model: ModelChoice
    preset: Preset | None
    extra: ExtraAdapter | None


def choose(
    catalog: Catalog,
    settings: ServerSettings,
    *,
    model: str | None = None,
    preset: str | None = None,
    extra: str | None = None,
) -> Choice:
    """What a member has named, then what their preset brings along, then what their server has chosen.

    Raises:
        InvalidWish: nothing of that name is offered.
        NotAllowed: the server's own choice is not offered any more.
    """
    styled_by = catalog.preset(preset) if preset is not None else default_preset(catalog, settings)
    if model is None and styled_by is not None:
        model = styled_by.model
    by = catalog.model(model) if model is not None else default_model(catalog, settings)
    adapter = catalog.extra_adapter(extra)
    if adapter is None and styled_by is not None:
        adapter = catalog.extra_adapter(styled_by.extra)
        if adapter is not None and preset is None and adapter.family is not by.family:
            adapter = None  # what a default brings along gives way to the model that was named
    return Choice(model=by, preset=styled_by, extra=adapter)


def default_model(catalog: Catalog, settings: ServerSettings) -> ModelChoice:
    """The model where a member names none.

    Raises:
        NotAllowed: the server's own choice is not offered any more.
    """
    try:
        return catalog.model(settings.model)
    except InvalidWish as error:
        raise NotAllowed(
            _(
                "The model that this server has chosen is not offered any more. Name another one in `model`, or ask "
                "who manages the server to choose one with `/server settings`."
            )
        ) from error


def default_preset(catalog: Catalog, settings: ServerSettings) -> Preset | None:
    """The preset where a member names none.

    Raises:
        NotAllowed: the server's own choice is not offered any more.
    """
    try:
        return catalog.preset(settings.preset)
    except InvalidWish as error:
        raise NotAllowed(
            _(
                "The style that this server has chosen is not offered any more. Name another one in `preset`, or ask "
                "who manages the server to choose one with `/server settings`."
            )
        ) from error


def capped(asked: Asked, settings: ServerSettings, table: Table, *, preset: Preset | None) -> Asked:
    """What was left open, or comes from a preset or with a shape's name, within the server's caps. What was named in
    numbers stays as it is, for ``check_caps`` to refuse.
    """
    steps = table.default_steps if asked.steps is None else asked.steps
    is_open = asked.steps is None or (preset is not None and asked.steps == preset.steps)
    if settings.steps_max is not None and is_open and steps > settings.steps_max:
        asked = replace(asked, steps=max(settings.steps_max, table.steps[0]))
    if settings.side_px_max is not None and (asked.size is None or asked.size.strip().lower() in tuple(Shape)):
        width, height = size_of(asked.size, table)
        factor = settings.side_px_max / max(width, height)
        if factor < 1:
            sides = (int(side * factor) // SIDE_PX_MULTIPLE * SIDE_PX_MULTIPLE for side in (width, height))
            asked = replace(asked, size="x".join(str(max(side, table.side_px[0])) for side in sides))
    return asked


def check_caps(wish: Wish, settings: ServerSettings) -> None:
    """Make sure that a request stays within the server's caps.

    Raises:
        NotAllowed: it does not; the text names the cap.
    """
    steps = wish.full_steps or wish.steps
    if settings.steps_max is not None and steps > settings.steps_max:
        raise NotAllowed(
            _(
                "In this server a picture takes at most {most} steps, and this would be {steps}. Ask for fewer.",
                most=settings.steps_max,
                steps=steps,
            )
        )
    side_px = max(wish.width, wish.height)
    if settings.side_px_max is not None and side_px > settings.side_px_max:
        raise NotAllowed(
            _(
                "In this server pictures have at most {most} pixels a side, and this would be {width}x{height}. "
                "Ask for a smaller one.",
                most=settings.side_px_max,
                width=wish.width,
                height=wish.height,
            )
        )
