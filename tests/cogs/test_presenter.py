"""The presenter on a real connection: what stands in the message, and what it says of where the photos are."""

import dataclasses
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cogs.adapters import Adapters
from cogs.presenter import DiscordPresenter
from db.generations import Generation, Hosted, NewGeneration, State
from playground.model import Message
from services.catalog import Catalog
from services.presenter import Cancelled, Failure, Progress, Result, Shown
from services.quotas import Balance, Quota
from services.request import Wish
from services.runner import Runner
from tests.cogs.stage import NO_FACES, NO_SERVERS, CogStage, cog_stage, reception
from tests.photographs import astronaut, encoded
from tests.wishes import SDXL, crowded

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PHOTO = encoded(astronaut().resize((64, 64)))
BALANCE = Balance(quota=Quota(images=20, window=timedelta(hours=24)), spendings=[])
# Distinct bytes, so that each can be told from the others.
PHOTOS = tuple(PHOTO + bytes([number]) for number in range(6))


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CogStage]:
    catalog = Catalog(models=(SDXL,))

    def adapters(runner: Runner) -> Adapters:
        return Adapters(reception(runner), NO_FACES, catalog, safety_checker=True, server_id=None)

    async with cog_stage(monkeypatch, adapters) as opened:
        yield opened


@dataclasses.dataclass
class Showing:
    """One generation whose message is brought from scene to scene, as the services do it."""

    stage: CogStage
    wish: Wish
    generation: Generation

    @classmethod
    async def of(cls, stage: CogStage, *photos: str, is_crowded: bool = False) -> "Showing":
        wish, _ = await stage.taken("advanced", *photos)
        return cls(stage, crowded(wish) if is_crowded else wish, generation_of(stage.noting.taken[-1]))

    async def show(self, what: Progress | Result | Failure | Cancelled) -> Shown:
        shown = await DiscordPresenter(self.stage.bot, NO_SERVERS).show(self.generation, self.wish, what)
        hosted = shown.photos if isinstance(what, Progress) and what.new_photos else self.generation.hosted
        self.generation = dataclasses.replace(self.generation, message_id=shown.message_id, hosted=hosted)
        return shown

    @property
    def message(self) -> Message:
        return self.stage.playground.state.messages[self.generation.message_id or 0]

    def photos(self) -> list[tuple[str, bytes]]:
        """The files that the message's thumbnails show."""
        return [(each.filename, self.stage.playground.content(each)) for each in self.message.body.thumbnails]

    def uploads(self) -> list[str]:
        """The names of all files that were ever uploaded."""
        rows = [row for row in self.stage.playground.capture.rows if row["method"] in ("PATCH", "POST")]
        return [filename for row in rows for _, filename, _ in row["files"]]


def generation_of(new: NewGeneration) -> Generation:
    fields: dict[str, Any] = dataclasses.asdict(new) | {"hosted": (), "message_id": None, "state": State.RECEIVED}
    del fields["unfinished_max"]
    fields |= {
        "id": 1,
        "photos": new.photos,
        "pictures": 0,
        "version": 1,
        "shown": 0,
        "failure_code": None,
        "failure_text": None,
    }
    return Generation(**fields, created_at=NOW, changed_at=NOW)


def pictures(folder: Path, count: int) -> tuple[Path, ...]:
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        path.write_bytes(encoded(astronaut().resize((32, 32)), "PNG"))
    return tuple(paths)


def result(*paths: Path) -> Result:
    return Result(pictures=paths, refunded=0, missing=None, balance=BALANCE, shrunk=False)


async def test_uploaded_photos_are_told_with_their_addresses_in_order(scene: CogStage) -> None:
    showing = await Showing.of(scene, "style", "face")

    shown = await showing.show(Progress(place=1, new_photos=PHOTOS[:2]))

    assert shown.message_id == showing.message.id
    assert showing.photos() == [("face-1.jpg", PHOTOS[0]), ("style-2.jpg", PHOTOS[1])]
    assert [hosted.attachment_id for hosted in shown.photos] == [each.id for each in showing.message.body.thumbnails]
    assert [hosted.url.partition("?")[0].rpartition("/")[2] for hosted in shown.photos] == ["face-1.jpg", "style-2.jpg"]
    assert all(hosted.url.startswith(scene.playground.url) for hosted in shown.photos)


async def test_photos_are_uploaded_once_and_kept_to_the_result(scene: CogStage, tmp_path: Path) -> None:
    showing = await Showing.of(scene, is_crowded=True)
    names = ["face-1.jpg", "face-2.jpg", "face-3.jpg", "style-4.jpg", "style-5.jpg", "style-6.jpg"]

    first = await showing.show(Progress(place=1, new_photos=PHOTOS))
    again = await showing.show(Progress(place=None))
    await showing.show(result(*pictures(tmp_path, 4)))

    assert [hosted.attachment_id for hosted in again.photos] == [hosted.attachment_id for hosted in first.photos]
    assert showing.photos() == list(zip(names, PHOTOS, strict=True))
    assert [each.filename for each in showing.message.body.gallery] == [f"facelock-1-{n}.png" for n in range(1, 5)]
    assert sorted(showing.uploads()) == sorted([*names, *(f"facelock-1-{n}.png" for n in range(1, 5))])


