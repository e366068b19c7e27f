"""A message of the bot's, copied with its files: for everybody what was for one member alone."""

import contextlib
import io
from collections.abc import AsyncGenerator
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import discord
from discord import ui

from cogs.files import release
from cogs.views.buttons import is_post
from services.downloads import DownloadError, Downloads
from services.errors import UserError
from services.pictures import PICTURE_BYTES_MAX
from services.words import _

FILE_TIMEOUT_S = 30.0


@contextlib.asynccontextmanager
async def copied(
    message: discord.Message, downloads: Downloads
) -> AsyncGenerator[tuple[ui.LayoutView, list[discord.File]]]:
    """The same layout, without the button that posts it, and the same files, byte for byte, closed afterwards.

    Raises:
        UserError: Discord serves one of the files no more.
    """
    view = ui.LayoutView.from_message(message, timeout=None)
    assert isinstance(view, ui.LayoutView), "all results are of Components V2"  # noqa: S101 - narrows the type
    files: list[discord.File] = []

    async def copy(media: discord.UnfurledMediaItem) -> discord.UnfurledMediaItem:
        name = PurePosixPath(urlsplit(media.url).path).name
        try:
            content = await downloads.fetch(media.url, bytes_max=PICTURE_BYTES_MAX, timeout_s=FILE_TIMEOUT_S)
        except DownloadError as error:
            raise UserError(
                _("Discord no longer has the pictures of this message, so they cannot be posted.")
            ) from error
        files.append(discord.File(io.BytesIO(content), filename=name))
        return discord.UnfurledMediaItem(f"attachment://{name}")

    try:
        for item in list(view.walk_children()):
            if isinstance(item, ui.Thumbnail):
                item.media = await copy(item.media)
            elif isinstance(item, ui.MediaGallery):
                for each in item.items:
                    each.media = await copy(each.media)
            elif isinstance(item, ui.Container):
                for row in [each for each in item.children if isinstance(each, ui.ActionRow)]:
                    if any(is_post(button) for button in row.children):
                        item.remove_item(row)
        view.stop()  # presses find their way by the ids of the buttons: nothing has to be kept in memory
        yield view, files
    finally:
        release(files)
