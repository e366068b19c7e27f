"""``/consent``, and the buttons by which it is said whose face a photo shows and whether they agree."""

import contextlib
import io
from collections.abc import Mapping
from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from cogs.answers import answer, in_time, tell
from cogs.client import FacelockBot
from cogs.files import release
from cogs.notices import DiscordNotices
from cogs.reception import home_of
from cogs.views.consent import Deed, Reply, answered_text, list_layout, wipe_layout
from cogs.views.declaration import HANDLER, Declare, person_form, person_in
from cogs.views.texts import text_layout
from services.consents import Answer, Consents, Revoked, Said, Whose, no_text
from services.errors import GenerationFailed, NotAllowed, UserError
from services.faces import Faces
from services.kept import KeptPhotos
from services.moderation import Moderation
from services.privacy import Privacy
from services.quotas import guild_of
from services.runner import Runner
from services.words import _, mention, ngettext


class ConsentCog(
    commands.GroupCog, name=HANDLER, group_name="consent", group_description="Who may make pictures of you."
):
    """What the person in a photo decides."""

    def __init__(
        self,
        consents: Consents,
        runner: Runner,
        *,
        faces: Faces,
        kept: KeptPhotos,
        moderation: Moderation,
        privacy: Privacy,
        notices: DiscordNotices,
    ) -> None:
        self._consents = consents
        self._runner = runner
        self._faces = faces
        self._kept = kept
        self._moderation = moderation
        self._privacy = privacy
        self._notices = notices

    @app_commands.command(name="list")
    async def list_(self, interaction: discord.Interaction) -> None:
        """See who may make pictures of you, take it back, and see what you have said of your photos."""
        listed = await in_time(interaction, self._consents.listed(interaction.user.id), ephemeral=True)
        await tell(interaction, list_layout(listed))

    @app_commands.command()
    @app_commands.describe(person="Who may no longer make pictures of you")
    async def revoke(self, interaction: discord.Interaction, person: discord.User) -> None:
        """Take back everything that you have allowed somebody."""
        await self._take_back(interaction, person.id)

    @app_commands.command()
    async def never(self, interaction: discord.Interaction) -> None:
        """Forbid everybody to make pictures of you with this bot."""
        revoked = await in_time(interaction, self._consents.never(interaction.user.id), ephemeral=True)
        await self._carry_out(interaction, revoked, _never_text(), asker_id=None)

    async def declared(self, interaction: discord.Interaction, press: Declare) -> None:
        """See ``cogs.views.declaration.Handler``."""
        if press.whose == Whose.MEMBER:
            generation = await self._runner.generation(press.generation_id)
            if generation is not None and generation.member_id != interaction.user.id:
                raise UserError(_("Only the member who asked for these pictures can say whose face it is."))
            await interaction.response.send_modal(person_form(press.generation_id))
            return
        await self._declare(interaction, press.generation_id, Whose(press.whose), None)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """See discord.py; here for the form alone, which it would not find again after a restart."""
        if interaction.type is discord.InteractionType.modal_submit:
            await answer(interaction, self._submitted(interaction))

    async def _submitted(self, interaction: discord.Interaction) -> None:
        found = person_in(cast(Mapping[str, Any], interaction.data))
        if found is not None:
            await self._declare(interaction, found[0], Whose.MEMBER, found[1])

    async def _declare(
        self, interaction: discord.Interaction, generation_id: int, whose: Whose, person_id: int | None
    ) -> None:
        said = Said.by(interaction.user.id, whose, person_id)
        self._moderation.check(home_of(interaction), interaction.user.id)
        await interaction.response.defer()  # the message shows what comes of it
        if await self._consents.declare(generation_id, interaction.user.id, said):
            await self._runner.renew_token(generation_id, interaction.token)
            self._runner.resumed(generation_id)

    async def replied(self, interaction: discord.Interaction, press: Reply) -> None:
        """See ``cogs.views.consent.Handler``."""
        match press.what:
            case Deed.SEE:
                await self._see(interaction, press.number)
            case Deed.REVOKE if press.number == 0:
                await in_time(interaction, self._consents.allow_asking(interaction.user.id), ephemeral=True)
                await tell(interaction, _("You can be asked again."))
            case Deed.REVOKE:
                await self._take_back(interaction, press.number)
            case Deed.WIPE:
                deleting = self._consents.delete_messages(interaction.user.id, press.number or None)
                messages = await in_time(interaction, deleting, ephemeral=True)
                self._privacy.wake()
                await tell(interaction, _deleting_text(messages))
            case Answer.ONCE | Answer.ALWAYS | Answer.NO | Answer.NEVER:
                await self._answered(interaction, press.number, Answer(press.what))
            case _:
                raise UserError(_("This button is from another version of the bot and does nothing here."))

    async def _see(self, interaction: discord.Interaction, consent_id: int) -> None:
        question = await self._consents.question(consent_id, interaction.user.id)
        photos = [await self._kept.open(question.generation, n) for n in question.photos]
        files = [discord.File(io.BytesIO(photo), filename=f"photo-{n}.jpg") for n, photo in enumerate(photos, start=1)]
        try:
            await interaction.response.send_message(files=files, ephemeral=True)
        finally:
            release(files)

    async def _answered(self, interaction: discord.Interaction, consent_id: int, given: Answer) -> None:
        await interaction.response.defer()
        answered = await self._consents.answer(consent_id, interaction.user.id, given)
        if answered.goes_on:
            await self._go_on(answered.generation_id)
        else:
            await self._runner.end(answered.generation_id, GenerationFailed("no_consent", no_text()))
        with contextlib.suppress(discord.NotFound):  # somebody has deleted the question
            await interaction.edit_original_response(view=text_layout(answered_text(interaction.user.id, given)))
        if answered.revoked is not None:
            await self._carry_out(interaction, answered.revoked, _never_text(), asker_id=None)

    async def _go_on(self, generation_id: int) -> None:
        """With a request of somebody who may have been blocked meanwhile."""
        generation = await self._runner.generation(generation_id)
        try:
            if generation is not None:
                self._moderation.check(guild_of(generation.scope), generation.member_id)
        except NotAllowed as error:
            await self._runner.end(generation_id, error)
        else:
            self._runner.resumed(generation_id)

    async def _take_back(self, interaction: discord.Interaction, asker_id: int) -> None:
        revoking = self._consents.revoke(interaction.user.id, asker_id)
        revoked = await in_time(interaction, revoking, ephemeral=True)
        text = _("{asker} may no longer make pictures of you without asking again.", asker=mention(asker_id))
        await self._carry_out(interaction, revoked, text, asker_id=asker_id)

    async def _carry_out(
        self, interaction: discord.Interaction, revoked: Revoked, text: str, *, asker_id: int | None
    ) -> None:
        """End what is under way, say so, and tell those whose saved faces are gone."""
        for generation_id in revoked.under_way:
            await self._runner.end(generation_id, GenerationFailed("no_consent", no_text()))
        for face in revoked.faces:
            self._faces.forget(face.member_id)
        await tell(interaction, _with_messages(text, revoked, asker_id=asker_id))
        await self._notices.faces_revoked(revoked.faces)


def _never_text() -> str:
    return _("From now on nobody may make pictures of you with this bot. `/consent list` takes that back.")


def _with_messages(text: str, revoked: Revoked, *, asker_id: int | None) -> discord.ui.LayoutView:
    lines = [text]
    if revoked.under_way:
        lines.append(ngettext("{number} request was ended.", "{number} requests were ended.", len(revoked.under_way)))
    if revoked.faces:
        lines.append(
            ngettext(
                "{number} saved face that shows you was deleted.",
                "{number} saved faces that show you were deleted.",
                len(revoked.faces),
            )
        )
    return wipe_layout("\n".join(lines), asker_id=asker_id, messages=revoked.messages)


def _deleting_text(messages: int) -> str:
    return ngettext("{number} message is being deleted.", "{number} messages are being deleted.", messages)


async def setup(bot: FacelockBot) -> None:
    """Called by discord.py when it loads this file."""
    bot.add_dynamic_items(Declare, Reply)
    await bot.add_cog(
        ConsentCog(
            bot.consents,
            bot.runner,
            faces=bot.faces,
            kept=bot.kept,
            moderation=bot.moderation,
            privacy=bot.privacy,
            notices=bot.notices,
        )
    )