async def test_showing_a_scene_again_leaves_the_same_files(scene: CogStage, tmp_path: Path) -> None:
    showing = await Showing.of(scene, "face")
    for _ in range(2):
        await showing.show(Progress(place=1, new_photos=PHOTOS[:1]))
    for _ in range(2):
        await showing.show(result(*pictures(tmp_path, 2)))

    assert len(showing.message.body.attachments) == 3
    assert len(showing.photos()) == 1


async def test_photos_whose_id_was_never_told_are_shown_by_their_address(scene: CogStage) -> None:
    showing = await Showing.of(scene, "face", "style")
    shown = await showing.show(Progress(place=1, new_photos=PHOTOS[:2]))
    without = (shown.photos[0], Hosted(url=shown.photos[1].url, attachment_id=None))
    showing.generation = dataclasses.replace(showing.generation, hosted=without)

    await showing.show(Progress(place=None))

    texts = json.dumps(list(showing.message.body.components))
    assert "attachment://face-1.jpg" in texts
    assert json.dumps(shown.photos[1].url) in texts


async def test_photos_that_no_thumbnail_shows_are_found_among_the_attachments(scene: CogStage) -> None:
    showing = await Showing.of(scene, "face", "style")
    shown = await showing.show(Progress(place=1, new_photos=PHOTOS[:2]))
    showing.generation = dataclasses.replace(showing.generation, hosted=())

    again = await showing.show(Progress(place=None))

    assert showing.photos() == []
    assert [each.attachment_id for each in again.photos] == [each.attachment_id for each in shown.photos]


async def test_where_one_photo_is_not_served_none_is_told_of(scene: CogStage) -> None:
    showing = await Showing.of(scene, "face", "style")
    both = showing.wish
    showing.wish = dataclasses.replace(both, references=both.references[:1])
    assert len((await showing.show(Progress(place=1, new_photos=PHOTOS[:1]))).photos) == 1

    showing.wish = both

    assert (await showing.show(Progress(place=None))).photos == ()


async def test_a_failure_takes_the_photos_away(scene: CogStage) -> None:
    showing = await Showing.of(scene, "face", "style")
    await showing.show(Progress(place=1, new_photos=PHOTOS[:2]))

    shown = await showing.show(Failure(sentence="It broke.", refunded=1, private=False))

    assert shown.photos == ()
    assert showing.message.body.attachments == ()


async def test_a_private_failure_takes_the_message_away_and_tells_the_asker(scene: CogStage) -> None:
    showing = await Showing.of(scene, "face")

    shown = await showing.show(Failure(sentence="No face there.", refunded=1, private=True))

    assert shown == Shown(message_id=None)
    said = await scene.playground.until(
        lambda state: next((each for each in state.messages.values() if "No face there." in each.text), None)
    )
    assert scene.playground.seen_by(said) == {"Ben"}


async def pings_after(scene: CogStage, wait_s: float, *scenes: Progress | Result | Failure | Cancelled) -> list[str]:
    """What pings anybody when these are shown of a request whose end came after so many seconds."""
    showing = await Showing.of(scene, "face")
    ended_at = NOW + timedelta(seconds=wait_s)
    showing.generation = dataclasses.replace(showing.generation, changed_at=ended_at)
    for each in (Progress(place=1, new_photos=PHOTOS[:1]), *scenes):
        await showing.show(each)
    pinging = [each for each in scene.playground.state.messages.values() if each.pinged_users]
    for message in pinging:
        assert message.pinged_users == {showing.generation.member_id}
        assert message.reference is not None
        assert message.reference.message_id == showing.message.id
    return [message.text.partition("> ")[2] for message in pinging]


async def test_who_waited_long_is_pinged_once_whatever_is_tried_again(scene: CogStage, tmp_path: Path) -> None:
    shown = result(*pictures(tmp_path, 2))

    assert await pings_after(scene, 61, shown, shown) == ["your pictures are ready."]


async def test_who_waited_long_for_nothing_is_told_too(scene: CogStage) -> None:
    failed = Failure(sentence="It broke.", refunded=1, private=False)

    assert await pings_after(scene, 61, failed) == ["your request could not be carried out."]


@pytest.mark.parametrize(("wait_s", "what"), [(59, "result"), (600, "progress"), (600, "cancelled")])
async def test_nobody_is_pinged_for_what_they_see_anyway(
    scene: CogStage, tmp_path: Path, wait_s: float, what: str
) -> None:
    shown = {
        "result": result(*pictures(tmp_path, 1)),
        "progress": Progress(place=None),
        "cancelled": Cancelled(refunded=1),
    }

    assert await pings_after(scene, wait_s, shown[what]) == []


async def test_without_photos_there_are_none_to_tell_of(scene: CogStage, tmp_path: Path) -> None:
    showing = await Showing.of(scene)

    assert (await showing.show(Progress(place=1))).photos == ()
    assert (await showing.show(result(*pictures(tmp_path, 1)))).photos == ()
    assert len(showing.message.body.gallery) == 1
