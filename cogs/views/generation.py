"""How a generation looks in Discord: progress, result and failure as Components V2 layouts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord import ui

from cogs.views.buttons import under_progress, under_result
from services.generations import Generation, WaitsFor
from services.presenter import Cancelled, Failure, Progress, Result, Scene, Waiting
from services.request import SCALE_DEFAULT, Reference, Role, Shape, Wish
from services.words import _, at, ngettext, refunded

ACCENT = discord.Colour(0x5B8DEF)
ACCENT_FAILED = discord.Colour(0xC4483C)
# A message takes 4,000 characters of text: https://discord.com/developers/docs/components/reference. A prompt of markup
# alone is quoted in 2,000; what others wrote is cut, so that everything else has room too.
SENTENCE_CHARACTERS_MAX = 500
NOTES_CHARACTERS_MAX = 800
ALT_CHARACTERS_MAX = 256  # Discord's limit for a gallery's items

# Anything that Discord's markdown would act on, wherever it stands, and what it would act on at a line's beginning.
_MARKUP = re.compile(r"([\\*_~|`\[\]<>])|^([#\-+>])")


def quoted(prompt: str) -> str:
    """A member's words, shown as they were typed, as one quoted line."""
    return "> " + as_typed(prompt)


def photo_names(references: Sequence[Reference]) -> list[str]:
    """What the prepared photos are called when they are uploaded: ``face-1.jpg``, ``style-2.jpg``."""
    return [f"{reference.role}-{number}.jpg" for number, reference in enumerate(references, start=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a layout needs beside the scene: the photos' addresses in the order of the wish's references, the pictures'
    file names, a line to begin with, whether somebody reads reports of it.
    """

    photos: Sequence[str] = ()
    files: Sequence[str] = ()
    preface: str | None = None
    can_report: bool = False


def layout(generation: Generation, wish: Wish, scene: Scene, frame: Frame) -> ui.LayoutView:
    """The message for a scene."""
    match scene:
        case Waiting():
            items = [ui.TextDisplay[ui.LayoutView](_waiting_text(generation, wish, scene)), under_progress(generation)]
        case Progress():
            items = _beside_photos(_progress_text(generation, wish, scene), wish, frame.photos)
            items.append(under_progress(generation))
        case Result():
            items = _beside_photos(_result_text(generation, wish, scene), wish, frame.photos)
            items = [
                _gallery(wish, frame.files),
                *items,
                *under_result(generation, wish, scene.numbers[: len(frame.files)], can_report=frame.can_report),
            ]
        case Failure():
            items = [ui.TextDisplay[ui.LayoutView](_failure_text(generation, wish, scene))]
        case Cancelled():
            items = [ui.TextDisplay[ui.LayoutView](_cancelled_text(generation, wish, scene))]
    view = ui.LayoutView(timeout=None)
    if frame.preface:
        view.add_item(ui.TextDisplay(frame.preface))
    colour = ACCENT_FAILED if isinstance(scene, Failure) else ACCENT
    view.add_item(ui.Container(*items, accent_colour=colour))
    return view


def failure_sentence(failure: Failure) -> str:
    """What went wrong and what became of the money."""
    return f"{cut(failure.sentence, SENTENCE_CHARACTERS_MAX)} {refunded(failure.refunded)}"


def detour_line(generation: Generation) -> str:
    """Why this comes as a direct message."""
    return _("This could not be shown in {channel}, so here it is.", channel=f"<#{generation.channel_id}>")


def ready_line(generation: Generation, scene: Result | Failure) -> str:
    """The line that calls the member back, where the edit of an old message would go unnoticed."""
    member = f"<@{generation.member_id}>"
    if isinstance(scene, Result):
        return _("{member} your pictures are ready.", member=member)
    return _("{member} your request could not be carried out.", member=member)


def _waiting_text(generation: Generation, wish: Wish, waiting: Waiting) -> str:
    wait = waiting.wait
    match wait.what:
        case WaitsFor.DECLARATION:
            headline = _("**Whose face is this?** Nothing is made before <@{member}> has said so.", member=wait.on)
        case WaitsFor.CONSENT:
            headline = _("**Waiting for <@{member}>**, whose face is in the photo.", member=wait.on)
    ends = _("-# Without an answer it ends {when}, and your images are refunded.", when=at(wait.until))
    return "\n".join([headline, quoted(wish.prompt), ends, _byline(generation, wish)])


def _progress_text(generation: Generation, wish: Wish, progress: Progress) -> str:
    lines = [_headline(wish, progress), quoted(wish.prompt), _byline(generation, wish)]
    if generation.weight > 1:
        lines.append(f"-# {_price(generation, wish)}")
    if progress.notes:
        # Plain text, in which a piece of the prompt may be quoted.
        lines.append(cut("\n".join(f"-# {as_typed(note)}" for note in progress.notes), NOTES_CHARACTERS_MAX))
    return "\n".join(lines)


def _headline(wish: Wish, progress: Progress) -> str:
    if progress.place is None:
        headline = ngettext("Making your picture", "Making your {number} pictures", wish.images)
    elif progress.place == 1:
        headline = ngettext("Your picture: next in the queue", "Your {number} pictures: next in the queue", wish.images)
    else:
        headline = ngettext(
            "Your picture: place {place} in the queue",
            "Your {number} pictures: place {place} in the queue",
            wish.images,
            place=progress.place,
        )
    if progress.ready_at is None:
        return f"**{headline}**"
    return _("**{headline}**, ready about {moment}", headline=headline, moment=at(progress.ready_at))


def _result_text(generation: Generation, wish: Wish, result: Result) -> str:
    paid = wish.images * generation.weight - result.refunded
    balance = result.balance
    account = ngettext(
        "{number} image used, {left} of {quota} left",
        "{number} images used, {left} of {quota} left",
        paid,
        left=balance.left,
        quota=balance.quota.images,
    )
    if balance.bonus:
        account = f"{account} · {_('a bonus of {bonus}', bonus=balance.bonus)}"
    lines = [quoted(wish.prompt), f"{_byline(generation, wish, seed=wish.seed)} · {account}"]
    if result.refunded:
        number = result.refunded // generation.weight
        missing = ngettext("{number} picture did not come.", "{number} pictures did not come.", number)
        reason = cut(result.missing or "", SENTENCE_CHARACTERS_MAX)
        lines.append(" ".join(filter(None, ("-#", missing, reason, refunded(result.refunded)))))
    if wish.caption:
        lines.insert(1, f"-# {as_typed(wish.caption)}")
    if result.shrunk:
        told = [_("Saved as JPEG, because the originals are larger than Discord allows here.")]
        if result.unsigned:
            told.append(_("Their signed content credentials (C2PA) are lost by that."))
        lines.append(" ".join(("-#", *told)))
    return "\n".join(lines)


def _price(generation: Generation, wish: Wish) -> str:
    if wish.images == 1:
        return _("This picture counts as {weight} images.", weight=generation.weight)
    price = wish.images * generation.weight
    return _("Each of these pictures counts as {weight} images: {price} in all.", weight=generation.weight, price=price)


def _failure_text(generation: Generation, wish: Wish, failure: Failure) -> str:
    headline = f"**{_('No pictures this time')}**"
    return "\n".join([headline, failure_sentence(failure), quoted(wish.prompt), _byline(generation, wish)])


def _cancelled_text(generation: Generation, wish: Wish, cancelled: Cancelled) -> str:
    headline = f"**{_('Cancelled.')} {refunded(cancelled.refunded)}**"
    return "\n".join([headline, quoted(wish.prompt), _byline(generation, wish)])


def _byline(generation: Generation, wish: Wish, *, seed: int | None = None) -> str:
    """The model and whatever differs from the defaults, in small print."""
    parts: list[str] = []
    if wish.model_label:
        parts.append(as_typed(wish.model_label))
    if wish.preset:
        parts.append(as_typed(wish.preset))
    if wish.shape is not Shape.SQUARE:
        parts.append(wish.shape.label if wish.shape else f"{wish.width}x{wish.height}")
    if wish.references and wish.references[0].scale != SCALE_DEFAULT:
        parts.append(_strength(wish.references[0]))
    if seed is not None:
        parts.append(_("seed {seed}", seed=seed))
    parts.append(_("for {member}", member=f"<@{generation.member_id}>"))
    return f"-# {' · '.join(parts)}"


def _strength(reference: Reference) -> str:
    percent = round(reference.scale * 100)
    if reference.role is Role.FACE:
        return _("likeness {percent} %", percent=percent)
    return _("strength {percent} %", percent=percent)


def _beside_photos(text: str, wish: Wish, photos: Sequence[str]) -> list["ui.Item[ui.LayoutView]"]:
    """The text with the first photo beside it, then each further photo with a line of its own."""
    if not photos:
        return [ui.TextDisplay(text)]
    lines = [text, *(f"-# {title(wish, n)}, {_strength(wish.references[n])}" for n in range(1, len(photos)))]
    return [
        ui.Section(ui.TextDisplay(line), accessory=ui.Thumbnail[ui.LayoutView](photo, description=title(wish, n)))
        for n, (line, photo) in enumerate(zip(lines, photos, strict=True))
    ]


def title(wish: Wish, index: int) -> str:
    """What one of its photos is called: ``Face``, or where there are several ``Face 2``."""
    role = wish.references[index].role
    if wish.count_of(role) == 1:
        return _("Face") if role is Role.FACE else _("Style")
    number = sum(reference.role is role for reference in wish.references[: index + 1])
    return _("Face {number}", number=number) if role is Role.FACE else _("Style {number}", number=number)


def as_typed(text: str) -> str:
    """A text in which Discord finds no markup."""
    return _MARKUP.sub(r"\\\g<0>", text)


def cut(text: str, characters_max: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"


def _gallery(wish: Wish, files: Sequence[str]) -> "ui.MediaGallery[ui.LayoutView]":
    # Alternative text is what people hear who cannot see the picture.
    description = cut(wish.prompt, ALT_CHARACTERS_MAX)
    return ui.MediaGallery(
        *(discord.MediaGalleryItem(f"attachment://{name}", description=description) for name in files)
    )
