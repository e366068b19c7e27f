"""The buttons under a result. Each press is a request of its own, accepted and charged like a command."""

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import discord
from discord.ext import commands

from cogs.answers import answer, tell
from cogs.imagine import random_seed, sources_of
from cogs.presenter import message_of, photos_in, pictures_in
from cogs.reception import Reception
from cogs.reports import Reports
from cogs.views import save_face
from cogs.views.buttons import Action, Press
from cogs.views.details import details
from cogs.views.edit import Filled, edit_form, filled_in, roles
from cogs.views.faces import saved_text
from cogs.views.generation import photo_names, title
from cogs.views.report import HANDLER as REPORTS
from cogs.views.report import report_form, reported_in
from cogs.views.save_face import places_of, save_form, to_be_saved
from services import network
from services.errors import UserError
from services.faces import Faces
from services.generations import Generation, Source, State
from services.moderation import Moderation
from services.photos import check_length
from services.remakes import Remakes
from services.request import Role, Wish
from services.runner import Runner
from services.words import _

if TYPE_CHECKING:
    from bot import FacelockBot

# Of the 3 s for the first answer.
FETCH_TIMEOUT_S = 1.0


class Results(commands.Cog):
    """What can be done with a result."""

    def __init__(
        self,
        runner: Runner,
        reception: Reception,
        remakes: Remakes,
        *,
        faces: Faces,
        moderation: Moderation,
        reports: Reports,
    ) -> None:
        self._runner = runner
        self._reception = reception
        self._remakes = remakes
        self._faces = faces
        self._moderation = moderation
        self._reports = reports

    async def pressed(self, interaction: discord.Interaction, press: Press) -> None:
        """Answer a press.

        Raises:
            UserError: nothing was done, for this reason.
        """
        generation = await self._generation(interaction, press.generation_id)
        wish = Wish.from_json(generation.wish)
        match press.action:
            case Action.AGAIN:
                await self._again(interaction, generation, wish)
            case Action.VARY:
                await self._vary(interaction, generation, wish, press.number or 1)
            case Action.FULL:
                await self._full(interaction, generation, wish, press.number or 0)
            case Action.LARGER:
                await self._larger(interaction, generation, wish)
            case Action.EDIT | Action.SAVE | Action.REPORT:
                await self._ask(interaction, generation, wish, Action(press.action))
            case Action.DETAILS:
                await tell(interaction, details(generation, wish, await self._runner.jobs(generation.id)))
            case Action.CANCEL:
                await self._cancel(interaction, generation)
            case Action.DELETE:
                await self._delete(interaction, generation)
            case _:
                raise UserError(_("This button is from another version of the bot and does nothing here."))

    async def _ask(self, interaction: discord.Interaction, generation: Generation, wish: Wish, action: Action) -> None:
        """Open the form behind a button."""
        if action is Action.REPORT:
            self._reports.channel_of(interaction)
            await interaction.response.send_modal(report_form(generation.id))
            return
        _check_face(interaction, generation, wish)
        are_there = bool(await _photos(interaction, generation, wish))
        if action is Action.EDIT:
            form = edit_form(generation.id, wish, is_face_there=are_there)
        else:
            faces = {n: title(wish, n) for n in _faces_in(wish)}
            form = save_form(generation.id, faces, are_there=are_there)
        await interaction.response.send_modal(form)

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """See discord.py; here for the forms alone, which it would not find again after a restart."""
        if interaction.type is discord.InteractionType.modal_submit:
            await answer(interaction, self._submitted(interaction))

    async def _submitted(self, interaction: discord.Interaction) -> None:
        data = cast(Mapping[str, Any], interaction.data)
        if (filled := filled_in(data)) is not None:
            await self._edit(interaction, filled)
        elif (reported := reported_in(data)) is not None:
            generation_id, reason = reported
            await self._reports.report(interaction, await self._generation(interaction, generation_id), reason)
        elif (to_save := to_be_saved(data)) is not None:
            await self._save(interaction, to_save)

    async def _generation(self, interaction: discord.Interaction, generation_id: int) -> Generation:
        """What a message's button is about. An id alone could be that of another database."""
        generation = await self._runner.generation(generation_id)
        if generation is None or not (_is_below(interaction, generation) or _is_in_history(interaction, generation)):
            raise UserError(_("The bot knows nothing of this request any more. Use /imagine to ask anew."))
        return generation

    def _remakes_in(self, interaction: discord.Interaction) -> Remakes:
        return self._remakes.within(self._reception.settings(interaction))

    async def _again(self, interaction: discord.Interaction, generation: Generation, wish: Wish) -> None:
        photos = await _own_photos(interaction, generation, wish)
        await self._reception.begin(interaction, self._remakes_in(interaction).again(wish, seed=random_seed()), photos)

    async def _larger(self, interaction: discord.Interaction, generation: Generation, wish: Wish) -> None:
        photos = await _own_photos(interaction, generation, wish)
        await self._reception.begin(interaction, self._remakes_in(interaction).larger(wish, seed=random_seed()), photos)

    async def _full(self, interaction: discord.Interaction, generation: Generation, wish: Wish, number: int) -> None:
        photos = await _own_photos(interaction, generation, wish)
        await self._reception.begin(interaction, self._remakes_in(interaction).full(wish, number), photos)

    async def _vary(self, interaction: discord.Interaction, generation: Generation, wish: Wish, number: int) -> None:
        photos = await _own_photos(interaction, generation, wish)
        varied = self._remakes_in(interaction).varied(wish, number, seed=random_seed())
        faces = [photo for photo, each in zip(photos, wish.references, strict=True) if each.role is Role.FACE]
        pictures = pictures_in(interaction.message) if interaction.message else []
        if not 1 <= number <= len(pictures):
            raise UserError(_("This picture is no longer in the message."))
        await self._reception.begin(interaction, varied, [*faces, Source(url=pictures[number - 1])])

    async def _cancel(self, interaction: discord.Interaction, generation: Generation) -> None:
        """The message says what comes of it."""
        if not _may_moderate(interaction, generation):
            raise UserError(_("Only who asked for these pictures and moderators can cancel them."))
        await interaction.response.defer()
        if not await self._runner.cancel(generation.id):
            now = await self._runner.generation(generation.id)
            if now is not None and now.state is not State.CANCELLED:
                raise UserError(_("It is too late to cancel this: it is over, or just about to be shown."))

    async def _edit(self, interaction: discord.Interaction, filled: Filled) -> None:
        generation = await self._generation(interaction, filled.generation_id)
        wish = Wish.from_json(generation.wish)
        _check_face(interaction, generation, wish)
        old = await _photos(interaction, generation, wish)
        if old is None or len(filled.photos) > 1:
            if len(filled.photos) != len(wish.references):
                raise UserError(
                    _("Attach the images of this request again, in this order: {images}.", images=roles(wish))
                )
            edited = self._remakes_in(interaction).edited(wish, filled.edit, seed=random_seed())
            photos = sources_of(filled.photos, edited.references)
        else:
            edit = replace(filled.edit, new_face=bool(filled.photos))
            edited = self._remakes_in(interaction).edited(wish, edit, seed=random_seed())
            kept = old[1:] if filled.photos and wish.count_of(Role.FACE) else old
            photos = (*sources_of(filled.photos, edited.references[: len(filled.photos)]), *kept)
        await self._reception.begin(interaction, edited, photos)

    async def _save(self, interaction: discord.Interaction, filled: save_face.Filled) -> None:
        """Keep a face that has come out of the bot before, or where that is gone, new photos of it."""
        generation = await self._generation(interaction, filled.generation_id)
        wish = Wish.from_json(generation.wish)
        _check_face(interaction, generation, wish)
        there = () if filled.photos else await _photos(interaction, generation, wish)
        if there is None:
            raise UserError(_("The photo is no longer in this message. Press *Save face* again and attach it."))
        for photo in filled.photos:
            check_length(photo.size)
        urls = [there[place].url for place in places_of(filled, _faces_in(wish))] if there else []
        await interaction.response.defer(thinking=True, ephemeral=True)  # fetching takes its time
        saved = await self._faces.save(
            interaction.user.id,
            filled.name,
            urls or [photo.url for photo in filled.photos],
            is_prepared=bool(urls),
            as_default=filled.as_default,
        )
        await interaction.edit_original_response(content=saved_text(saved, self._faces.unused_max))

    async def _delete(self, interaction: discord.Interaction, generation: Generation) -> None:
        """The message goes, and with it the pictures and the face."""
        if not _may_moderate(interaction, generation):
            raise UserError(_("Only who asked for these pictures and moderators can delete them."))
        await interaction.response.defer()
        with contextlib.suppress(discord.NotFound):  # somebody was quicker
            await interaction.delete_original_response()
        if interaction.guild_id is not None and interaction.user.id != generation.member_id:
            await self._moderation.deleted(interaction.guild_id, generation, by=interaction.user.id)


