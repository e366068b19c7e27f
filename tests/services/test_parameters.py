import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import InvalidWish
from services.parameters import ADAPTERS, FAMILY_TABLES, GENERATE_TABLE, LOCK_TABLE, Family, Shape, Table, size_of

TABLES = [*FAMILY_TABLES.values(), LOCK_TABLE, GENERATE_TABLE]


@pytest.mark.parametrize("table", TABLES)
def test_every_shape_is_a_size_that_its_own_endpoint_takes(table: Table) -> None:
    for shape in Shape:
        width, height = table.sizes[shape]

        assert size_of(shape.value, table) == size_of(f" {width}X{height} ", table) == (width, height)
    assert size_of(None, table) == table.sizes[Shape.SQUARE]
    assert table.steps[0] <= table.default_steps <= table.steps[1]
    assert table.guidance[0] <= table.default_guidance <= table.guidance[1]


@pytest.mark.parametrize("table", TABLES)
def test_the_ends_of_the_sides_are_taken_and_nothing_beyond_them(table: Table) -> None:
    smallest, largest = table.side_px

    assert size_of(f"{smallest}x{largest}", table) == table.side_px
    for said, field in ((f"{smallest - 8}x512", "width"), (f"512x{largest + 8}", "height")):
        with pytest.raises(InvalidWish, match=f"`{field}` .* {smallest} to {largest}"):
            size_of(said, table)


def test_what_the_pages_of_the_service_say_of_sides_is_kept() -> None:
    assert [table.side_px[1] for table in TABLES] == [1536, 1536, 2048, 1024]


# The multiplication sign is meant.
@given(st.text(max_size=12) | st.from_regex(r"\A\s?\d{1,6}\s?[xX*×]\s?\d{1,6}\Z"), st.sampled_from(TABLES))  # noqa: RUF001
def test_a_size_is_one_that_the_endpoint_takes_or_it_is_refused(said: str, table: Table) -> None:
    try:
        sides = size_of(said, table)
    except InvalidWish:
        return
    assert all(table.side_px[0] <= side <= table.side_px[1] and side % 8 == 0 for side in sides)


def test_the_adapters_are_those_of_the_documentation() -> None:
    assert {family: set(names) for family, names in ADAPTERS.items()} == {
        Family.SD: {"ip-adapter-plus-face_sd15", "ip-adapter-plus_sd15"},
        Family.SDXL: {
            "ip-adapter-plus-face_sdxl_vit-h",
            "ip-adapter-plus_sdxl_vit-h",
            "ip-adapter_sdxl",
            "ip-adapter_sdxl_vit-h",
        },
    }
