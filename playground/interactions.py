"""The life of an interaction: dispatched -> answered within 3 s -> followed up for 15 minutes.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from playground.commands import Command, CommandKind, OptionKind, read_choices
from playground.drafts import Draft, Place, draft_message, new_attachment
from playground.errors import ApiError, Json, MemberError, Refusal
from playground.mentions import INTERACTION_DEFAULT
from playground.messages import (
    Origin,
    add_message,
    change_message,
    check_member_files,
    edit_message,
    existing,
    remove_message,
)
from playground.modals import read_modal
from playground.model import (
    Attachment,
    CallbackKind,
    Channel,
    ComponentKind,
    EventKind,
    Install,
    Interaction,
    InteractionKind,
    Message,
    MessageBody,
    MessageFlag,
    MessageKind,
    Permission,
    Reference,
    User,
)
from playground.multipart import Upload
from playground.options import Focus, autocomplete_data, command_data, focused_kind
from playground.state import State, find_by_name
from playground.validation import Form, Problems

# Both: the page above.
ANSWER_WITHIN_S = 3.0
TOKEN_LIFE_S = 15 * 60.0
# The page above, Followup Messages: where the app is used, but not installed.
MAX_FOLLOWUPS_ELSEWHERE = 5

_MESSAGES = frozenset({CallbackKind.MESSAGE, CallbackKind.DEFERRED_MESSAGE})
_UPDATES = frozenset({CallbackKind.DEFERRED_UPDATE, CallbackKind.UPDATE_MESSAGE})
_ALLOWED_CALLBACKS = {
    InteractionKind.COMMAND: _MESSAGES | {CallbackKind.MODAL},
    InteractionKind.COMPONENT: _MESSAGES | _UPDATES | {CallbackKind.MODAL},
    InteractionKind.AUTOCOMPLETE: frozenset({CallbackKind.CHOICES}),
    InteractionKind.MODAL: _MESSAGES | _UPDATES,
}
_WITH_DATA = frozenset({CallbackKind.CHOICES, CallbackKind.MODAL})
_DEFERRAL_FLAGS = int(MessageFlag.EPHEMERAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCall:
    """A command as a member sends it. `name` is what follows the slash, subcommands included: "face save".

    `options` holds plain values by option name: text, numbers, booleans, and names or ids of members, channels and
    roles. `attachments` holds file names and bytes by option name.
    """

    member: str | int
    name: str
    channel: str | int = "pictures"
    options: Mapping[str, object] = field(default_factory=dict[str, object])
    attachments: Mapping[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    command_id: int | None = None


# ------------------------------------------------------------------------------------------------------- the members


def run_command(state: State, call: CommandCall) -> Interaction:
    """A member runs a command. Raises MemberError when Discord's own window would not have let them."""
    state.forget_old_uploads()
    member, channel, command, path = _find_command(state, call)
    uploads = {o: Upload(field=o, filename=f, content=c) for o, (f, c) in call.attachments.items()}
    check_member_files(list(uploads.values()))
    values = {**call.options, **uploads}
    resolver = Resolver(state, channel)
    data = command_data(command, path, values, resolver=resolver)
    resolver.keep_uploads()
    return dispatch(state, member, channel, InteractionKind.COMMAND, data=data, command=command, name=call.name)


def ask_choices(state: State, call: CommandCall, focus: Focus) -> Interaction:
    """A member types into an option of the call. Raises MemberError when the bot suggests nothing for it."""
    member, channel, command, path = _find_command(state, call)
    data = autocomplete_data(command, path, focus, call.options, resolver=Resolver(state, channel))
    return dispatch(state, member, channel, InteractionKind.AUTOCOMPLETE, data=data, command=command, name=call.name)


def _find_command(state: State, call: CommandCall) -> tuple[User, Channel, Command, list[str]]:
    """Who calls, where, what, and which subcommand of it. Raises MemberError."""
    member = state.member(call.member)
    channel = state.channel(call.channel, member=member)
    name, *path = call.name.split() or [""]
    commands = state.visible_commands(member, channel)
    offered = {command.id: command for command in commands if command.kind is CommandKind.CHAT_INPUT}
    command = offered.get(call.command_id or 0) or find_by_name(offered, name)
    if command is None:
        names = ", ".join(f"/{found.name}" for found in offered.values()) or "none"
        raise MemberError(f"There is no command /{name} here. Commands: {names}.")
    return member, channel, command, path


