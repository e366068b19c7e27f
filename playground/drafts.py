"""Turning a request for a message (create or edit) into the message's next body, by Discord's rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playground.components import read_components
from playground.embeds import read_embeds
from playground.errors import ApiError, Json, Refusal
from playground.media import content_type_of, picture_size, safe_filename
from playground.mentions import AllowedMentions, read_allowed_mentions
from playground.model import Attachment, MessageBody, MessageFlag, file_references
from playground.multipart import Upload
from playground.validation import Form, Path, Problems

# https://discord.com/developers/docs/resources/message#create-message
MAX_CONTENT = 2000
MAX_FILES = 10
MAX_FILE_DESCRIPTION = 1024
MAX_FILENAME = 1024
# https://discord.com/developers/docs/reference#uploading-files
MAX_FILE_BYTES = 10 * 1024 * 1024

SPOILER_PREFIX = "SPOILER_"

# What a bot may set when it creates, and what it may change later: the page of MAX_CONTENT, Edit Message.
CREATE_FLAGS = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.SUPPRESS_NOTIFICATIONS | MessageFlag.COMPONENTS_V2
EDIT_FLAGS = MessageFlag.SUPPRESS_EMBEDS | MessageFlag.COMPONENTS_V2

# These cannot stand beside the Components V2 flag: https://discord.com/developers/docs/components/reference.
_LEGACY_FIELDS = ("content", "embeds")

# Discord has these; the playground refuses them rather than losing them without a word.
_UNSUPPORTED_FIELDS = ("poll", "sticker_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A body that passed every rule, the bytes of its new files by attachment id, and whom it may ping."""

    body: MessageBody
    contents: dict[int, bytes]
    allowed_mentions: AllowedMentions


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the message goes, as far as its files care."""

    channel_id: int
    new_id: Callable[[], int]
    ephemeral: bool = False


@dataclass(slots=True)
class _Files:
    kept: list[Attachment] = field(default_factory=list[Attachment])
    contents: dict[int, bytes] = field(default_factory=dict[int, bytes])


def draft_message(
    payload: object,
    files: Mapping[int, Upload],
    *,
    place: Place,
    default_mentions: AllowedMentions,
    before: MessageBody | None = None,
    at: Path = (),
) -> Draft:
    """Apply a request to a body: to an empty one for a new message, to `before` for an edit.

    `at` is where the message stands inside the request (`("data",)` in an interaction callback).

    Raises:
        ApiError: 50035 with every wrong field, 50006 when nothing would be left to show, 40005 for a file too large.
    """
    _refuse_large(files)
    problems = Problems()
    form = Form({} if payload is None else payload, problems, at)
    start = before or MessageBody()
    flags = _flags(form, start, allowed=EDIT_FLAGS if before else CREATE_FLAGS)
    stored = _attachments(form, files, start.attachments, place=place)
    body = _body(form, start, flags=flags, attachments=tuple(stored.kept))
    _check_references(form, body)
    allowed = read_allowed_mentions(form, default=default_mentions)
    problems.raise_if_any()
    if not (body.content or body.embeds or body.components or body.attachments):
        raise ApiError(Refusal.EMPTY_MESSAGE)
    return Draft(body=body, contents=stored.contents, allowed_mentions=allowed)


def _refuse_large(files: Mapping[int, Upload]) -> None:
    if any(len(upload.content) > MAX_FILE_BYTES for upload in files.values()):
        raise ApiError(Refusal.TOO_LARGE)


def _flags(form: Form, start: MessageBody, *, allowed: MessageFlag) -> MessageFlag:
    """The flags asked for, of those allowed; Components V2 stays once it is set."""
    if form.data.get("flags") is None:
        return start.flags & ~MessageFlag.LOADING
    asked = MessageFlag(form.integer("flags", least=0, most=2**31 - 1) or 0)
    return (asked & allowed) | (start.flags & MessageFlag.COMPONENTS_V2)


def _body(form: Form, start: MessageBody, *, flags: MessageFlag, attachments: tuple[Attachment, ...]) -> MessageBody:
    layout = MessageFlag.COMPONENTS_V2 in flags
    body = MessageBody(
        content=(form.text("content", most=MAX_CONTENT) or "") if form.has("content") else start.content,
        embeds=read_embeds(form) if form.has("embeds") else start.embeds,
        components=read_components(form, layout=layout) if form.has("components") else start.components,
        attachments=attachments,
        flags=flags,
    )
    for name in _UNSUPPORTED_FIELDS:
        if form.data.get(name):
            form.fail(name, "PLAYGROUND_UNSUPPORTED", f"The playground does not show '{name}'.")
    if layout:
        _refuse_legacy_fields(form, body)
    return body


def _refuse_legacy_fields(form: Form, body: MessageBody) -> None:
    filled = {"content": body.content, "embeds": body.embeds}
    for name in _LEGACY_FIELDS:
        if form.data.get(name) or filled.get(name):
            said = f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
            form.fail(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", said)


def _check_references(form: Form, body: MessageBody) -> None:
    names = {attachment.filename for attachment in body.attachments}
    shown: Json = {"components": body.components, "embeds": body.embeds}
    for at, name in file_references(shown):
        if name not in names:
            code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
            form.problems.add((*form.at, *at), code, f"The referenced attachment '{name}' is not among the files.")


def _attachments(form: Form, files: Mapping[int, Upload], before: tuple[Attachment, ...], *, place: Place) -> _Files:
    """Files kept by id, new ones by index; without a list all are kept and the new ones are appended."""
    stored = _Files()
    if not form.has("attachments"):
        stored.kept.extend(before)
        for upload in files.values():
            _store(stored, upload, Form({}, form.problems), place=place)
    else:
        _attachments_as_listed(form, files, {a.id: a for a in before}, stored=stored, place=place)
    if len(stored.kept) > MAX_FILES:
        form.fail("attachments", "BASE_TYPE_MAX_LENGTH", f"Must be {MAX_FILES} or fewer in length.")
    return stored


def _attachments_as_listed(
    form: Form, files: Mapping[int, Upload], before: Mapping[int, Attachment], *, stored: _Files, place: Place
) -> None:
    unused, unlisted = dict(files), dict(before)
    for entry in form.forms("attachments", most=MAX_FILES):
        identity = entry.snowflake("id", required=True)
        if identity is None:
            continue
        if identity in unused:
            _store(stored, unused.pop(identity), entry, place=place)
        elif identity in unlisted:
            stored.kept.append(unlisted.pop(identity))
        else:
            said = f"No file of this request and no attachment of the message has the id {identity}."
            entry.fail("id", "ATTACHMENT_NOT_FOUND", said)
    for index in unused:
        form.fail("attachments", "ATTACHMENT_NOT_LISTED", f"files[{index}] has no entry with id {index}.")


def _store(stored: _Files, upload: Upload, entry: Form, *, place: Place) -> None:
    given = entry.text("filename", least=1, most=MAX_FILENAME) or upload.filename
    attachment = new_attachment(
        upload.content,
        filename=given,
        place=place,
        description=entry.text("description", most=MAX_FILE_DESCRIPTION),
        spoiler=entry.boolean("is_spoiler"),
    )
    stored.kept.append(attachment)
    stored.contents[attachment.id] = upload.content


def new_attachment(
    content: bytes, *, filename: str, place: Place, description: str | None = None, spoiler: bool = False
) -> Attachment:
    """The particulars of an uploaded file, with a name that references can use (the given one becomes the title)."""
    safe = safe_filename(filename)
    size = picture_size(content)
    return Attachment(
        id=place.new_id(),
        channel_id=place.channel_id,
        filename=safe,
        title=filename if safe != filename else None,
        size=len(content),
        description=description,
        content_type=content_type_of(safe),
        width=size[0] if size else None,
        height=size[1] if size else None,
        ephemeral=place.ephemeral,
        spoiler=spoiler or safe.startswith(SPOILER_PREFIX),
    )
