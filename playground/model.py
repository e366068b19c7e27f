"""What the playground remembers: members, channels, messages, interactions. Plain data, no behaviour with a socket."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, StrEnum
from typing import Any, cast

from playground.errors import Json


class Permission(IntFlag):
    """The permission bits that matter here. https://discord.com/developers/docs/topics/permissions."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    USE_EXTERNAL_APPS = 1 << 50


NO_PERMISSION = Permission(0)
EVERYONE_MAY = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.USE_EXTERNAL_APPS
)
MODERATORS_MAY = EVERYONE_MAY | Permission.MANAGE_MESSAGES | Permission.MODERATE_MEMBERS | Permission.MENTION_EVERYONE
ALL_PERMISSIONS = ~NO_PERMISSION


def union(permissions: Iterable[Permission]) -> Permission:
    """All of these together."""
    found = NO_PERMISSION
    for permission in permissions:
        found |= permission
    return found


class ChannelKind(IntEnum):
    """Channel types. https://discord.com/developers/docs/resources/channel#channel-object-channel-types."""

    TEXT = 0
    DIRECT = 1


# All that Discord has: the page of ChannelKind.
CHANNEL_TYPES = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 16)


class Context(IntEnum):
    """Where an interaction can happen: https://discord.com/developers/docs/interactions/application-commands."""

    GUILD = 0
    BOT_DIRECT = 1
    PRIVATE = 2


class Install(IntEnum):
    """For whom an app can be installed: the page of Context, Installation Contexts."""

    GUILD = 0
    USER = 1


# https://discord.com/developers/docs/reference#locales
_LOCALES = """
ar bg cs da de el en-GB en-US es-419 es-ES fi fr he hi hr hu id it ja ko lt nl no pl pt-BR ro ru sv-SE th tr uk vi zh-CN
zh-TW"""
LOCALES = tuple(_LOCALES.split())


class MessageKind(IntEnum):
    """Message types. https://discord.com/developers/docs/resources/message#message-object-message-types."""

    DEFAULT = 0
    REPLY = 19
    COMMAND = 20
    CONTEXT_COMMAND = 23


class MessageFlag(IntFlag):
    """Message flags. https://discord.com/developers/docs/resources/message#message-object-message-flags."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


NO_FLAGS = MessageFlag(0)


class InteractionKind(IntEnum):
    """Interaction types. https://discord.com/developers/docs/interactions/receiving-and-responding."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class CallbackKind(IntEnum):
    """How an interaction may be answered; same page as InteractionKind."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE_MESSAGE = 7
    CHOICES = 8
    MODAL = 9


class ComponentKind(IntEnum):
    """Component types. https://discord.com/developers/docs/components/reference."""

    ACTION_ROW = 1
    BUTTON = 2
    STRING_SELECT = 3
    TEXT_INPUT = 4
    USER_SELECT = 5
    ROLE_SELECT = 6
    MENTIONABLE_SELECT = 7
    CHANNEL_SELECT = 8
    SECTION = 9
    TEXT_DISPLAY = 10
    THUMBNAIL = 11
    MEDIA_GALLERY = 12
    FILE = 13
    SEPARATOR = 14
    CONTAINER = 17
    LABEL = 18
    FILE_UPLOAD = 19
    RADIO_GROUP = 21
    CHECKBOX_GROUP = 22
    CHECKBOX = 23


# Menus of what the server has, and which types their `default_values` may have.
ENTITY_SELECTS: dict[ComponentKind, tuple[str, ...]] = {
    ComponentKind.USER_SELECT: ("user",),
    ComponentKind.ROLE_SELECT: ("role",),
    ComponentKind.MENTIONABLE_SELECT: ("user", "role"),
    ComponentKind.CHANNEL_SELECT: ("channel",),
}
SELECTS = frozenset({ComponentKind.STRING_SELECT, *ENTITY_SELECTS})


@dataclass(slots=True, kw_only=True)
class User:
    """Somebody who can write: a member, the bot, or the guide who explains the place.

    `has_app` says whether they have installed the bot's app for themselves, to use it wherever they are.
    """

    id: int
    username: str
    display_name: str
    bot: bool = False
    system: bool = False
    roles: set[int] = field(default_factory=set[int])
    takes_direct_messages: bool = True
    has_app: bool = False
    locale: str = "en-US"


@dataclass(slots=True, kw_only=True)
class Role:
    """A role of a server. The one with the server's own id is @everyone, which nobody has to be given."""

    id: int
    name: str
    permissions: Permission
    position: int
    color: int = 0