def dispatch(
    state: State,
    member: User,
    channel: Channel,
    kind: InteractionKind,
    *,
    data: Json,
    command: Command | None = None,
    name: str | None = None,
    source: Message | None = None,
    trigger: Interaction | None = None,
) -> Interaction:
    """Tell the bot of what a member did: with a command, on a message (`source`), in a form that `trigger` opened.

    `name` is what they typed, where that is more than the name of the command.
    """
    interaction = Interaction(
        id=state.new_id(),
        token=state.new_token(),
        kind=kind,
        member_id=member.id,
        channel_id=channel.id,
        data=data,
        dispatched_at=state.now(),
        owners=state.owners(command, member, channel) if command else _owners_before(state, channel, source, trigger),
        command=name or (command.name if command else None),
        source_id=source.id if source else None,
        trigger_id=trigger.id if trigger else None,
    )
    state.interactions[interaction.id] = interaction
    state.tokens[interaction.token] = interaction.id
    state.pending.add(interaction.id)
    state.interaction_changed(EventKind.INTERACTION_CREATED, interaction)
    return interaction


def _owners_before(
    state: State, channel: Channel, source: Message | None, trigger: Interaction | None
) -> Mapping[str, str]:
    """What was put there by an interaction belongs to whom that one did; anything else to the place."""
    before = trigger or state.interactions.get((source and source.interaction_id) or 0)
    return before.owners if before else {str(int(Install.GUILD)): str(channel.guild_id or 0)}


class Resolver:
    """Finds what members name, and notes it for `resolved`. Files are only kept once the whole is accepted."""

    def __init__(self, state: State, channel: Channel) -> None:
        self._state = state
        self._guild = state.guild_of(channel)
        self._uploads: list[tuple[Attachment, bytes]] = []

    def __call__(self, option: Json, value: object) -> tuple[str, Mapping[str, Json]]:
        """An option's value, for `options.Resolver`. Raises MemberError."""
        match option["type"]:
            case OptionKind.ATTACHMENT:
                if not isinstance(value, Upload):
                    raise MemberError(f"{option['name']} is a file.")
                return self.file(value)
            case OptionKind.CHANNEL:
                return self._channel(value, types=option.get("channel_types"))
            case OptionKind.ROLE:
                return self._role(value)
            case OptionKind.MENTIONABLE:
                return self._mentionable(value)
            case _:
                return self.person(value)

    def chosen(self, select: Json, value: object) -> tuple[str, Mapping[str, Json]]:
        """What a member chose in a menu of people, roles or channels. Raises MemberError."""
        match select["type"]:
            case ComponentKind.CHANNEL_SELECT:
                return self._channel(value, types=select.get("channel_types"))
            case ComponentKind.ROLE_SELECT:
                return self._role(value)
            case ComponentKind.MENTIONABLE_SELECT:
                return self._mentionable(value)
            case _:
                return self.person(value)

    def person(self, who: object) -> tuple[str, Mapping[str, Json]]:
        """A member or the bot, by name or id. Raises MemberError."""
        found = str(self._state.person(str(who)).id)
        entries: dict[str, Json] = {"users": {found: {}}}
        return found, entries | ({"members": {found: {}}} if self._guild else {})

    def file(self, upload: Upload) -> tuple[str, Mapping[str, Json]]:
        """A new ephemeral attachment."""
        place = Place(channel_id=self._state.bot.id, new_id=self._state.new_id, ephemeral=True)
        attachment = new_attachment(upload.content, filename=upload.filename, place=place)
        self._uploads.append((attachment, upload.content))
        return str(attachment.id), {"attachments": {str(attachment.id): {}}}

    def _channel(self, where: object, *, types: Sequence[int] | None) -> tuple[str, Mapping[str, Json]]:
        channel = self._state.channel(str(where))
        if self._guild is None or self._state.guild_of(channel) is not self._guild:
            raise MemberError(f"There is no channel {where} here.")
        if types and channel.kind not in types:
            raise MemberError(f"A channel like {where} cannot be chosen here.")
        return str(channel.id), {"channels": {str(channel.id): {}}}

    def _role(self, which: object) -> tuple[str, Mapping[str, Json]]:
        if self._guild is None:
            raise MemberError("There are no roles in a direct message.")
        found = str(self._state.role(str(which), guild=self._guild).id)
        return found, {"roles": {found: {}}}

    def _mentionable(self, which: object) -> tuple[str, Mapping[str, Json]]:
        try:
            return self._role(which)
        except MemberError:
            return self.person(which)

    def keep_uploads(self) -> None:
        """Take over the files."""
        for attachment, content in self._uploads:
            self._state.keep_option_upload(attachment, content)


# ----------------------------------------------------------------------------------------------------------- the bot


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """An accepted first answer: what kind it was, and the message that it made or changed, if any."""

    interaction: Interaction
    callback: CallbackKind
    message: Message | None


