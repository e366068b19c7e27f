"""What members do with what the bot has put there: buttons, menus, forms, and the commands in menus."""

from collections.abc import Mapping

from playground.commands import Command, CommandKind
from playground.errors import Json, MemberError
from playground.fields import chosen_values
from playground.interactions import Resolver, dispatch
from playground.messages import check_member_files
from playground.modals import Filling, submitted_components
from playground.model import Channel, Interaction, InteractionKind, InteractionState, Message, User
from playground.multipart import Upload
from playground.state import State


def press_button(state: State, member: User, message: Message, button: str) -> Interaction:
    """A member presses a button, named by custom_id or label. Raises MemberError when they cannot."""
    channel = _channel_of(state, member, message)
    found = _named(message.body.buttons, button, "label")
    if found is None:
        raise MemberError("That button is not there any more.")
    if "custom_id" not in found:
        raise MemberError("That button opens a page; the bot does not hear of it.")
    data = _component_data(found)
    return dispatch(state, member, channel, InteractionKind.COMPONENT, data=data, source=message)


def choose_values(state: State, member: User, message: Message, select: str, values: object) -> Interaction:
    """A member chooses in a menu, named by custom_id or placeholder; one value or several, by value or label.

    Of people, roles and channels, names or ids. Raises MemberError when they cannot.
    """
    channel = _channel_of(state, member, message)
    found = _named(message.body.selects, select, "placeholder")
    if found is None:
        raise MemberError("That menu is not there any more.")
    naming = _Naming(Resolver(state, channel))
    label = found.get("placeholder", "The menu")
    data = _component_data(found) | {"values": chosen_values(found, values, label=label, find=naming.entity)}
    data |= naming.resolved_data()
    return dispatch(state, member, channel, InteractionKind.COMPONENT, data=data, source=message)


def submit_form(state: State, member: User, trigger: Interaction, filling: Filling) -> Interaction:
    """A member submits the form that the answer to `trigger` opened. Raises MemberError when Discord would not send it.

    When the bot does not answer in time, it can be submitted again.
    """
    state.forget_old_uploads()
    channel = _channel_of_form(state, member, trigger)
    for uploads in filling.files.values():
        check_member_files(uploads)
    resolver = Resolver(state, channel)
    naming = _Naming(resolver)
    modal = trigger.modal or {}
    components = submitted_components(modal, filling, find=naming)
    data = {"custom_id": modal["custom_id"], "components": components, **naming.resolved_data()}
    resolver.keep_uploads()
    source = state.messages.get(trigger.source_id or 0)
    submission = dispatch(state, member, channel, InteractionKind.MODAL, data=data, source=source, trigger=trigger)
    trigger.submission_id = submission.id
    return submission


def _channel_of_form(state: State, member: User, trigger: Interaction) -> Channel:
    if trigger.modal is None:
        raise MemberError("No form was opened there.")
    if trigger.member_id != member.id:
        raise MemberError(f"That form was opened for {state.members[trigger.member_id].display_name}.")
    last = state.interactions.get(trigger.submission_id or 0)
    if last is not None and last.state is not InteractionState.FAILED:
        raise MemberError("That form has been submitted already.")
    return state.channel(trigger.channel_id, member=member)


def run_message_command(
    state: State, member: User, message: Message, name: str, *, command_id: int | None = None
) -> Interaction:
    """A member picks a command in the menu of a message. Raises MemberError when it is not there."""
    channel = _channel_of(state, member, message)
    command = _menu_command(state, member, channel, CommandKind.MESSAGE, name, command_id)
    target = str(message.id)
    data = _target_data(command, target, {"messages": {target: {}}})
    return dispatch(state, member, channel, InteractionKind.COMMAND, data=data, command=command)


def run_user_command(
    state: State, member: User, channel: Channel, target: User, name: str, *, command_id: int | None = None
) -> Interaction:
    """A member picks a command in the menu of a person. Raises MemberError when it is not there."""
    command = _menu_command(state, member, channel, CommandKind.USER, name, command_id)
    found, entries = Resolver(state, channel).person(target.id)
    data = _target_data(command, found, entries)
    return dispatch(state, member, channel, InteractionKind.COMMAND, data=data, command=command)


def _menu_command(
    state: State, member: User, channel: Channel, kind: CommandKind, name: str, command_id: int | None
) -> Command:
    offered = [command for command in state.visible_commands(member, channel) if command.kind is kind]
    by_id = next((command for command in offered if command.id == command_id), None)
    by_name = next((command for command in offered if command.name == name), None)
    found = by_id or by_name
    if found is None:
        names = ", ".join(command.name for command in offered) or "none"
        raise MemberError(f"There is no {name} in that menu. Commands: {names}.")
    return found


def _target_data(command: Command, target: str, entries: Mapping[str, Json]) -> Json:
    data: Json = {"id": str(command.id), "name": command.name, "type": int(command.kind), "target_id": target}
    scope = {} if command.guild_id is None else {"guild_id": str(command.guild_id)}
    return data | scope | {"resolved": entries}


def _channel_of(state: State, member: User, message: Message) -> Channel:
    channel = state.channels.get(message.channel_id)
    if channel is None or not state.may_see(member, message):
        raise MemberError(f"{member.display_name} cannot see that message (any more).")
    return channel


def _named(components: list[Json], name: str, words: str) -> Json | None:
    """The component with that custom_id, or with that text in the field `words`. Raises MemberError when disabled."""
    by_id = next((component for component in components if component.get("custom_id") == name), None)
    found = by_id or next((component for component in components if component.get(words) == name), None)
    if found is not None and found.get("disabled"):
        raise MemberError(f"{name} is disabled.")
    return found


def _component_data(component: Json) -> Json:
    """`data` of an interaction, as far as all components have it."""
    return {key: component[key] for key in ("custom_id", "id")} | {"component_type": int(component["type"])}


class _Naming:
    """Looks things up, and remembers them for `resolved`."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._resolved: dict[str, dict[str, Json]] = {}

    def entity(self, select: Json, which: object) -> str:
        """The id of what was chosen in a menu of people, roles or channels."""
        return self._note(*self._resolver.chosen(select, which))

    def file(self, upload: Upload) -> str:
        """The id of a new attachment."""
        return self._note(*self._resolver.file(upload))

    def resolved_data(self) -> Json:
        """`resolved`, when anything was looked up."""
        return {"resolved": self._resolved} if self._resolved else {}

    def _note(self, identity: str, entries: Mapping[str, Json]) -> str:
        for group, found in entries.items():
            self._resolved.setdefault(group, {}).update(found)
        return identity
