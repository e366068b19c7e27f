"""How a generation looks in Discord: progress, result and failure as Components V2 layouts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord import ui

from services.generations import Generation
from services.presenter import Failure, Progress, Result, Scene
from services.request import Wish
from services.words import counted, refunded

ACCENT = discord.Colour(0x5B8DEF)
ACCENT_FAILED = discord.Colour(0xC4483C)
FACE_FILE = "face.jpg"

# Anything that Discord's markdown would act on, wherever it stands, and what it would act on at a line's beginning.
_MARKUP = re.compile(r"([\\*_~|`\[\]<>])|^([#\-+>])")


def quoted(prompt: str) -> str:
    """A member's words, shown as they were typed, as one quoted line."""
    return "> " + _MARKUP.sub(r"\\\g<0>", prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a layout needs beside the scene: the thumbnail's address, the pictures' file names, a line to begin with."""

    face: str | None = None
    files: Sequence[str] = ()
    preface: str | None = None


def layout(generation: Generation, wish: Wish, scene: Scene, frame: Frame) -> ui.LayoutView:
    """The message for a scene."""
    match scene:
        case Progress():
            items = [_beside_face(_progress_text(generation, wish, scene), frame.face)]
        case Result():
            items = [_gallery(wish, frame.files), _beside_face(_result_text(generation, wish, scene), frame.face)]
        case Failure():
            items = [ui.TextDisplay[ui.LayoutView](_failure_text(generation, wish, scene))]
    view = ui.LayoutView(timeout=None)
    if frame.preface:
        view.add_item(ui.TextDisplay(frame.preface))
    colour = ACCENT_FAILED if isinstance(scene, Failure) else ACCENT
    view.add_item(ui.Container(*items, accent_colour=colour))
    return view


def failure_sentence(failure: Failure) -> str:
    """What went wrong and what became of the money."""
    return f"{failure.sentence} {refunded(failure.refunded)}"


def detour_line(generation: Generation) -> str:
    """Why this comes as a direct message."""
    return f"This could not be shown in <#{generation.channel_id}>, so here it is."


def ready_line(generation: Generation, scene: Result | Failure) -> str:
    """The line that calls the member back, where the edit of an old message would go unnoticed."""
    news = "your pictures are ready" if isinstance(scene, Result) else "your request could not be carried out"
    return f"<@{generation.member_id}> {news}."


def _progress_text(generation: Generation, wish: Wish, progress: Progress) -> str:
    pictures = "picture" if wish.images == 1 else f"{wish.images} pictures"
    if progress.place is None:
        headline = f"**Making your {pictures}**"
    elif progress.place == 1:
        headline = f"**Your {pictures}: next in the queue**"
    else:
        headline = f"**Your {pictures}: place {progress.place} in the queue**"
    lines = [headline, quoted(wish.prompt), _byline(generation, wish), *progress.notes]
    return "\n".join(lines)


def _result_text(generation: Generation, wish: Wish, result: Result) -> str:
    paid = wish.images - result.refunded
    account = f"{counted(paid, 'image')} used, {result.balance.left} of {result.balance.quota.images} left"
    lines = [quoted(wish.prompt), f"{_byline(generation, wish)} · {account}"]
    if result.refunded:
        lines.append(f"-# {counted(result.refunded, 'picture')} did not come. {refunded(result.refunded)}")
    if result.shrunk:
        lines.append("-# Saved as JPEG, because the originals are larger than Discord allows here.")
    return "\n".join(lines)


def _failure_text(generation: Generation, wish: Wish, failure: Failure) -> str:
    return "\n".join(
        ["**No pictures this time**", failure_sentence(failure), quoted(wish.prompt), _byline(generation, wish)]
    )


def _byline(generation: Generation, wish: Wish) -> str:
    return f"-# {wish.model.label} · for <@{generation.member_id}>"


def _beside_face(text: str, face: str | None) -> "ui.Item[ui.LayoutView]":
    said = ui.TextDisplay[ui.LayoutView](text)
    if face is None:
        return said
    return ui.Section(said, accessory=ui.Thumbnail[ui.LayoutView](face, description="The face in the photo"))


def _gallery(wish: Wish, files: Sequence[str]) -> "ui.MediaGallery[ui.LayoutView]":
    # Alternative text is what people hear who cannot see the picture; Discord takes 256 characters in a gallery.
    description = wish.prompt if len(wish.prompt) <= 256 else f"{wish.prompt[:255]}…"
    return ui.MediaGallery(
        *(discord.MediaGalleryItem(f"attachment://{name}", description=description) for name in files)
    )
