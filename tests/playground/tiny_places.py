"""The tiny bot's commands that depend on who uses them, and where."""

import io
import re
from typing import Any

import discord
from discord import app_commands, ui
from PIL import Image

Press = discord.Interaction[Any]


def named(chosen: Any) -> list[str]:
    """What was chosen, each with the class that the library made of it."""
    return [f"{type(one).__name__} {getattr(one, 'display_name', None) or one.name}" for one in chosen]


NAMES = ("one.png", "two.png")


def veil() -> io.BytesIO:
    """A picture in one color."""
    target = io.BytesIO()
    Image.new("RGB", (64, 64), "crimson").save(target, "PNG")
    target.seek(0)
    return target


class Veiled(ui.LayoutView):
    """Pictures that nobody sees before they want to."""

    def __init__(self) -> None:
        super().__init__(timeout=None)
        face = ui.Thumbnail[Any](f"attachment://{NAMES[0]}", description="the face", spoiler=True)
        self.add_item(ui.Section[Any]("Among ourselves.", accessory=face))
        item = discord.MediaGalleryItem(f"attachment://{NAMES[1]}", description="the picture", spoiler=True)
        self.add_item(ui.MediaGallery[Any](item))


class GermanNames(app_commands.Translator):
    """What the tiny bot's greeting is called in German."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContext[Any, Any],
    ) -> str | None:
        words = {"greet": "grüße", "Greet somebody": "Jemanden grüßen", "warmth": "wärme", "Warmly": "Herzlich"}
        return words.get(string.message) if locale is discord.Locale.german else None


class HereButton(ui.DynamicItem[ui.Button[Any]], template=r"here"):
    """Tells where it was pressed."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Here", custom_id="here"))

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "HereButton":
        return cls()

    async def callback(self, interaction: Press) -> Any:
        interaction.client.seen.append(place_of(interaction))
        await interaction.response.edit_message(content="Pressed.")


def place_of(interaction: Press) -> dict[str, Any]:
    """What an interaction says of where it happens."""
    context = interaction.context
    kinds = {"guild": context.guild, "dm": context.dm_channel, "private": context.private_channel}
    installs = {"guild": interaction.is_guild_integration(), "user": interaction.is_user_integration()}
    return {
        "context": [name for name, is_set in kinds.items() if is_set],
        "installs": [name for name, is_set in installs.items() if is_set],
        "member": isinstance(interaction.user, discord.Member),
        "age_restricted": getattr(interaction.channel, "nsfw", False),
    }


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


def add_people(tree: app_commands.CommandTree[Any]) -> None:
    """The commands that tell what the bot knows of a member."""

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

    @tree.command(name=app_commands.locale_str("greet"), description=app_commands.locale_str("Greet somebody"))
    @app_commands.rename(warmth=app_commands.locale_str("warmth"))
    @app_commands.choices(warmth=[app_commands.Choice(name=app_commands.locale_str("Warmly"), value="warm")])
    async def greet(interaction: Press, warmth: str) -> None:
        said = f"{interaction.locale} {interaction.guild_locale} {warmth}"
        await interaction.response.send_message(said, ephemeral=True)

    @tree.command(description="Give me something that only I can see")
    async def keepsake(interaction: Press) -> None:
        await interaction.response.send_message("Keep it.", file=discord.File(veil(), NAMES[0]), ephemeral=True)

    _ = (who_am_i, guard, greet, keepsake)


def add_menus(tree: app_commands.CommandTree[Any]) -> None:
    """The commands with people, roles and channels to choose from."""

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

    _ = (picks, enrol)


def add_outings(tree: app_commands.CommandTree[Any]) -> None:
    """The commands that can be used in some places and not in others."""

    @tree.command(description="Say where I am")
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def where_am_i(interaction: Press, followups: int = 0) -> None:
        interaction.client.seen.append(place_of(interaction))
        view = ui.View(timeout=None)
        view.add_item(HereButton())
        await interaction.response.send_message("You are here.", view=view)
        for number in range(followups):
            await interaction.followup.send(f"Followup {number + 1}")

    @tree.command(description="Only for those who brought me along")
    @app_commands.allowed_installs(guilds=False, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def along(interaction: Press) -> None:
        await interaction.response.send_message("Here I am.")

    @tree.command(description="Only here, in the server")
    @app_commands.guild_only
    async def indoors(interaction: Press) -> None:
        await interaction.response.send_message("Inside.")

    @tree.command(description="For grown-ups", nsfw=True)
    async def grown_ups(interaction: Press) -> None:
        interaction.client.seen.append(place_of(interaction))
        await interaction.response.send_message(view=Veiled(), files=[discord.File(veil(), name) for name in NAMES])

    _ = (where_am_i, along, indoors, grown_ups)