def acknowledge(
    state: State, interaction_id: int, token: str, payload: object, *, files: Mapping[int, Upload]
) -> Acknowledgement:
    """Create Interaction Response. Raises ApiError 10062 when too late, 40060 the second time."""
    interaction = state.interactions.get(interaction_id)
    if interaction is None or interaction.token != token or _token_is_over(state, interaction):
        raise ApiError(Refusal.UNKNOWN_INTERACTION)
    if interaction.acknowledged_at is not None:
        raise ApiError(Refusal.ALREADY_ACKNOWLEDGED)
    if interaction.failed or state.now() - interaction.dispatched_at > ANSWER_WITHIN_S:
        raise ApiError(Refusal.UNKNOWN_INTERACTION)
    callback, data = _read_callback(interaction, payload)
    message = _apply_callback(state, interaction, callback, data, files=files)
    interaction.callback = callback
    interaction.acknowledged_at = state.now()
    interaction.original_id = message.id if message else None
    state.pending.discard(interaction.id)
    state.interaction_changed(EventKind.INTERACTION, interaction)
    return Acknowledgement(interaction=interaction, callback=callback, message=message)


def _read_callback(interaction: Interaction, payload: object) -> tuple[CallbackKind, Form]:
    problems = Problems()
    form = Form(payload, problems)
    number = form.integer("type", among=_allowed_callbacks(interaction), required=True)
    data = form.form("data", required=number in _WITH_DATA) or Form({}, problems, ("data",))
    if number == CallbackKind.DEFERRED_MESSAGE and int(data.integer("flags") or 0) & ~_DEFERRAL_FLAGS:
        data.fail("flags", "MESSAGE_FLAGS_INVALID", "A deferral takes no flag but EPHEMERAL.")
    problems.raise_if_any()
    return CallbackKind(number or 0), data


def _allowed_callbacks(interaction: Interaction) -> frozenset[CallbackKind]:
    """A form that a command opened has no message to update, but the library's `defer()` closes it with a 6 too."""
    allowed = _ALLOWED_CALLBACKS[interaction.kind]
    is_form_of_command = interaction.kind is InteractionKind.MODAL and interaction.source_id is None
    return allowed - {CallbackKind.UPDATE_MESSAGE} if is_form_of_command else allowed


def _apply_callback(
    state: State, interaction: Interaction, callback: CallbackKind, data: Form, *, files: Mapping[int, Upload]
) -> Message | None:
    match callback:
        case CallbackKind.MESSAGE:
            return _answer(state, interaction, data, files=files, at=("data",))
        case CallbackKind.DEFERRED_MESSAGE:
            return _defer(state, interaction, data)
        case CallbackKind.DEFERRED_UPDATE:
            return _source(state, interaction) if interaction.source_id else None
        case CallbackKind.UPDATE_MESSAGE:
            source = _source(state, interaction)
            return _edit(state, source, data.data, files=files, at=("data",))
        case CallbackKind.CHOICES:
            choices = read_choices(data, focused_kind(interaction.data))
            data.problems.raise_if_any()
            interaction.choices = tuple(choices)
            return None
        case CallbackKind.MODAL:
            modal = read_modal(data)
            data.problems.raise_if_any()
            interaction.modal = modal
            return None


def _source(state: State, interaction: Interaction) -> Message:
    return existing(state.messages.get(interaction.source_id or 0))


def _answer(
    state: State, interaction: Interaction, data: Form, *, files: Mapping[int, Upload], at: tuple[str, ...] = ()
) -> Message:
    """A new message from the interaction, ephemeral when its flags say so."""
    ephemeral = _is_ephemeral(state, _channel(state, interaction), interaction, data)
    place = state.place(interaction.channel_id, ephemeral=ephemeral)
    draft = draft_message(data.data, files, place=place, default_mentions=INTERACTION_DEFAULT, at=at)
    origin = _origin(state, interaction, ephemeral=ephemeral)
    return add_message(state, interaction.channel_id, draft, origin=origin)


def _defer(state: State, interaction: Interaction, data: Form) -> Message:
    ephemeral = _is_ephemeral(state, _channel(state, interaction), interaction, data)
    body = MessageBody(flags=MessageFlag.LOADING)
    draft = Draft(body=body, contents={}, allowed_mentions=INTERACTION_DEFAULT)
    origin = _origin(state, interaction, ephemeral=ephemeral)
    return add_message(state, interaction.channel_id, draft, origin=origin)


def _channel(state: State, interaction: Interaction) -> Channel:
    channel = state.channels.get(interaction.channel_id)
    if channel is None:
        raise ApiError(Refusal.UNKNOWN_CHANNEL)
    return channel


def _is_ephemeral(state: State, channel: Channel, interaction: Interaction, data: Form) -> bool:
    """Whether the bot wants it so, or the server lets apps of its members speak to nobody else.

    https://discord.com/developers/docs/topics/permissions: USE_EXTERNAL_APPS.
    """
    may = state.permissions(state.members[interaction.member_id], channel)
    is_hushed = not state.bot_is_in(channel) and Permission.USE_EXTERNAL_APPS not in may
    return is_hushed or bool((data.integer("flags") or 0) & MessageFlag.EPHEMERAL)