def _faces_in(wish: Wish) -> list[int]:
    """The places of its faces among its photos."""
    return [n for n, reference in enumerate(wish.references) if reference.role is Role.FACE]


def _check_face(interaction: discord.Interaction, generation: Generation, wish: Wish) -> None:
    if wish.count_of(Role.FACE) and interaction.user.id != generation.member_id:
        raise UserError(_("This face belongs to somebody else's request. Use /imagine with your own photo."))


def _is_below(interaction: discord.Interaction, generation: Generation) -> bool:
    return generation.message_id in (None, interaction.message.id if interaction.message else None)


def _is_in_history(interaction: discord.Interaction, generation: Generation) -> bool:
    is_own = interaction.user.id == generation.member_id
    return is_own and interaction.message is not None and interaction.message.flags.ephemeral


async def _photos(interaction: discord.Interaction, generation: Generation, wish: Wish) -> tuple[Source, ...] | None:
    """The prepared photos in the message, under addresses that are fresh; None where they are gone."""
    if not wish.references:
        return ()
    message = interaction.message if _is_below(interaction, generation) else await _fetched(interaction, generation)
    found = photos_in(message, photo_names(wish.references)) if message else ()
    return tuple(Source(url=photo.url, is_prepared=True) for photo in found) or None


async def _fetched(interaction: discord.Interaction, generation: Generation) -> discord.Message | None:
    """The message that shows what is pressed in the history."""
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            return await message_of(interaction.client, generation)
    except discord.Forbidden:
        return None
    except (discord.HTTPException, *network.FAULTS) as error:
        raise UserError(_("Discord is slow to answer just now. Try again in a moment.")) from error


async def _own_photos(interaction: discord.Interaction, generation: Generation, wish: Wish) -> tuple[Source, ...]:
    _check_face(interaction, generation, wish)
    photos = await _photos(interaction, generation, wish)
    if photos is None:
        raise UserError(_("The photo is no longer in this message. Press *Edit* and attach it again."))
    return photos


def _may_moderate(interaction: discord.Interaction, generation: Generation) -> bool:
    return interaction.user.id == generation.member_id or interaction.permissions.manage_messages


async def setup(bot: "FacelockBot") -> None:
    """Called by discord.py when it loads this file."""
    settings = bot.settings
    remakes = Remakes(
        bot.catalog,
        api=settings.imagepipeline_api,
        safety_checker=settings.safety_checker,
        server_id=settings.server_id,
    )
    bot.add_dynamic_items(Press)
    reports = bot.get_cog(REPORTS)
    assert isinstance(reports, Reports), "cogs.reports is loaded first"  # noqa: S101 - narrows the type
    await bot.add_cog(
        Results(bot.runner, bot.reception, remakes, faces=bot.faces, moderation=bot.moderation, reports=reports)
    )