@dataclass(slots=True, kw_only=True)
class Guild:
    """A server. `roles` are by id, in order of their position."""

    id: int
    name: str
    owner_id: int
    created_at: float
    roles: dict[int, Role]
    locale: str = "en-US"

    def roles_of(self, user: User) -> list[Role]:
        """The roles that somebody was given here."""
        return [role for role in self.roles.values() if role.id in user.roles]

    def permissions(self, user: User) -> Permission:
        """What somebody may do here: https://discord.com/developers/docs/topics/permissions#permission-overwrites."""
        found = union(role.permissions for role in [self.roles[self.id], *self.roles_of(user)])
        is_admin = user.id == self.owner_id or Permission.ADMINISTRATOR in found
        return ALL_PERMISSIONS if is_admin else found


@dataclass(slots=True, kw_only=True)
class Channel:
    """A text channel of a server, a direct message between the bot and `recipient_id`, or one between `people`."""

    id: int
    kind: ChannelKind
    name: str
    topic: str = ""
    position: int = 0
    nsfw: bool = False
    guild_id: int | None = None
    recipient_id: int | None = None
    people: frozenset[int] = frozenset()
    denied: Permission = NO_PERMISSION

    @property
    def is_direct(self) -> bool:
        """Whether this is a direct message, with the bot or without it."""
        return self.kind is ChannelKind.DIRECT

    @property
    def context(self) -> Context:
        """What kind of place it is for interactions."""
        if self.guild_id is not None:
            return Context.GUILD
        return Context.PRIVATE if self.people else Context.BOT_DIRECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file's particulars; its bytes are kept apart, by id, as long as something shows it."""

    id: int
    channel_id: int
    filename: str
    size: int
    title: str | None = None
    description: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    ephemeral: bool = False
    spoiler: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageBody:
    """Everything of a message that an edit can change. Embeds and components are checked JSON in Discord's form."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: MessageFlag = NO_FLAGS

    @property
    def is_layout(self) -> bool:
        """Whether the message is laid out with Components V2."""
        return MessageFlag.COMPONENTS_V2 in self.flags

    def all_components(self) -> Iterator[Json]:
        """Every component at any depth, in reading order."""
        for component in self.components:
            yield from walk(component)

    def named_files(self) -> set[str]:
        """The file names that components and embeds show through `attachment://` references."""
        return {name for _, name in file_references((self.components, self.embeds))}

    def attachment(self, name: str) -> Attachment | None:
        """The file of that name; of two the newer."""
        return next((a for a in reversed(self.attachments) if a.filename == name), None)

    def listed_attachments(self) -> list[Attachment]:
        """The files that Discord lists under `attachments`: those that no component or embed names."""
        named = self.named_files()
        return [attachment for attachment in self.attachments if attachment.filename not in named]

    @property
    def text(self) -> str:
        """All that a person would read in it, line by line: content, text displays, embeds."""
        displays = [c["content"] for c in self.all_components() if c["type"] == ComponentKind.TEXT_DISPLAY]
        embeds = [e[key] for e in self.embeds for key in ("title", "description") if e.get(key)]
        fields = [f"{f['name']}: {f['value']}" for e in self.embeds for f in e.get("fields", ())]
        return "\n".join(part for part in (self.content, *displays, *embeds, *fields) if part)

    @property
    def buttons(self) -> list[Json]:
        """The buttons in it, as Discord's JSON."""
        return [c for c in self.all_components() if c["type"] == ComponentKind.BUTTON]

    @property
    def selects(self) -> list[Json]:
        """The select menus in it, as Discord's JSON."""
        return [c for c in self.all_components() if c["type"] in SELECTS]

    @property
    def gallery(self) -> list[Attachment]:
        """The attached pictures that its media galleries show, in order."""
        galleries = (c for c in self.all_components() if c["type"] == ComponentKind.MEDIA_GALLERY)
        return [found for c in galleries for item in c["items"] if (found := self._shown(item["media"]))]

    @property
    def thumbnails(self) -> list[Attachment]:
        """The attached pictures that its thumbnails show, in order."""
        thumbnails = (c for c in self.all_components() if c["type"] == ComponentKind.THUMBNAIL)
        return [found for c in thumbnails if (found := self._shown(c["media"]))]

    def _shown(self, media: Json) -> Attachment | None:
        return self.attachment(attachment_name(media["url"]) or "")


ATTACHMENT_SCHEME = "attachment://"


