"""What can be done with messages: by the bot through its channels, and by members in their window."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from playground.drafts import MAX_CONTENT, MAX_FILES, Draft, draft_message, new_attachment
from playground.errors import ApiError, MemberError, Refusal
from playground.mentions import MESSAGE_DEFAULT, AllowedMentions
from playground.model import (
    LOCALES,
    Channel,
    Event,
    EventKind,
    Message,
    MessageBody,
    MessageKind,
    Permission,
    Reference,
    Role,
    User,
    Version,
)
from playground.multipart import Upload
from playground.state import State
from playground.validation import Form, Problems

# "For a few minutes" a repeated nonce returns the first message: the page of drafts.MAX_CONTENT, Create Message.
NONCE_LIFE_S = 300.0
MAX_NONCE = 25
MAX_LISTED = 100
USUALLY_LISTED = 50

# A member with Nitro can send files far larger than what a bot may answer with, and the bot has to cope.
# https://support.discord.com/hc/articles/25444343291031
MAX_MEMBER_FILE_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a new message comes from: author and kind, the interaction it answers, who alone may see it."""

    author_id: int
    kind: MessageKind = MessageKind.DEFAULT
    interaction_id: int | None = None
    only_for: int | None = None
    reference: Reference | None = None
    nonce: str | int | None = None


def add_message(state: State, channel_id: int, draft: Draft, *, origin: Origin) -> Message:
    """Put a finished draft into a channel."""
    replied = _replied_user(state, origin.reference) if draft.allowed_mentions.replied_user else frozenset[int]()
    text = draft.body.text
    message = Message(
        id=state.new_id(),
        channel_id=channel_id,
        author_id=origin.author_id,
        kind=origin.kind,
        created_at=state.now(),
        body=draft.body,
        only_for=origin.only_for,
        interaction_id=origin.interaction_id,
        reference=origin.reference,
        nonce=origin.nonce,
        pinged_users=draft.allowed_mentions.pinged_users(text, known=state.members) | replied,
        pinged_everyone=draft.allowed_mentions.pings_everyone(text),
        versions=[Version(at=state.now(), body=draft.body)],
    )
    state.keep_files(draft)
    state.messages[message.id] = message
    state.message_changed(message)
    return message


def _replied_user(state: State, reference: Reference | None) -> frozenset[int]:
    answered = state.messages.get(reference.message_id) if reference else None
    return frozenset({answered.author_id} & state.members.keys()) if answered else frozenset()


def change_message(state: State, message: Message, draft: Draft) -> Message:
    """Give a message its next version. Edits ping nobody, and filling a deferral does not count as an edit."""
    was_thinking = message.is_thinking
    state.keep_files(draft)
    kept = {attachment.id for attachment in draft.body.attachments}
    state.drop_files(a for a in message.body.attachments if a.id not in kept)
    message.body = draft.body
    message.versions.append(Version(at=state.now(), body=draft.body))
    message.edited_at = None if was_thinking else state.now()
    state.message_changed(message)
    return message


def remove_message(state: State, message: Message) -> None:
    """Delete a message and its files; what it said stays in its history."""
    message.deleted_at = state.now()
    state.drop_files(message.body.attachments)
    state.message_deleted(message)


def existing(message: Message | None) -> Message:
    """The message if there is one that nobody deleted. Raises ApiError 10008."""
    if message is None or message.deleted_at is not None:
        raise ApiError(Refusal.UNKNOWN_MESSAGE)
    return message


# ---------------------------------------------------------------------------------------------- the bot, by channel


def bot_posts(state: State, channel_id: int, payload: object, files: Mapping[int, Upload]) -> Message:
    """Create Message. Raises ApiError."""
    channel = state.bot_channel(channel_id)
    _check_may_send(state, channel)
    form = _checked_form(payload)
    nonce = _read_nonce(form)
    if (first := _first_with_nonce(state, channel_id, form, nonce)) is not None:
        return first
    draft = draft_message(payload, files, place=state.place(channel_id), default_mentions=MESSAGE_DEFAULT)
    reference = _read_reference(state, channel_id, form)
    kind = MessageKind.REPLY if reference else MessageKind.DEFAULT
    origin = Origin(author_id=state.bot.id, kind=kind, reference=reference, nonce=nonce)
    message = add_message(state, channel_id, draft, origin=origin)
    if nonce is not None:
        state.nonces[channel_id, str(nonce)] = (message.id, state.now())
    return message


def _check_may_send(state: State, channel: Channel) -> None:
    if channel.recipient_id is not None:
        if not state.members[channel.recipient_id].takes_direct_messages:
            raise ApiError(Refusal.CANNOT_SEND_TO_USER)
    elif Permission.SEND_MESSAGES not in state.bot_permissions(channel):
        raise ApiError(Refusal.MISSING_PERMISSIONS)


