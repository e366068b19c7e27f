"""Sets faces into the preview pictures: round medallions that grow, and keep more of their own colours, with scale."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageFilter, ImageOps

from engine.renderers.preview.palette import Palette
from engine.renderers.preview.scenery import Point, disc_mask

# Where a face sits in a photo that is not square: a little above the middle.
FACE_CENTRING = (0.5, 0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A face to show; ``scale`` is above 0, up to 1."""

    image: Image.Image
    scale: float


def medallion_radius(faces: Sequence[Face], short_side: int) -> float:
    """Return the largest face's radius in pixels; several faces share the room."""
    crowd = 1.0 if len(faces) == 1 else 1.28 / len(faces) ** 0.75
    return short_side * max(_share(face) for face in faces) * crowd


def place_faces(picture: Image.Image, faces: Sequence[Face], centre: Point, *, palette: Palette) -> None:
    """Hang the faces side by side around a point, the first one leftmost."""
    largest = medallion_radius(faces, min(picture.size))
    step = largest * 1.86
    left = centre[0] - step * (len(faces) - 1) / 2
    for index, face in enumerate(faces):
        radius = largest * _share(face) / max(_share(other) for other in faces)
        _hang(picture, face, (left + index * step, centre[1]), radius=radius, palette=palette)


def _share(face: Face) -> float:
    return 0.16 + 0.16 * face.scale


def _hang(picture: Image.Image, face: Face, centre: Point, *, radius: float, palette: Palette) -> None:
    ring = radius * 1.045 + 1
    side = 2 * (round(ring * 1.3) + 2)
    corner = (round(centre[0] - side / 2), round(centre[1] - side / 2))
    shadow = disc_mask(side, ring).filter(ImageFilter.BoxBlur(ring * 0.09)).point(lambda level: level * 0.38)
    below = (corner[0], corner[1] + round(ring * 0.05))
    picture.paste(palette.ink.rgb(), below, shadow)
    picture.paste(palette.paper.rgb(), corner, disc_mask(side, ring))
    picture.paste(_toned(face, side, radius, palette=palette), corner, disc_mask(side, radius))


def _toned(face: Face, side: int, radius: float, *, palette: Palette) -> Image.Image:
    """Scale a face to the disc; the less it should weigh, the more it wears the picture's colours."""
    across = max(1, round(radius * 2) + 2)
    fitted = ImageOps.fit(face.image, (across, across), Image.Resampling.BICUBIC, centering=FACE_CENTRING)
    two_tone = ImageOps.colorize(
        ImageOps.autocontrast(fitted.convert("L"), cutoff=1),
        palette.ink.rgb(),
        palette.paper.rgb(),
        mid=palette.far.blended(palette.near, 0.3).rgb(),
    )
    canvas = Image.new("RGB", (side, side))
    offset = (side - across) // 2
    canvas.paste(Image.blend(two_tone, fitted, 0.1 + 0.9 * min(1.0, face.scale * 1.25) ** 1.2), (offset, offset))
    return canvas
