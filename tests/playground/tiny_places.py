"""The tiny bot's commands that depend on who uses them, and where."""

from typing import Any

import discord
from discord import app_commands, ui

Press = discord.Interaction[Any]


def named(chosen: Any) -> list[str]:
    """What was chosen, each with the class that the library made of it."""
    return [f"{type(one).__name__} {getattr(one, 'display_name', None) or one.name}" for one in chosen]


class PersonSelect(ui.UserSelect[Any]):
    """A menu of people."""

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_message(", ".join(named(self.values)), ephemeral=True)


class RoleSelect(ui.RoleSelect[Any]):
    """A menu of roles."""

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_message(", ".join(named(self.values)), ephemeral=True)


class MentionSelect(ui.MentionableSelect[Any]):
    """A menu of people and roles."""

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_message(", ".join(named(self.values)), ephemeral=True)


class RoomSelect(ui.ChannelSelect[Any]):
    """A menu of channels."""

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_message(", ".join(named(self.values)), ephemeral=True)


class Picks(ui.LayoutView):
    """A menu of everything that a server has. `lounge` and `moderators` stand in two of them from the start."""

    def __init__(self, *, lounge: discord.abc.Snowflake, moderators: discord.abc.Snowflake) -> None:
        super().__init__(timeout=None)
        default = discord.SelectDefaultValue
        room = default(id=lounge.id, type=discord.SelectDefaultValueType.channel)
        role = default(id=moderators.id, type=discord.SelectDefaultValueType.role)
        types = [discord.ChannelType.text]
        self.add_item(ui.ActionRow[Any](PersonSelect(placeholder="People", max_values=2)))
        self.add_item(ui.ActionRow[Any](RoleSelect(placeholder="Roles", min_values=0, default_values=[role])))
        self.add_item(ui.ActionRow[Any](MentionSelect(placeholder="Anybody", max_values=3)))
        self.add_item(
            ui.ActionRow[Any](RoomSelect(placeholder="Rooms", max_values=2, default_values=[room], channel_types=types))
        )
        calls = [discord.ChannelType.voice]
        self.add_item(ui.ActionRow[Any](RoomSelect(placeholder="Calls", channel_types=calls)))


class Enrol(ui.Modal, title="Enrol"):
    """A form with the fields that are not in the other one."""

    role = ui.Label[Any](text="Role", component=ui.RoleSelect(required=False))
    room = ui.Label[Any](text="Room", component=ui.ChannelSelect())
    color = ui.Label[Any](
        text="Color",
        component=ui.RadioGroup(
            options=[
                discord.RadioGroupOption(label="Red", value="red", description="Like a rose"),
                discord.RadioGroupOption(label="Blue", value="blue"),
            ]
        ),
    )
    days = ui.Label[Any](
        text="Days",
        description="As many as you like",
        component=ui.CheckboxGroup(
            required=False,
            min_values=0,
            options=[discord.CheckboxGroupOption(label=day, value=day.lower()) for day in ("Monday", "Friday")],
        ),
    )
    agree = ui.Label[Any](text="I agree", component=ui.Checkbox())

    async def on_submit(self, interaction: Press, /) -> None:
        fields: list[Any] = [label.component for label in (self.role, self.room, self.color, self.days, self.agree)]
        role, room, color, days, agree = fields
        interaction.client.seen.append(
            {
                "chosen": [named(role.values), named(room.values)],
                "ticked": [color.value, days.values, agree.value],
            }
        )
        await interaction.response.send_message("Enrolled.", ephemeral=True)


def add_places(tree: app_commands.CommandTree[Any]) -> None:
    """The commands that tell what the bot knows of a place."""

    @tree.command(description="Say who I am to the bot")
    async def who_am_i(interaction: Press) -> None:
        member = interaction.user
        roles = [role.name for role in member.roles] if isinstance(member, discord.Member) else []
        may = interaction.permissions
        interaction.client.seen.append(
            {"roles": roles, "manages": [may.manage_guild, may.manage_messages], "administrator": may.administrator}
        )
        await interaction.response.send_message("I know you.", ephemeral=True)

    @tree.command(description="Set up the server")
    @app_commands.default_permissions(manage_guild=True)
    async def guard(interaction: Press) -> None:
        await interaction.response.send_message("Set up.", ephemeral=True)

    @tree.command(description="Choose from what the server has")
    async def picks(interaction: Press) -> None:
        guild = interaction.guild
        assert guild is not None
        lounge = discord.utils.get(guild.channels, name="lounge")
        moderators = discord.utils.get(guild.roles, name="Moderators")
        assert lounge is not None
        assert moderators is not None
        await interaction.response.send_message(view=Picks(lounge=lounge, moderators=moderators))

    @tree.command(description="Fill in a form of menus and boxes")
    async def enrol(interaction: Press) -> None:
        await interaction.response.send_modal(Enrol())

    desk = app_commands.Group(name="desk", description="Things on the desk")
    paper = app_commands.Group(name="paper", description="Papers on the desk", parent=desk)
    tree.add_command(desk)

    @paper.command(name="hand", description="Hand a paper to somebody")
    async def hand(
        interaction: Press,
        who: discord.Member,
        role: discord.Role | None = None,
        where: discord.TextChannel | None = None,
        tell: discord.Member | discord.Role | None = None,
    ) -> None:
        interaction.client.seen.append({"handed": [str(one) if one else None for one in (who, role, where, tell)]})
        await interaction.response.send_message("Handed over.", ephemeral=True)

    _ = (who_am_i, guard, picks, enrol)
