"""A member takes along and erases what the bot knows of them."""

import io
import json
import zipfile
from pathlib import Path

from playground.model import Message
from playground.state import State
from tests.end_to_end.stage import PHOTO, Stage

SECRET = "a lighthouse that nobody is to know of"


def found_in(folder: Path, secret: bytes) -> list[str]:
    """The bot's own files with that in them; the engine's are another program's."""
    files = (path for path in folder.rglob("*") if path.is_file() and "engine" not in path.parts)
    return [path.name for path in files if secret in path.read_bytes()]


async def ask(scene: Stage, command: str, member: str = "Ben") -> Message:
    message = await scene.playground.answered(scene.playground.command(command, member=member))
    assert scene.playground.seen_by(message) == {member}
    return message


async def until_deleted(scene: Stage, *messages: Message) -> None:
    def are_deleted(state: State) -> bool | None:
        return all(state.messages[message.id].deleted_at for message in messages) or None

    await scene.playground.until(are_deleted)


async def test_a_member_takes_along_what_is_kept_about_them(scene: Stage) -> None:
    async with scene.bot():
        await scene.delivered(scene.imagine(SECRET))
        await scene.delivered(scene.imagine("not Ben's", member="Ada"))
        saving = scene.playground.command("face save", options={"name": "Me"}, attachments={"photo": PHOTO})
        await scene.playground.answered(saving)
        message = await ask(scene, "privacy export")

    (file,) = message.body.listed_attachments()
    with zipfile.ZipFile(io.BytesIO(scene.playground.content(file))) as archive:
        told = json.loads(archive.read("export.json"))
        photo = archive.read(told["faces"][0]["photos"][0])
    assert [each["wish"]["prompt"] for each in told["requests"]] == [SECRET]
    assert told["faces"][0]["name"] == "Me"
    assert photo.startswith(b"\xff\xd8")
    assert "not Ben's" not in json.dumps(told)


async def test_erasing_leaves_nothing_in_any_file_and_deletes_the_messages(scene: Stage) -> None:
    async with scene.bot():
        first = await scene.delivered(scene.imagine(SECRET))
        saving = scene.playground.command("face save", options={"name": "Me"}, attachments={"photo": PHOTO})
        await scene.playground.answered(saving)
        scene.renderer.open.clear()
        second = scene.imagine(SECRET)
        await scene.renderer.begun(2)
        under_way = scene.playground.state.original(second)
        assert under_way is not None
        asked = await ask(scene, "privacy erase")
        assert found_in(scene.folder, SECRET.encode())
        scene.playground.press(asked, "Erase everything")
        await scene.message_with("1 saved face")
        await until_deleted(scene, first, under_way)
        scene.renderer.open.set()
        history = await ask(scene, "history")
        left = await scene.left()
        faces = await ask(scene, "face list")

    assert not found_in(scene.folder, SECRET.encode())
    assert "nothing here yet" in history.text
    assert "no saved faces" in faces.text
    assert left == 19
