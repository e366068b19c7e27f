"""Bodies of messages: what a create or an edit makes of content, files, flags and components."""

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.drafts import MAX_FILE_BYTES, Place, draft_message
from playground.errors import ApiError, Json
from playground.mentions import MESSAGE_DEFAULT
from playground.model import MessageBody, MessageFlag
from playground.multipart import Upload
from tests.playground.tiny_bot import picture

V2 = int(MessageFlag.COMPONENTS_V2)


def draft(payload: Json, *files: str, before: MessageBody | None = None, content: bytes = b"x") -> MessageBody:
    """Apply a request whose files[n] have these names."""
    ids = count(100 if before is None else 200)
    uploads = {n: Upload(field=f"files[{n}]", filename=name, content=content) for n, name in enumerate(files)}
    place = Place(channel_id=1, new_id=lambda: next(ids))
    return draft_message(payload, uploads, place=place, default_mentions=MESSAGE_DEFAULT, before=before).body


def shown(*names: str) -> list[Json]:
    return [{"type": 12, "items": [{"media": {"url": f"attachment://{name}"}} for name in names]}]


def names(body: MessageBody) -> list[str]:
    return [attachment.filename for attachment in body.attachments]


def refusal(payload: Json, *files: str, before: MessageBody | None = None) -> ApiError:
    with pytest.raises(ApiError) as refused:
        draft(payload, *files, before=before)
    return refused.value


def test_a_new_message_lists_its_files_by_index() -> None:
    listed = [{"id": "1", "filename": "second.png"}, {"id": 0, "description": "the first"}]

    body = draft({"attachments": listed}, "a.png", "b.png")

    assert names(body) == ["second.png", "a.png"]
    assert body.attachments[1].description == "the first"


def test_without_a_list_all_files_are_taken() -> None:
    assert names(draft({"content": "hi"}, "a.png", "b.png")) == ["a.png", "b.png"]


def test_an_edit_without_a_list_keeps_all_files_and_appends_the_new_ones() -> None:
    before = draft({}, "a.png", "b.png")

    after = draft({"content": "more"}, "c.png", before=before)

    assert names(after) == ["a.png", "b.png", "c.png"]
    assert after.attachments[:2] == before.attachments


def test_an_edit_with_a_list_keeps_the_files_that_it_names() -> None:
    before = draft({}, "a.png", "b.png")

    after = draft({"attachments": [{"id": str(before.attachments[1].id)}, {"id": 0}]}, "c.png", before=before)

    assert names(after) == ["b.png", "c.png"]


def test_an_empty_list_lets_all_files_go() -> None:
    before = draft({"content": "hi"}, "a.png")

    assert draft({"attachments": []}, before=before).attachments == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"content": "hi", "attachments": [{"id": 7}]},
        {"content": "hi", "attachments": [{"filename": "a.png"}]},
        {"content": "hi", "attachments": []},
        {"content": "hi", "attachments": [{"id": 0}, {"id": 0}]},
        {"content": "hi", "attachments": [{"id": "x"}]},
    ],
)
def test_a_list_that_does_not_fit_the_files_is_refused(payload: Json) -> None:
    assert refusal(payload, "a.png").code == 50035


def test_components_may_show_new_and_kept_files() -> None:
    before = draft({"flags": V2, "components": shown("a.png")}, "a.png")
    kept = {"id": before.attachments[0].id}

    after = draft({"components": shown("a.png", "b.png"), "attachments": [kept, {"id": 0}]}, "b.png", before=before)

    assert [a.filename for a in after.gallery] == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"components": shown("b.png")}, ("components", "0", "items", "0", "media", "url")),
        ({"attachments": []}, ("components", "0", "items", "0", "media", "url")),
    ],
)
def test_a_reference_to_a_file_that_is_not_there_is_refused(payload: Json, path: tuple[str, ...]) -> None:
    before = draft({"flags": V2, "components": shown("a.png")}, "a.png")

    node: Any = refusal(payload, before=before).errors

    for part in path:
        node = node[part]
    assert node["_errors"][0]["code"] == "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"


def test_an_embed_may_show_a_file() -> None:
    embed = {"title": "t", "image": {"url": "attachment://a.png"}}

    body = draft({"embeds": [embed]}, "a.png", "b.png")

    assert [a.filename for a in body.listed_attachments()] == ["b.png"]
    assert refusal({"embeds": [embed]}).code == 50035


@pytest.mark.parametrize("field", [{"content": "hi"}, {"embeds": [{"title": "t"}]}])
def test_the_layout_flag_excludes_content_and_embeds(field: Json) -> None:
    errors = refusal({"flags": V2, "components": [{"type": 10, "content": "x"}], **field}).errors

    assert errors
    (wrong,) = errors.values()
    assert wrong["_errors"][0]["code"] == "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"


def test_an_edit_to_layout_has_to_let_the_content_go() -> None:
    before = draft({"content": "hi"})
    layout = {"flags": V2, "components": [{"type": 10, "content": "x"}]}

    assert refusal(layout, before=before).code == 50035
    assert draft({**layout, "content": None}, before=before).text == "x"


def test_the_layout_flag_stays_once_it_is_set() -> None:
    before = draft({"flags": V2, "components": [{"type": 10, "content": "x"}]})

    after = draft({"flags": 0, "components": [{"type": 10, "content": "y"}]}, before=before)

    assert after.is_layout


def test_a_message_needs_something_in_it() -> None:
    assert refusal({"content": ""}).code == 50006
    assert refusal({"content": None}, before=draft({"content": "hi"})).code == 50006


def test_content_has_2000_characters_at_most() -> None:
    assert draft({"content": "x" * 2000}).content
    assert refusal({"content": "x" * 2001}).code == 50035


def test_a_file_has_10_mebibytes_at_most() -> None:
    assert draft({}, "a.bin", content=b"x" * MAX_FILE_BYTES).attachments
    with pytest.raises(ApiError) as refused:
        draft({}, "a.bin", content=b"x" * (MAX_FILE_BYTES + 1))
    assert (refused.value.status, refused.value.code) == (413, 40005)


def test_ten_files_are_the_most() -> None:
    before = draft({}, *[f"{n}.png" for n in range(10)])

    assert refusal({}, "more.png", before=before).code == 50035


def test_what_the_playground_cannot_show_is_refused_and_not_lost() -> None:
    assert refusal({"content": "hi", "poll": {"question": {"text": "?"}}}).code == 50035


def test_names_that_references_cannot_use_are_made_safe() -> None:
    body = draft({}, "größe 1.PNG", content=picture(size=(30, 20)))

    (attachment,) = body.attachments
    assert (attachment.filename, attachment.title) == ("gr__e_1.PNG", "größe 1.PNG")
    assert (attachment.content_type, attachment.width, attachment.height) == ("image/png", 30, 20)


@given(st.sets(st.integers(0, 1)), st.permutations(range(3)))
def test_an_edit_shows_exactly_the_files_that_it_lists_in_its_order(kept: set[int], order: list[int]) -> None:
    before = draft({"content": "hi"}, "a.png", "b.png")
    listed = [{"id": before.attachments[n].id} for n in kept] + [{"id": n} for n in order]

    after = draft({"attachments": listed}, "x.png", "y.png", "z.png", before=before)

    assert names(after) == ["ab"[n] + ".png" for n in kept] + ["xyz"[n] + ".png" for n in order]
