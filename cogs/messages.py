"""What a message of the bot shows: its photos and its pictures, read back from Discord."""

import re
from collections.abc import Generator, Iterable
from urllib.parse import urlsplit

import discord

from services.generations import Generation, Hosted


async def message_of(client: discord.Client, generation: Generation) -> discord.Message | None:
    """The message that shows a generation, as it is now; None where it is gone, was never named, or is ephemeral, which
    nobody can read again.

    Raises:
        discord.HTTPException: also where the bot may not read the channel.
    """
    if generation.message_id is None or generation.is_ephemeral:
        return None
    try:
        return await client.get_partial_messageable(generation.channel_id).fetch_message(generation.message_id)
    except discord.NotFound:
        return None


def photos_in(message: discord.Message, names: Iterable[str]) -> tuple[Hosted, ...]:
    """Where Discord serves the photos of these names, in that order; empty where it does not serve them all.

    In a Components V2 message that is at the thumbnails, and not among the attachments.
    """
    served: dict[str, Hosted] = {
        attachment.filename: Hosted(url=attachment.url, attachment_id=attachment.id)
        for attachment in message.attachments
    }
    for media in _thumbnails(message.components):
        address = urlsplit(media.url)
        if address.scheme in ("https", "http"):
            name = address.path.rpartition("/")[2]
            served[name] = Hosted(url=media.url, attachment_id=media.attachment_id or _id_in(address.path))
    found = [served.get(name) for name in names]
    return tuple(photo for photo in found if photo) if all(found) else ()


def pictures_in(message: discord.Message) -> list[str]:
    """Where Discord serves the pictures of a result, in their order."""
    return [item.media.url for gallery in _galleries(message.components) for item in gallery.items]


def _galleries(components: Iterable[object]) -> Generator[discord.MediaGalleryComponent]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            yield component
        elif isinstance(component, discord.Container):
            yield from _galleries(component.children)


def _thumbnails(components: Iterable[object]) -> Generator[discord.UnfurledMediaItem]:
    for component in components:
        if isinstance(component, discord.SectionComponent) and isinstance(
            component.accessory, discord.ThumbnailComponent
        ):
            yield component.accessory.media
        elif isinstance(component, discord.Container):
            yield from _thumbnails(component.children)


def _id_in(path: str) -> int | None:
    """The attachment's id from its address, ``.../attachments/<channel>/<attachment>/<name>``."""
    found = re.search(r"/(\d+)/[^/]+$", path)
    return int(found[1]) if found else None
