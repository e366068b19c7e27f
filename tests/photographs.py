"""Photographs for tests: those that the installed packages ship as examples, and what is drawn from them."""

import io
from functools import cache
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
from PIL import Image
from skimage import data


@cache
def astronaut() -> Image.Image:
    """One clear face, 512 x 512 pixels."""
    return Image.fromarray(cast(np.ndarray[Any, Any], data.astronaut()))


@cache
def admiral() -> Image.Image:
    """Another one, 512 x 600 pixels, in uniform."""
    with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as image:
        return image.convert("RGB")


@cache
def coffee() -> Image.Image:
    """No face at all."""
    return Image.fromarray(cast(np.ndarray[Any, Any], data.coffee()))


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The bytes of an image file."""
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()