def _origin(state: State, interaction: Interaction, *, ephemeral: bool) -> Origin:
    """The first answer to a command, or to its form, says which was used; anything else replies to what came before."""
    before = interaction.original_id or interaction.source_id
    kind, about = (MessageKind.REPLY, before) if before else _command_heading(state, interaction)
    return Origin(
        author_id=state.bot.id,
        kind=kind,
        interaction_id=interaction.id,
        only_for=interaction.member_id if ephemeral else None,
        reference=Reference(channel_id=interaction.channel_id, message_id=about) if about else None,
    )


def _command_heading(state: State, interaction: Interaction) -> tuple[MessageKind, int | None]:
    """The kind of the first answer, and the message that a message command is about."""
    data = state.interactions.get(interaction.trigger_id or 0, interaction).data
    if data["type"] == CommandKind.CHAT_INPUT:
        return MessageKind.COMMAND, None
    return MessageKind.CONTEXT_COMMAND, int(data["target_id"]) if data["type"] == CommandKind.MESSAGE else None


def _edit(
    state: State, message: Message, payload: object, *, files: Mapping[int, Upload], at: tuple[str, ...] = ()
) -> Message:
    return edit_message(state, message, payload, files=files, default_mentions=INTERACTION_DEFAULT, at=at)


def _live(state: State, application_id: int, token: str) -> Interaction:
    """The interaction whose token opens the webhook. Raises ApiError 10015, or 50027 when its 15 minutes are over."""
    interaction = state.interactions.get(state.tokens.get(token, 0))
    if interaction is None or application_id != state.bot.id:
        raise ApiError(Refusal.UNKNOWN_WEBHOOK)
    if _token_is_over(state, interaction):
        raise ApiError(Refusal.INVALID_WEBHOOK_TOKEN)
    if interaction.acknowledged_at is None or interaction.kind is InteractionKind.AUTOCOMPLETE:
        raise ApiError(Refusal.UNKNOWN_WEBHOOK)
    return interaction


def _token_is_over(state: State, interaction: Interaction) -> bool:
    return state.now() - interaction.dispatched_at > TOKEN_LIFE_S


def webhook_message(state: State, application_id: int, token: str, message_id: int | None) -> Message:
    """Get a message of an interaction: the original (None) or one of its messages by id. Raises ApiError."""
    interaction = _live(state, application_id, token)
    wanted = interaction.original_id if message_id is None else message_id
    if wanted != interaction.original_id and wanted not in interaction.followup_ids:
        raise ApiError(Refusal.UNKNOWN_MESSAGE)
    return existing(state.messages.get(wanted or 0))


def webhook_edits(
    state: State,
    application_id: int,
    token: str,
    message_id: int | None,
    *,
    payload: object,
    files: Mapping[int, Upload],
) -> Message:
    """Edit a message of an interaction; editing a deferral is what ends its thinking. Raises ApiError."""
    message = webhook_message(state, application_id, token, message_id)
    return _edit(state, message, payload, files=files)


def webhook_deletes(state: State, application_id: int, token: str, message_id: int | None) -> None:
    """Delete a message of an interaction. Raises ApiError."""
    remove_message(state, webhook_message(state, application_id, token, message_id))


def webhook_posts(
    state: State, application_id: int, token: str, payload: object, *, files: Mapping[int, Upload]
) -> Message:
    """Create Followup Message. The first one after a deferral takes the deferral's place, and its visibility."""
    interaction = _live(state, application_id, token)
    problems = Problems()
    form = Form({} if payload is None else payload, problems)
    problems.raise_if_any()
    original = state.original(interaction)
    if original is not None and original.is_thinking and original.deleted_at is None:
        place = state.place(interaction.channel_id, ephemeral=original.is_ephemeral)
        draft = draft_message(form.data, files, place=place, default_mentions=INTERACTION_DEFAULT)
        return change_message(state, original, draft)
    is_elsewhere = not state.bot_is_in(_channel(state, interaction))
    if is_elsewhere and len(interaction.followup_ids) >= MAX_FOLLOWUPS_ELSEWHERE:
        raise ApiError(Refusal.TOO_MANY_FOLLOWUPS)
    message = _answer(state, interaction, form, files=files)
    interaction.followup_ids.append(message.id)
    state.interaction_changed(EventKind.INTERACTION, interaction)
    return message


def fail_unanswered(state: State) -> None:
    """Mark the interactions whose three seconds are over, so that the members who wait are told."""
    over = state.now() - ANSWER_WITHIN_S
    late = [state.interactions[key] for key in state.pending if state.interactions[key].dispatched_at <= over]
    for interaction in late:
        interaction.failed = True
        state.pending.discard(interaction.id)
        state.interaction_changed(EventKind.INTERACTION, interaction)
