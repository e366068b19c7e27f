"""Pictures for the engine's tests, and the ways in which they are sent."""

import base64
import io
from typing import Any

import skimage.data
from PIL import Image


def encoded(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def data_uri(data: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def astronaut() -> Image.Image:
    """The photo of a person that scikit-image ships, 512 x 512."""
    photo: Any = skimage.data
    return Image.fromarray(photo.astronaut())


PIXEL = encoded(Image.new("RGB", (1, 1), "orange"))
