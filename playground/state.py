"""Everything the playground knows, with look-ups. Pure: no sockets, and clock, ids and tokens come from outside."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from playground.commands import Command
from playground.drafts import Draft, Place
from playground.errors import ApiError, MemberError, Refusal
from playground.model import (
    EVERYONE_MAY,
    Attachment,
    Channel,
    Event,
    EventKind,
    Guild,
    Install,
    Interaction,
    Message,
    Permission,
    Role,
    User,
)

# "Removed after a set period", says the page on options; the period itself is not published.
EPHEMERAL_UPLOAD_LIFE_S = 3600.0


@dataclass(slots=True, kw_only=True)
class State:
    """The world. `publish` hears of every change, after it has happened.

    The bot is in `guild`. In `other_guild` and in private channels it can only be used by those who have installed it.
    """

    now: Callable[[], float]
    new_id: Callable[[], int]
    new_token: Callable[[], str]
    publish: Callable[[Event], None]
    bot: User
    guide: User
    guild: Guild
    other_guild: Guild
    members: dict[int, User] = field(default_factory=dict[int, User])
    channels: dict[int, Channel] = field(default_factory=dict[int, Channel])
    commands: dict[int, Command] = field(default_factory=dict[int, Command])
    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    interactions: dict[int, Interaction] = field(default_factory=dict[int, Interaction])
    attachments: dict[int, Attachment] = field(default_factory=dict[int, Attachment])
    contents: dict[int, bytes] = field(default_factory=dict[int, bytes])
    option_uploads: dict[int, float] = field(default_factory=dict[int, float])
    nonces: dict[tuple[int, str], tuple[int, float]] = field(default_factory=dict[tuple[int, str], tuple[int, float]])
    tokens: dict[str, int] = field(default_factory=dict[str, int])
    pending: set[int] = field(default_factory=set[int])
    bot_connected: bool = False

    def user(self, user_id: int) -> User | None:
        """Anybody by id: a member, the bot, the guide."""
        known = {self.bot.id: self.bot, self.guide.id: self.guide}
        return self.members.get(user_id) or known.get(user_id)

    def member(self, who: str | int) -> User:
        """A member by name (any case) or id. Raises MemberError when there is none."""
        for member in self.members.values():
            if str(who).lower() in (str(member.id), member.username.lower(), member.display_name.lower()):
                return member
        names = ", ".join(member.display_name for member in self.members.values())
        raise MemberError(f"There is no member {who}. The members are {names}.")

    def person(self, who: str | int) -> User:
        """A member, or the bot, by name or id. Raises MemberError when there is none."""
        names = (str(self.bot.id), self.bot.username.lower(), self.bot.display_name.lower())
        return self.bot if str(who).lower() in names else self.member(who)

    def channel(self, where: str | int, *, member: User | None = None) -> Channel:
        """A channel by name or id; "dm" is the member's direct message with the bot. Raises MemberError."""
        for channel in self.channels.values():
            if str(where).lower() in (str(channel.id), channel.name) and self.may_see_channel(member, channel):
                return channel
        raise MemberError(f"There is no channel {where} here.")

    def guild_of(self, channel: Channel) -> Guild | None:
        """The server that a channel belongs to; None for a direct message."""
        guilds = {self.guild.id: self.guild, self.other_guild.id: self.other_guild}
        return guilds.get(channel.guild_id or 0)

    def bot_is_in(self, channel: Channel) -> bool:
        """Whether the bot itself is there: in its server, and in direct messages with it."""
        return channel.guild_id == self.guild.id or channel.recipient_id is not None

    def role(self, which: str | int, *, guild: Guild | None = None) -> Role:
        """A role of a server (of the bot's, when none is said) by name or id. Raises MemberError."""
        roles = (guild or self.guild).roles.values()
        for role in roles:
            if str(which).lower() in (str(role.id), role.name.lower()):
                return role
        raise MemberError(f"There is no role {which}. The roles are {', '.join(role.name for role in roles)}.")

    def permissions(self, user: User, channel: Channel) -> Permission:
        """What somebody may do in a channel."""
        guild = self.guild_of(channel)
        return guild.permissions(user) if guild else EVERYONE_MAY

    def direct_channel(self, member_id: int) -> Channel:
        """The direct message between a member and the bot; every member has one from the start."""
        return next(channel for channel in self.channels.values() if channel.recipient_id == member_id)

    def may_see_channel(self, member: User | None, channel: Channel) -> bool:
        """Whether a member finds the channel in their list; None stands for whoever runs the playground."""
        return member is None or channel.guild_id is not None or member.id in (channel.recipient_id, *channel.people)

    def may_see(self, member: User, message: Message) -> bool:
        """Whether a member sees the message now."""
        channel = self.channels.get(message.channel_id)
        if channel is None or message.deleted_at is not None or not self.may_see_channel(member, channel):
            return False
        return message.only_for is None or (message.only_for == member.id and not message.dismissed)

    def seen_by(self, message: Message) -> set[str]:
        """The names of the members who see the message now."""
        return {member.display_name for member in self.members.values() if self.may_see(member, message)}

    def channel_messages(self, channel_id: int) -> Iterator[Message]:
        """The messages of a channel that still exist, newest first, ephemeral ones included."""
        for message in reversed(self.messages.values()):
            if message.channel_id == channel_id and message.deleted_at is None:
                yield message

    def bot_messages(self) -> list[Message]:
        """What the bot has written and nobody has deleted, oldest first."""
        mine = (message for message in self.messages.values() if message.author_id == self.bot.id)
        return [message for message in mine if message.deleted_at is None]

    def original(self, interaction: Interaction) -> Message | None:
        """The message that answers an interaction (or that it came from, when the bot updates that one)."""
        return None if interaction.original_id is None else self.messages.get(interaction.original_id)

    def followups(self, interaction: Interaction) -> list[Message]:
        """The further messages of an interaction, oldest first, deleted ones included."""
        return [self.messages[message_id] for message_id in interaction.followup_ids]

    def visible_commands(self, member: User, channel: Channel) -> list[Command]:
        """The commands that Discord would offer to a member in a channel, by name."""
        offered = [
            command
            for command in self.commands.values()
            if command.works_in(channel.context)
            and self.owners(command, member, channel)
            and self._may_use(command, member, channel)
        ]
        return sorted(offered, key=lambda command: command.name)

    def owners(self, command: Command, member: User, channel: Channel) -> dict[str, str]:
        """For whom the app is installed, that a member can use a command in a channel; empty when they cannot.

        https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-object-authorizing-integration-owners-object
        """
        found: dict[str, str] = {}
        if self.bot_is_in(channel) and command.is_for(Install.GUILD):
            found[str(int(Install.GUILD))] = str(channel.guild_id or 0)
        if member.has_app and command.is_for(Install.USER):
            found[str(int(Install.USER))] = str(member.id)
        return found

    def _may_use(self, command: Command, member: User, channel: Channel) -> bool:
        if command.definition["nsfw"] and not (channel.nsfw or channel.is_direct):
            return False
        needed = command.definition["default_member_permissions"]
        may = self.permissions(member, channel)
        if needed is None or channel.is_direct or Permission.ADMINISTRATOR in may:
            return True
        return int(needed) != 0 and int(needed) & ~int(may) == 0

    def bot_permissions(self, channel: Channel) -> Permission:
        """What the bot may do in a channel."""
        return self.permissions(self.bot, channel) & ~channel.denied

    def bot_channel(self, channel_id: int) -> Channel:
        """A channel that the bot asks for by id. Raises ApiError 10003 or 50001."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ApiError(Refusal.UNKNOWN_CHANNEL)
        if not self.bot_is_in(channel) or Permission.VIEW_CHANNEL not in self.bot_permissions(channel):
            raise ApiError(Refusal.MISSING_ACCESS)
        return channel

    def place(self, channel_id: int, *, ephemeral: bool = False) -> Place:
        """Where files of a message in this channel belong."""
        return Place(channel_id=channel_id, new_id=self.new_id, ephemeral=ephemeral)

    def keep_files(self, draft: Draft) -> None:
        """Take over the files of a draft that was accepted."""
        self.attachments |= {attachment.id: attachment for attachment in draft.body.attachments}
        self.contents |= draft.contents

    def drop_files(self, attachments: Iterator[Attachment] | list[Attachment] | tuple[Attachment, ...]) -> None:
        """Forget files that nothing shows any more: their addresses stop working."""
        for attachment in attachments:
            self.attachments.pop(attachment.id, None)
            self.contents.pop(attachment.id, None)

    def keep_option_upload(self, attachment: Attachment, content: bytes) -> None:
        """Take a file that a member attached to a command; it lives for EPHEMERAL_UPLOAD_LIFE_S."""
        self.attachments[attachment.id] = attachment
        self.contents[attachment.id] = content
        self.option_uploads[attachment.id] = self.now()

    def forget_old_uploads(self) -> None:
        """Let go of members' files whose time is over."""
        over = self.now() - EPHEMERAL_UPLOAD_LIFE_S
        for attachment_id in [key for key, at in self.option_uploads.items() if at < over]:
            del self.option_uploads[attachment_id]
            self.drop_files([self.attachments[attachment_id]])

    def message_changed(self, message: Message) -> None:
        """Tell of a message that is new or reads differently now."""
        self._publish(EventKind.MESSAGE, message)

    def message_deleted(self, message: Message) -> None:
        """Tell of a message that is gone."""
        self._publish(EventKind.MESSAGE_DELETED, message)

    def role_changed(self, role: Role) -> None:
        """Tell of a role that allows something else now."""
        self.publish(Event(kind=EventKind.ROLE, id=role.id))

    def member_changed(self, member: User) -> None:
        """Tell of a member who has other roles or settings now."""
        self.publish(Event(kind=EventKind.MEMBER, id=member.id))

    def interaction_changed(self, kind: EventKind, interaction: Interaction) -> None:
        """Tell of an interaction that began or moved on."""
        event = Event(kind=kind, id=interaction.id, channel_id=interaction.channel_id, only_for=interaction.member_id)
        self.publish(event)

    def _publish(self, kind: EventKind, message: Message) -> None:
        self.publish(Event(kind=kind, id=message.id, channel_id=message.channel_id, only_for=message.only_for))


def find_by_name(commands: Mapping[int, Command], name: str) -> Command | None:
    """A registered command by name, the server's own before a global one."""
    named = [command for command in commands.values() if command.name == name]
    return min(named, key=lambda command: command.guild_id is None, default=None)
