"""Discord's embed rules. https://discord.com/developers/docs/resources/message#embed-object-embed-limits."""

from datetime import datetime

from playground.errors import Json
from playground.model import ATTACHMENT_SCHEME
from playground.validation import Form

MAX_EMBEDS = 10
MAX_TITLE = 256
MAX_DESCRIPTION = 4096
MAX_FIELDS = 25
MAX_FIELD_NAME = 256
MAX_FIELD_VALUE = 1024
MAX_FOOTER = 2048
MAX_AUTHOR = 256
MAX_TOTAL = 6000
MAX_URL = 2048
MAX_COLOR = 0xFFFFFF

_WEB = ("http://", "https://")


def read_embeds(form: Form) -> tuple[Json, ...]:
    """Check the field `embeds` and return it in the form that Discord keeps; problems go to the form's list."""
    embeds = [_read(embed) for embed in form.forms("embeds", most=MAX_EMBEDS)]
    if sum(_length(embed) for embed in embeds) > MAX_TOTAL:
        form.fail("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_TOTAL}")
    return tuple(embeds)


def _read(form: Form) -> Json:
    embed: Json = {
        "type": "rich",
        "title": form.text("title", most=MAX_TITLE),
        "description": form.text("description", most=MAX_DESCRIPTION),
        "url": _url(form, "url", schemes=_WEB),
        "timestamp": _timestamp(form),
        "color": form.integer("color", least=0, most=MAX_COLOR),
        "footer": _captioned(form.form("footer"), "text", most=MAX_FOOTER),
        "author": _captioned(form.form("author"), "name", most=MAX_AUTHOR),
        "image": _image(form.form("image")),
        "thumbnail": _image(form.form("thumbnail")),
        "fields": [_field(field) for field in form.forms("fields", most=MAX_FIELDS)] or None,
    }
    return {key: value for key, value in embed.items() if value is not None}


def _captioned(form: Form | None, key: str, *, most: int) -> Json | None:
    if form is None:
        return None
    part: Json = {key: form.text(key, least=1, most=most, required=True) or ""}
    part |= {
        "url": _url(form, "url", schemes=_WEB),
        "icon_url": _url(form, "icon_url", schemes=(*_WEB, ATTACHMENT_SCHEME)),
    }
    return {name: value for name, value in part.items() if value is not None}


def _image(form: Form | None) -> Json | None:
    return None if form is None else {"url": _url(form, "url", schemes=(*_WEB, ATTACHMENT_SCHEME)) or ""}


def _field(form: Form) -> Json:
    return {
        "name": form.text("name", least=1, most=MAX_FIELD_NAME, required=True) or "",
        "value": form.text("value", least=1, most=MAX_FIELD_VALUE, required=True) or "",
        "inline": form.boolean("inline"),
    }


def _url(form: Form, key: str, *, schemes: tuple[str, ...]) -> str | None:
    url = form.text(key, most=MAX_URL)
    if url and not url.startswith(schemes):
        form.fail(key, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
        return None
    return url


def _timestamp(form: Form) -> str | None:
    text = form.text("timestamp", most=64)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        form.fail("timestamp", "BASE_TYPE_BAD_TYPE", f"Could not parse {text}. Should be ISO8601.")
        return None


def _length(embed: Json) -> int:
    texts = [embed.get("title"), embed.get("description"), embed.get("footer", {}).get("text")]
    texts += [embed.get("author", {}).get("name")]
    texts += [field[key] for field in embed.get("fields", ()) for key in ("name", "value")]
    return sum(len(text or "") for text in texts)
