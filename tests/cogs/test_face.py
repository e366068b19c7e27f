"""``/face`` on a real connection and a real database; the photos come from the playground's own files."""

import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from PIL import Image

from cogs.face import Face
from db.connection import Database
from playground.model import Message
from services.consents import Consents, Rule
from services.faces import FACES_MAX, Faces
from services.photos import PHOTO_BYTES_MAX, Photos
from tests.cogs.stage import NO_SERVERS, CogStage, cog_stage
from tests.conftest import Clock
from tests.moderators import moderation_on
from tests.photographs import admiral, astronaut, coffee, encoded
from tests.saved_faces import KEY, MakeFaces, attached, faces_on

ME = ("me.png", encoded(astronaut(), "PNG"))
ADMIRAL = ("admiral.jpg", encoded(admiral()))
COFFEE = ("coffee.jpg", encoded(coffee()))
SAVED = attached(astronaut())


@dataclass
class FaceStage:
    stage: CogStage
    faces: Faces
    make: MakeFaces

    async def told(
        self,
        command: str,
        *,
        photos: Mapping[str, tuple[str, bytes]] | None = None,
        member: str = "Ben",
        **options: object,
    ) -> Message:
        """Run a subcommand; the answer, which the member alone sees."""
        playground = self.stage.playground
        interaction = playground.command(f"face {command}", member=member, options=options, attachments=photos or {})
        await playground.until(lambda _: interaction.followup_ids or interaction.original_id)
        message = await playground.until(
            lambda state: next(
                (
                    found
                    for found in state.messages.values()
                    if found.interaction_id == interaction.id and not found.is_thinking and found.deleted_at is None
                ),
                None,
            )
        )
        assert playground.seen_by(message) == {member}
        return message

    def id_of(self, member: str) -> int:
        return self.stage.playground.state.member(member).id

    async def have(self, *names: str, member: str = "Ben") -> None:
        for name in names:
            await self.faces.save(self.id_of(member), name, [SAVED])


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch, database: Database, clock: Clock) -> AsyncIterator[FaceStage]:
    async with Photos(detect=True) as photos, faces_on(database, clock, allow_private=True) as make:
        faces = make(KEY, photos=photos)
        consents = Consents(database, rule=Rule.OFF, servers=NO_SERVERS, now=clock)
        moderation = await moderation_on(database, NO_SERVERS, clock)
        async with cog_stage(monkeypatch, lambda _runner: Face(faces, consents, moderation)) as opened:
            yield FaceStage(opened, faces, make)


async def test_what_was_saved_is_listed_with_its_crop(scene: FaceStage, clock: Clock) -> None:
    saved = await scene.told("save", name="Me", photos={"photo": ME, "photo2": ADMIRAL, "photo3": ME})
    listed = await scene.told("list")

    assert saved.text.splitlines()[0] == "Saved **Me** from 3 photos. Use it in `/imagine`, as `face_name`."
    assert "when you have not used it for 90 days" in saved.text
    now = int(clock.now.timestamp())
    assert listed.text.splitlines() == [
        "**Me**",
        f"3 photos · saved <t:{now}:R>",
        f"-# Deleted <t:{now + 90 * 86400}:R>, unless you use it.",
    ]
    (thumbnail,) = listed.body.thumbnails
    content = scene.stage.playground.content(thumbnail)
    assert content == (await scene.faces.of(scene.id_of("Ben")))[0].photos[0]
    assert Image.open(io.BytesIO(content)).size == (512, 512)


async def test_a_refused_photo_keeps_nothing_and_says_which(scene: FaceStage) -> None:
    told = await scene.told("save", name="Me", photos={"photo": ME, "photo2": COFFEE})

    assert told.text.startswith("Photo 2 of 2: The bot found no face in the photo.")
    assert (await scene.told("list")).text == "You have no saved faces. `/face save` keeps one."


async def test_a_photo_that_is_too_large_is_not_even_fetched(scene: FaceStage) -> None:
    told = await scene.told("save", name="Me", photos={"photo": ("big.jpg", bytes(PHOTO_BYTES_MAX + 1))})

    assert told.text == "The photo is larger than 10 MiB. Attach a smaller copy."


async def test_as_many_faces_as_one_may_have_fit_into_one_message(scene: FaceStage) -> None:
    await scene.have(*(f"face {number}" for number in range(FACES_MAX)))

    listed = await scene.told("list")

    assert len(listed.body.thumbnails) == FACES_MAX
    assert "You already have 10 saved faces." in (await scene.told("save", name="x", photos={"photo": ME})).text


async def test_renaming_default_and_deleting(scene: FaceStage) -> None:
    await scene.have("Ada", "Ben_*x*")

    assert (await scene.told("rename", name="ada", new_name="Zoe")).text == "It is called **Zoe** now."
    assert (await scene.told("default", name="zoe")).text == "**Zoe** is suggested first now."
    assert (await scene.told("list")).text.splitlines()[0] == "**Zoe**, suggested first"
    assert (await scene.told("delete", name="ben_*X*")).text == r"Deleted **Ben\_\*x\*** and its photos."
    assert len((await scene.told("list")).body.thumbnails) == 1


@pytest.mark.parametrize("command", ["rename", "default", "delete"])
async def test_nobody_sees_or_changes_anothers_faces(scene: FaceStage, command: str) -> None:
    await scene.have("Me", member="Ada")
    options: dict[str, Any] = {"new_name": "Mine"} if command == "rename" else {}

    told = await scene.told(command, name="Me", **options)

    assert told.text == "You have no saved face called `Me`. `/face list` shows those that you have."
    assert (await scene.told("list")).text == "You have no saved faces. `/face save` keeps one."
    assert await scene.stage.suggested("name", command=f"face {command}") == []
    assert (await scene.told("list", member="Ada")).text.startswith("**Me**")


@pytest.mark.parametrize("command", ["rename", "default", "delete"])
async def test_ones_own_names_are_suggested(scene: FaceStage, command: str) -> None:
    await scene.have("Cleo", "Ada")

    assert await scene.stage.suggested("name", command=f"face {command}") == ["Ada", "Cleo"]
    assert await scene.stage.suggested("name", "CL", command=f"face {command}") == ["Cleo"]


async def test_what_cannot_be_opened_any_more_is_listed_with_advice_beside_the_rest(scene: FaceStage) -> None:
    await scene.make(b"lost" * 8).save(scene.id_of("Ben"), "Ada", [SAVED])
    await scene.have("Ben")

    listed = await scene.told("list")

    assert listed.text.splitlines()[:3] == [
        "**Ada**",
        "It cannot be opened any more. Save it again with `/face save`.",
        "**Ben**",
    ]
    assert len(listed.body.thumbnails) == 1
    assert (await scene.told("save", name="ada", photos={"photo": ME})).text.startswith("Saved **ada** from 1 photo.")
    assert len((await scene.told("list")).body.thumbnails) == 2


async def test_a_busy_database_is_waited_for_behind_a_private_deferral(
    scene: FaceStage, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cogs.answers.WORK_S", 0.01)
    await scene.have("Me")
    playground = scene.stage.playground
    async with database.transaction():
        interaction = playground.command("face delete", options={"name": "Me"})
        await playground.acknowledged(interaction)

    message = await playground.until(
        lambda state: next((m for m in state.messages.values() if m.text.startswith("Deleted")), None)
    )
    assert playground.seen_by(message) == {"Ben"}