def _checked_form(payload: object) -> Form:
    problems = Problems()
    form = Form({} if payload is None else payload, problems)
    problems.raise_if_any()
    return form


def _read_nonce(form: Form) -> str | int | None:
    nonce = form.data.get("nonce")
    if nonce is not None and (not isinstance(nonce, str | int) or len(str(nonce)) > MAX_NONCE):
        form.fail("nonce", "NONCE_TYPE_TOO_LONG", f"Nonce must be {MAX_NONCE} or fewer in length.")
        form.problems.raise_if_any()
    return nonce


def _first_with_nonce(state: State, channel_id: int, form: Form, nonce: str | int | None) -> Message | None:
    if nonce is None or not form.boolean("enforce_nonce"):
        return None
    message_id, at = state.nonces.get((channel_id, str(nonce)), (0, 0.0))
    return state.messages.get(message_id) if state.now() - at <= NONCE_LIFE_S else None


def _read_reference(state: State, channel_id: int, form: Form) -> Reference | None:
    reference = form.form("message_reference")
    if reference is None:
        return None
    message_id = reference.snowflake("message_id", required=True)
    form.problems.raise_if_any()
    answered = state.messages.get(message_id or 0)
    if _is_reachable(answered) and answered and answered.channel_id == channel_id:
        return Reference(channel_id=channel_id, message_id=answered.id)
    if reference.data.get("fail_if_not_exists", True):
        form.fail("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        form.problems.raise_if_any()
    return None


def _is_reachable(message: Message | None) -> bool:
    return message is not None and message.deleted_at is None and not message.is_ephemeral


def bot_reads(state: State, channel_id: int, message_id: int) -> Message:
    """Get Channel Message. Raises ApiError; ephemeral messages do not exist here."""
    state.bot_channel(channel_id)
    message = state.messages.get(message_id)
    if message is None or not _is_reachable(message) or message.channel_id != channel_id:
        raise ApiError(Refusal.UNKNOWN_MESSAGE)
    return message


def bot_lists(state: State, channel_id: int, query: Mapping[str, str]) -> list[Message]:
    """Get Channel Messages: newest first, `limit` 1 to 100, and one of `before`, `after`, `around`."""
    state.bot_channel(channel_id)
    problems = Problems()
    form = Form(dict(query), problems)
    limit = form.integer("limit", least=1, most=MAX_LISTED) or USUALLY_LISTED
    before, after, around = (form.snowflake(key) for key in ("before", "after", "around"))
    problems.raise_if_any()
    found = [m for m in state.channel_messages(channel_id) if not m.is_ephemeral]
    if around is not None:
        half = limit // 2
        later = [m for m in found if m.id > around][-half:] if half else []
        return [*later, *[m for m in found if m.id <= around][: limit - len(later)]]
    if after is not None:
        return [m for m in found if m.id > after][-limit:]
    return [m for m in found if before is None or m.id < before][:limit]


def bot_edits(
    state: State, channel_id: int, message_id: int, payload: object, *, files: Mapping[int, Upload]
) -> Message:
    """Edit Message. Raises ApiError; only the bot's own messages."""
    message = bot_reads(state, channel_id, message_id)
    if message.author_id != state.bot.id:
        raise ApiError(Refusal.NOT_THE_AUTHOR)
    return edit_message(state, message, payload, files=files, default_mentions=MESSAGE_DEFAULT)


def edit_message(
    state: State,
    message: Message,
    payload: object,
    *,
    files: Mapping[int, Upload],
    default_mentions: AllowedMentions,
    at: tuple[str | int, ...] = (),
) -> Message:
    """Apply an edit by the author of a message. Raises ApiError."""
    place = state.place(message.channel_id, ephemeral=message.is_ephemeral)
    draft = draft_message(payload, files, place=place, default_mentions=default_mentions, before=message.body, at=at)
    return change_message(state, message, draft)


def bot_deletes(state: State, channel_id: int, message_id: int) -> None:
    """Delete Message: the bot's own, or others' where it may manage messages. Raises ApiError."""
    message = bot_reads(state, channel_id, message_id)
    may_manage = Permission.MANAGE_MESSAGES in state.bot_permissions(state.channels[channel_id])
    if message.author_id != state.bot.id and not may_manage:
        raise ApiError(Refusal.MISSING_PERMISSIONS)
    remove_message(state, message)


def bot_opens_direct(state: State, payload: object) -> Channel:
    """Create DM. Raises ApiError when there is no such member."""
    form = _checked_form(payload)
    recipient = form.snowflake("recipient_id", required=True)
    form.problems.raise_if_any()
    if recipient not in state.members:
        raise ApiError(Refusal.INVALID_RECIPIENT)
    return state.direct_channel(recipient)


def bot_types(state: State, channel_id: int) -> None:
    """Trigger Typing Indicator. Raises ApiError."""
    _check_may_send(state, state.bot_channel(channel_id))
    state.publish(Event(kind=EventKind.TYPING, id=state.bot.id, channel_id=channel_id))


# ------------------------------------------------------------------------------------------------------- the members


def member_says(
    state: State, member: User, channel: Channel, content: str, *, uploads: Sequence[Upload] = ()
) -> Message:
    """A plain message from a member. Raises MemberError."""
    text = content.strip()
    if not text and not uploads:
        raise MemberError("Write something first.")
    if len(text) > MAX_CONTENT:
        raise MemberError(f"A message has at most {MAX_CONTENT} characters, this one has {len(text)}.")
    check_member_files(uploads)
    place = state.place(channel.id)
    contents = {new_attachment(u.content, filename=u.filename, place=place): u.content for u in uploads}
    draft = Draft(
        body=MessageBody(content=text, attachments=tuple(contents)),
        contents={attachment.id: content for attachment, content in contents.items()},
        allowed_mentions=replace(
            MESSAGE_DEFAULT, everyone=Permission.MENTION_EVERYONE in state.permissions(member, channel)
        ),
    )
    return add_message(state, channel.id, draft, origin=Origin(author_id=member.id))


def check_member_files(uploads: Sequence[Upload]) -> None:
    """Refuse what Discord's own window would refuse. Raises MemberError."""
    if len(uploads) > MAX_FILES:
        raise MemberError(f"At most {MAX_FILES} files at once.")
    if any(len(upload.content) > MAX_MEMBER_FILE_BYTES for upload in uploads):
        raise MemberError(f"A file has at most {MAX_MEMBER_FILE_BYTES // 2**20} MiB.")


def member_dismisses(state: State, member: User, message: Message) -> None:
    """Hide an ephemeral message from its owner's window; it goes on existing for the bot. Raises MemberError."""
    if message.only_for != member.id:
        raise MemberError("Only your own private messages can be dismissed.")
    message.dismissed = True
    state.message_deleted(message)


def member_deletes(state: State, member: User, message: Message) -> None:
    """Delete one's own message, or anybody's as a moderator. Raises MemberError."""
    if not may_delete(state, member, message):
        raise MemberError("Only its author and moderators can delete a message.")
    remove_message(state, message)


def may_delete(state: State, member: User, message: Message) -> bool:
    """Whether a member may delete a message that they see."""
    may_manage = Permission.MANAGE_MESSAGES in state.permissions(member, state.channels[message.channel_id])
    return not message.is_ephemeral and (may_manage or message.author_id == member.id)


# --------------------------------------------------------------------------------------------- whoever runs the place


def set_roles(state: State, member: User, roles: Iterable[Role]) -> None:
    """Give a member these roles of the server, and no others."""
    member.roles = (member.roles - state.guild.roles.keys()) | {role.id for role in roles}
    state.member_changed(member)


def set_app(state: State, member: User, *, installed: bool) -> None:
    """Whether a member has the bot's app installed for themselves."""
    member.has_app = installed
    state.member_changed(member)


def set_locale(state: State, member: User, locale: str) -> None:
    """The language in which a member uses Discord. Raises MemberError when there is no such locale."""
    if locale not in LOCALES:
        raise MemberError(f"There is no locale {locale}. The locales are {', '.join(LOCALES)}.")
    member.locale = locale
    state.member_changed(member)


def set_permissions(state: State, role: Role, permissions: Permission) -> None:
    """Let a role allow this, and nothing else."""
    role.permissions = permissions
    state.role_changed(role)


def delete_channel(state: State, channel: Channel) -> None:
    """Take a channel away with everything in it."""
    for message in list(state.channel_messages(channel.id)):
        remove_message(state, message)
    del state.channels[channel.id]
    state.publish(Event(kind=EventKind.CHANNEL_DELETED, id=channel.id, channel_id=channel.id))


def deny_bot(state: State, channel: Channel, denied: Permission) -> None:
    """Take permissions from the bot in one channel; an empty set gives them back."""
    channel.denied = denied
    state.publish(Event(kind=EventKind.CHANNEL, id=channel.id, channel_id=channel.id))


def readable_by_bot(state: State, message: Message) -> bool:
    """Whether the bot may read the text of a message: without the privileged intent only its own and those to it."""
    channel = state.channels.get(message.channel_id)
    is_direct = channel is not None and channel.is_direct
    return is_direct or message.author_id == state.bot.id or f"<@{state.bot.id}>" in message.body.content
