from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cogs.imagine import Slot, attached, sources_of, suggested_sizes
from services.errors import PhotoRefused, UserError
from services.parameters import FAMILY_TABLES, GENERATE_TABLE, LOCK_TABLE, Role, Shape, Table, size_of
from services.photos import PHOTO_BYTES_MAX
from tests.wishes import face, style


def photo(size: int = 1000) -> discord.Attachment:
    fields = {"id": "1", "filename": "me.jpg", "size": size, "url": "https://cdn.example/me.jpg", "proxy_url": ""}
    return discord.Attachment(data=cast(Any, fields), state=cast(Any, SimpleNamespace(http=None)))


def slot(role: Role, is_there: bool, percent: int | None) -> Slot:
    return Slot(role=role, name=role, photo=photo() if is_there else None, percent_name=f"{role}_%", percent=percent)


# ------------------------------------------------------------------------------------------------- attachments


@given(st.lists(st.builds(slot, st.sampled_from(Role), st.booleans(), st.none() | st.integers(0, 100)), max_size=6))
def test_images_are_faces_then_styles_each_with_its_own_strength(slots: list[Slot]) -> None:
    stray = [slot for slot in slots if slot.photo is None and slot.percent is not None]
    if stray:
        with pytest.raises(UserError, match="needs an image in `"):
            attached(slots)
        return

    references, photos = attached(slots)

    wanted = [slot for role in Role for slot in slots if slot.role is role and slot.photo is not None]
    assert photos == [slot.photo for slot in wanted]
    assert [reference.role for reference in references] == [slot.role for slot in wanted]
    assert [reference.scale for reference in references] == [
        0.6 if slot.percent is None else slot.percent / 100 for slot in wanted
    ]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ([PHOTO_BYTES_MAX + 1], "The photo is larger than 10 MiB. Attach a smaller copy."),
        ([5, PHOTO_BYTES_MAX + 1], "Image 2 of 2 (style): The photo is larger than 10 MiB. Attach a smaller copy."),
    ],
)
def test_a_photo_that_is_too_large_is_refused_before_anything_is_charged(sizes: list[int], told: str) -> None:
    with pytest.raises(PhotoRefused) as error:
        sources_of([photo(size) for size in sizes], [face(), style()][: len(sizes)])

    assert str(error.value) == told


# ------------------------------------------------------------------------------------------------- suggestions


@given(
    st.text(max_size=20) | st.from_regex(r"\A\d{1,5}x\d{1,5}\Z"),
    st.sampled_from([*FAMILY_TABLES.values(), LOCK_TABLE, GENERATE_TABLE]),
)
def test_every_suggested_size_is_one_that_can_be_asked_for(typed: str, table: Table) -> None:
    choices = suggested_sizes(typed, table)

    assert 1 <= len(choices) <= len(Shape)
    for choice in choices:
        width, height = size_of(choice.value, table)
        assert choice.name.endswith(f"{width}x{height}")
