"""Discord's component rules, one reader a kind. https://discord.com/developers/docs/components/reference."""

from collections.abc import Callable, Iterable
from functools import partial

from playground.errors import Json
from playground.fields import (
    Reading,
    checkbox,
    checkbox_group,
    entity_select,
    file_upload,
    given,
    radio_group,
    read_custom_id,
    read_emoji,
    string_select,
    text_input,
)
from playground.model import ATTACHMENT_SCHEME, ENTITY_SELECTS, SELECTS, ComponentKind, walk
from playground.validation import Form

# All limits: https://discord.com/developers/docs/components/reference, each under its component.
MAX_COMPONENTS = 40
MAX_TEXT = 4000
MAX_ROWS = 5
MAX_BUTTONS = 5
MAX_SECTION_TEXTS = 3
MAX_GALLERY_ITEMS = 10
MAX_LABEL = 80
MAX_BUTTON_URL = 512
MAX_MEDIA_URL = 2048
MAX_DESCRIPTION = 1024
MAX_MODAL_COMPONENTS = 5
MAX_MODAL_LABEL = 45
MAX_MODAL_DESCRIPTION = 100
MAX_COMPONENT_ID = 2**31 - 1
MAX_COLOR = 0xFFFFFF

LINK_STYLE = 5
PREMIUM_STYLE = 6
BUTTON_STYLES = range(1, 7)

Reader = Callable[[Form, Reading], Json]


def read_components(form: Form, *, layout: bool) -> tuple[Json, ...]:
    """Check the field `components` and return it in the form that Discord keeps, every component with its `id`.

    What is wrong goes to the form's problems; `layout` says whether the message has the Components V2 flag.
    """
    children = form.forms("components", most=MAX_COMPONENTS if layout else MAX_ROWS)
    return _read_top(form, children, Reading(form.problems), allowed=_TOP_LEVEL if layout else _LEGACY_TOP_LEVEL)


def read_modal_components(form: Form) -> tuple[Json, ...]:
    """As `read_components`, for a modal."""
    children = form.forms("components", least=1, most=MAX_MODAL_COMPONENTS)
    return _read_top(form, children, Reading(form.problems, in_modal=True), allowed=_IN_MODAL)


def _read_top(
    form: Form, children: Iterable[Form], reading: Reading, *, allowed: frozenset[ComponentKind]
) -> tuple[Json, ...]:
    found = _read_all(children, reading, allowed=allowed)
    if reading.count > MAX_COMPONENTS:
        said = f"The total number of components cannot exceed {MAX_COMPONENTS}."
        form.fail("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", said)
    if reading.text_length > MAX_TEXT:
        said = f"The total displayable text size cannot exceed {MAX_TEXT} characters."
        form.fail("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", said)
    _number(found, reading.ids)
    return tuple(found)


def _number(components: Iterable[Json], taken: set[int]) -> None:
    """Give every component without an id the next free one, in order of appearance."""
    free = (number for number in range(1, MAX_COMPONENT_ID) if number not in taken)
    for top in components:
        for component in walk(top):
            if not component["id"]:
                component["id"] = next(free)


def _read_all(forms: Iterable[Form], reading: Reading, *, allowed: frozenset[ComponentKind]) -> list[Json]:
    read = (_read_one(form, reading, allowed=allowed) for form in forms)
    return [component for component in read if component is not None]


def _read_one(form: Form, reading: Reading, *, allowed: frozenset[ComponentKind]) -> Json | None:
    number = form.integer("type", among=allowed, required=True)
    if number is None:
        return None
    kind = ComponentKind(number)
    reading.count += 1
    identity = form.integer("id", least=0, most=MAX_COMPONENT_ID) or 0
    if identity and identity in reading.ids:
        form.fail("id", "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated")
    reading.ids.add(identity)
    return {"type": int(kind), "id": identity, **_READERS[kind](form, reading)}


def _action_row(form: Form, reading: Reading) -> Json:
    children = form.forms("components", least=1, most=MAX_BUTTONS)
    found = _read_all(children, reading, allowed=_IN_MODAL_ROW if reading.in_modal else _IN_ROW)
    if len(children) > 1 and any(component["type"] in _FILLING_A_ROW for component in found):
        form.fail("components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The specified component exceeds the maximum width")
    for child in children if reading.in_modal else ():
        child.text("label", most=MAX_MODAL_LABEL, required=True)
    return {"components": found}


def _label(form: Form, reading: Reading) -> Json:
    found: Json = {"label": form.text("label", least=1, most=MAX_MODAL_LABEL, required=True) or ""}
    found |= given(description=form.text("description", least=1, most=MAX_MODAL_DESCRIPTION))
    inside = form.form("component", required=True)
    component = inside and _read_one(inside, reading, allowed=_IN_LABEL)
    return found | ({"component": component} if component else {})


