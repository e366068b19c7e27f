"""The tiny bot's buttons and menus that work for ever, its forms, and its commands in menus."""

import re
from typing import Any

import discord
from discord import app_commands, ui

Press = discord.Interaction[Any]

STYLES = ("Photo", "Oil painting", "Pencil", "Comic")


class CountButton(ui.DynamicItem[ui.Button[Any]], template=r"count:(?P<count>\d+)"):
    """Changes its own message: the number lives in the custom_id, and nowhere else."""

    def __init__(self, count: int) -> None:
        super().__init__(
            ui.Button(label=f"Count {count}", style=discord.ButtonStyle.primary, custom_id=f"count:{count}")
        )
        self.count = count

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "CountButton":
        return cls(int(match["count"]))

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.edit_message(view=Panel(self.count + 1))


class AskButton(ui.DynamicItem[ui.Button[Any]], template=r"ask"):
    """Opens a form."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Report", style=discord.ButtonStyle.danger, emoji="🚩", custom_id="ask"))

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "AskButton":
        return cls()

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_modal(Report())


class QuietButton(ui.DynamicItem[ui.Button[Any]], template=r"quiet"):
    """Answers with nothing at first, and with a private word afterwards."""

    def __init__(self) -> None:
        super().__init__(ui.Button(label="Quietly", custom_id="quiet"))

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "QuietButton":
        return cls()

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.defer()
        await interaction.client.go_on.wait()
        await interaction.followup.send("Noted.", ephemeral=True)


class StyleSelect(ui.DynamicItem[ui.Select[Any]], template=r"styles"):
    """Up to two of four."""

    def __init__(self) -> None:
        options = [
            discord.SelectOption(label=name, value=name.lower(), description=f"As a {name.lower()}") for name in STYLES
        ]
        super().__init__(ui.Select(custom_id="styles", placeholder="Pick styles", max_values=2, options=options))

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "StyleSelect":
        return cls()

    async def callback(self, interaction: Press) -> Any:
        await interaction.response.send_message(f"Styles: {', '.join(self.item.values)}", ephemeral=True)


class WhoSelect(ui.DynamicItem[ui.UserSelect[Any]], template=r"who"):
    """One person."""

    def __init__(self) -> None:
        super().__init__(ui.UserSelect(custom_id="who", placeholder="Show it to"))

    @classmethod
    async def from_custom_id(cls, interaction: Press, item: ui.Item[Any], match: re.Match[str], /) -> "WhoSelect":
        return cls()

    async def callback(self, interaction: Press) -> Any:
        (chosen,) = self.item.values
        await interaction.response.send_message(
            f"For {chosen.display_name}, a {type(chosen).__name__}.", ephemeral=True
        )


ITEMS = (CountButton, AskButton, QuietButton, StyleSelect, WhoSelect)


class Panel(ui.LayoutView):
    """Everything that can be pressed and chosen, wherever Discord allows it."""

    def __init__(self, count: int = 0) -> None:
        super().__init__(timeout=None)
        container = ui.Container[Any](accent_color=discord.Color.blurple())
        container.add_item(ui.Section[Any](f"### Pressed {count} times", accessory=CountButton(count)))
        container.add_item(ui.Separator[Any]())
        container.add_item(ui.ActionRow[Any](StyleSelect()))
        container.add_item(ui.ActionRow[Any](WhoSelect()))
        self.add_item(container)
        row = ui.ActionRow[Any](AskButton(), QuietButton())
        row.add_item(ui.Button(label="Yes", style=discord.ButtonStyle.success, custom_id="yes", disabled=True))
        row.add_item(ui.Button(label="Read more", url="https://example.com/more"))
        self.add_item(row)


class Report(ui.Modal, title="Report a picture"):
    """A form with every kind of field."""

    intro = ui.TextDisplay[Any]("Only the **moderators** read this.")
    wrong = ui.Label[Any](
        text="What is wrong",
        description="In a sentence or two",
        component=ui.TextInput(style=discord.TextStyle.paragraph, placeholder="I see…", min_length=5, max_length=200),
    )
    reason = ui.Label[Any](
        text="Reason",
        component=ui.Select(
            required=True,
            options=[
                discord.SelectOption(label="It shows me", value="me"),
                discord.SelectOption(label="Something else", value="else"),
            ],
        ),
    )
    who = ui.Label[Any](text="Who is in it", component=ui.UserSelect(required=False, max_values=2))
    photos = ui.Label[Any](text="Photos", component=ui.FileUpload(required=False, max_values=3))

    async def on_submit(self, interaction: Press, /) -> None:
        fields: list[Any] = [label.component for label in (self.wrong, self.reason, self.who, self.photos)]
        wrong, reason, who, photos = fields
        interaction.client.seen.append(
            {
                "wrong": wrong.value,
                "reason": reason.values,
                "who": [person.display_name for person in who.values],
                "photos": {photo.filename: await photo.read() for photo in photos.values},
                "message": interaction.message.id if interaction.message else None,
            }
        )
        await interaction.client.go_on.wait()
        await interaction.response.send_message("Thank you, the moderators will look.", ephemeral=True)


class Rename(ui.Modal, title="Rename the album"):
    """A form of the older shape: its fields stand in action rows and have labels of their own."""

    name = ui.TextInput[Any](label="New name", default="Winter", max_length=20)

    async def on_submit(self, interaction: Press, /) -> None:
        await interaction.response.defer()
        await interaction.followup.send(f"Renamed to {self.name.value}.")


def add_forms(tree: app_commands.CommandTree[Any]) -> None:
    """The commands that lead to all this."""

    @tree.command(description="Show everything that can be pressed and chosen")
    async def panel(interaction: Press, private: bool = False) -> None:
        await interaction.response.send_message(view=Panel(), ephemeral=private)

    @tree.command(description="Fill in a form")
    async def report(interaction: Press) -> None:
        await interaction.response.send_modal(Report())

    @tree.command(description="Fill in a form of the older shape")
    async def rename(interaction: Press) -> None:
        await interaction.response.send_modal(Rename())

    @tree.context_menu(name="Who made this?")
    async def who_made_this(interaction: Press, message: discord.Message) -> None:
        said = f"{message.author.display_name} made “{message.content}” with {len(message.attachments)} files."
        await interaction.response.send_message(said, ephemeral=True)

    @tree.context_menu(name="Report this")
    async def report_this(interaction: Press, message: discord.Message) -> None:
        await interaction.response.send_modal(Report())

    @tree.context_menu(name="Wave")
    async def wave(interaction: Press, user: discord.User | discord.Member) -> None:
        await interaction.response.send_message(f"{interaction.user.display_name} waves at {user.display_name}.")

    _ = (panel, report, rename, who_made_this, report_this, wave)