def attachment_name(url: str) -> str | None:
    """The file name in an `attachment://name` reference, None for any other address."""
    return url.removeprefix(ATTACHMENT_SCHEME) if url.startswith(ATTACHMENT_SCHEME) else None


def walk(component: Json) -> Iterator[Json]:
    """A component and everything inside it."""
    yield component
    for child in component.get("components", ()):
        yield from walk(child)
    for key in ("accessory", "component"):
        if key in component:
            yield from walk(component[key])


def file_references(node: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The file names that a piece of JSON refers to by `attachment://`, each with its path."""
    if isinstance(node, dict):
        for key, value in cast("Json", node).items():
            yield from file_references(value, (*at, key))
    elif isinstance(node, list | tuple):
        for position, value in enumerate(cast("list[Any]", node)):
            yield from file_references(value, (*at, position))
    elif isinstance(node, str) and at[-1] == "url" and (name := attachment_name(node)):
        yield at, name


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What a message said from `at` (seconds since 1970) until the next version."""

    at: float
    body: MessageBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The message that another one answers."""

    channel_id: int
    message_id: int


@dataclass(slots=True, kw_only=True)
class Message:
    """A message and everything it ever said. Deleted ones stay, so that history can be asked for."""

    id: int
    channel_id: int
    author_id: int
    kind: MessageKind
    created_at: float
    body: MessageBody
    edited_at: float | None = None
    deleted_at: float | None = None
    dismissed: bool = False
    only_for: int | None = None
    interaction_id: int | None = None
    reference: Reference | None = None
    nonce: str | int | None = None
    pinged_users: frozenset[int] = frozenset()
    pinged_everyone: bool = False
    versions: list[Version] = field(default_factory=list[Version])

    @property
    def is_ephemeral(self) -> bool:
        """Whether one member alone can see it."""
        return self.only_for is not None

    @property
    def is_thinking(self) -> bool:
        """Whether it is a deferral that nothing has been put into yet."""
        return MessageFlag.LOADING in self.body.flags

    @property
    def flags(self) -> MessageFlag:
        """Its flags on the wire."""
        return self.body.flags | (MessageFlag.EPHEMERAL if self.is_ephemeral else NO_FLAGS)

    @property
    def text(self) -> str:
        """All that a person would read in it now."""
        return self.body.text


class InteractionState(StrEnum):
    """pending -> acknowledged | failed (nothing answered within three seconds)."""

    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Interaction:
    """A command that was run or is being typed, a component that was used, a form that was submitted; and the answer.

    `owners` are Discord's `authorizing_integration_owners`: for whom the app is installed, that it can be used there.
    `choices` are what the bot suggested for an option, `modal` is the form that it opened, in Discord's form; None
    until it did. A submission's `trigger_id` names the interaction that opened the form, `submission_id` the latest
    submission of the form that this one opened.
    """

    id: int
    token: str
    kind: InteractionKind
    member_id: int
    channel_id: int
    data: Json
    dispatched_at: float
    owners: Mapping[str, str]
    command: str | None = None
    source_id: int | None = None
    acknowledged_at: float | None = None
    callback: CallbackKind | None = None
    failed: bool = False
    original_id: int | None = None
    followup_ids: list[int] = field(default_factory=list[int])
    choices: tuple[Json, ...] | None = None
    modal: Json | None = None
    trigger_id: int | None = None
    submission_id: int | None = None

    @property
    def state(self) -> InteractionState:
        """Where it stands."""
        if self.acknowledged_at is not None:
            return InteractionState.ACKNOWLEDGED
        return InteractionState.FAILED if self.failed else InteractionState.PENDING

    @property
    def acknowledged_after_ms(self) -> float | None:
        """Milliseconds from its dispatch to the first accepted answer; None while there is none."""
        return None if self.acknowledged_at is None else (self.acknowledged_at - self.dispatched_at) * 1000


class EventKind(StrEnum):
    """What can change in the world."""

    MESSAGE = "message"
    MESSAGE_DELETED = "message-deleted"
    INTERACTION_CREATED = "interaction-created"
    INTERACTION = "interaction"
    COMMANDS = "commands"
    ROLE = "role"
    MEMBER = "member"
    CHANNEL = "channel"
    CHANNEL_DELETED = "channel-deleted"
    TYPING = "typing"
    BOT = "bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One change: its kind and the id of what changed. `only_for` names the one member who may hear of it."""

    kind: EventKind
    id: int = 0
    channel_id: int | None = None
    only_for: int | None = None