def _button(form: Form, reading: Reading) -> Json:
    style = form.integer("style", among=BUTTON_STYLES, required=True) or 1
    button: Json = {"style": style}
    button |= given(label=form.text("label", most=MAX_LABEL), emoji=read_emoji(form))
    if form.boolean("disabled"):
        button["disabled"] = True
    if style == PREMIUM_STYLE:
        return button | {"sku_id": str(form.snowflake("sku_id", required=True))}
    if not form.data.get("label") and not form.data.get("emoji"):
        form.fail(None, "BUTTON_COMPONENT_INVALID_LABEL_OR_EMOJI", "A button must have a label or an emoji.")
    if form.data.get("url") and form.data.get("custom_id"):
        said = "A custom id and url cannot both be specified"
        form.fail(None, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", said)
    if style == LINK_STYLE:
        schemes = ("http://", "https://", "discord://")
        return button | {"url": _address(form, "url", most=MAX_BUTTON_URL, schemes=schemes)}
    return button | {"custom_id": read_custom_id(form, reading)}


def _section(form: Form, reading: Reading) -> Json:
    children = form.forms("components", least=1, most=MAX_SECTION_TEXTS)
    texts = _read_all(children, reading, allowed=_IN_SECTION)
    accessory = form.form("accessory", required=True)
    found = accessory and _read_one(accessory, reading, allowed=_ACCESSORIES)
    return {"components": texts, "accessory": found} if found else {"components": texts}


def _text_display(form: Form, reading: Reading) -> Json:
    content = form.text("content", least=1, most=MAX_TEXT, required=True) or ""
    reading.text_length += len(content)
    return {"content": content}


def _thumbnail(form: Form, _reading: Reading) -> Json:
    return _shown_media(form)


def _media_gallery(form: Form, _reading: Reading) -> Json:
    return {"items": [_shown_media(item) for item in form.forms("items", least=1, most=MAX_GALLERY_ITEMS)]}


def _shown_media(form: Form) -> Json:
    media = form.form("media", required=True)
    schemes = (ATTACHMENT_SCHEME, "http://", "https://")
    url = _address(media, "url", most=MAX_MEDIA_URL, schemes=schemes) if media else ""
    description = form.text("description", least=1, most=MAX_DESCRIPTION)
    return {"media": {"url": url}, "description": description, "spoiler": form.boolean("spoiler")}


def _file(form: Form, _reading: Reading) -> Json:
    file = form.form("file", required=True)
    url = _address(file, "url", most=MAX_MEDIA_URL, schemes=(ATTACHMENT_SCHEME,)) if file else ""
    return {"file": {"url": url}, "spoiler": form.boolean("spoiler")}


def _separator(form: Form, _reading: Reading) -> Json:
    divider = form.boolean("divider") if form.has("divider") else True
    return {"divider": divider, "spacing": form.integer("spacing", among=(1, 2)) or 1}


def _container(form: Form, reading: Reading) -> Json:
    color = form.integer("accent_color", least=0, most=MAX_COLOR)
    children = form.forms("components", least=1, most=MAX_COMPONENTS)
    inside = _read_all(children, reading, allowed=_IN_CONTAINER)
    return {"accent_color": color, "spoiler": form.boolean("spoiler"), "components": inside}


def _address(form: Form, key: str, *, most: int, schemes: tuple[str, ...]) -> str:
    url = form.text(key, least=1, most=most, required=True)
    if url is not None and not url.startswith(schemes):
        names = ", ".join(f"'{scheme.removesuffix('://')}'" for scheme in schemes)
        form.fail(key, "URL_TYPE_INVALID_SCHEME", f"Scheme must be one of ({names}).")
    return url or ""


_READERS: dict[ComponentKind, Reader] = {
    ComponentKind.ACTION_ROW: _action_row,
    ComponentKind.BUTTON: _button,
    ComponentKind.SECTION: _section,
    ComponentKind.TEXT_DISPLAY: _text_display,
    ComponentKind.THUMBNAIL: _thumbnail,
    ComponentKind.MEDIA_GALLERY: _media_gallery,
    ComponentKind.FILE: _file,
    ComponentKind.SEPARATOR: _separator,
    ComponentKind.CONTAINER: _container,
    ComponentKind.STRING_SELECT: string_select,
    **{kind: partial(entity_select, kind=kind) for kind in ENTITY_SELECTS},
    ComponentKind.TEXT_INPUT: text_input,
    ComponentKind.FILE_UPLOAD: file_upload,
    ComponentKind.RADIO_GROUP: radio_group,
    ComponentKind.CHECKBOX_GROUP: checkbox_group,
    ComponentKind.CHECKBOX: checkbox,
    ComponentKind.LABEL: _label,
}

_FILLING_A_ROW = SELECTS | {ComponentKind.TEXT_INPUT}
_IN_ROW = SELECTS | {ComponentKind.BUTTON}
_IN_MODAL_ROW = frozenset({ComponentKind.TEXT_INPUT})
_IN_LABEL = SELECTS | {
    ComponentKind.TEXT_INPUT,
    ComponentKind.FILE_UPLOAD,
    ComponentKind.RADIO_GROUP,
    ComponentKind.CHECKBOX_GROUP,
    ComponentKind.CHECKBOX,
}
_IN_MODAL = frozenset({ComponentKind.LABEL, ComponentKind.ACTION_ROW, ComponentKind.TEXT_DISPLAY})
_IN_SECTION = frozenset({ComponentKind.TEXT_DISPLAY})
_ACCESSORIES = frozenset({ComponentKind.BUTTON, ComponentKind.THUMBNAIL})
_LEGACY_TOP_LEVEL = frozenset({ComponentKind.ACTION_ROW})
_IN_CONTAINER = frozenset(
    {
        ComponentKind.ACTION_ROW,
        ComponentKind.SECTION,
        ComponentKind.TEXT_DISPLAY,
        ComponentKind.MEDIA_GALLERY,
        ComponentKind.SEPARATOR,
        ComponentKind.FILE,
    }
)
_TOP_LEVEL = _IN_CONTAINER | {ComponentKind.CONTAINER}
