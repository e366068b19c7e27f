"""Ben asks for pictures of Cleo, and Cleo answers."""

from typing import Any

from playground.model import Interaction, Message
from playground.state import State
from tests.end_to_end.stage import PHOTO, Photo, Stage
from tests.photographs import admiral, encoded

ADMIRAL = ("admiral.jpg", encoded(admiral()))
UNWANTED = "wants no pictures made of them"
NOT_WANTED = "does not want these pictures"
WHOSE = "Whose face is this?"
WAITING = "Waiting for <@"
QUESTION = "would like to make pictures with a photo of you"


def of_cleo(scene: Stage, prompt: str = "a quiet harbour", *, member: str = "Ben", **options: Any) -> Interaction:
    """Somebody asks for pictures with a photo of Cleo, and says that it is hers."""
    return scene.imagine(prompt, member=member, whose="member", person="Cleo", **options)


async def question(scene: Stage) -> Message:
    """The open question to Cleo."""
    return await scene.message_with(QUESTION)


async def reply(scene: Stage, button: str, *, member: str = "Cleo") -> None:
    """Cleo answers the open question."""
    message = await question(scene)
    await scene.playground.acknowledged(scene.playground.press(message, button, member=member))


async def agreed(scene: Stage, button: str, prompt: str = "a quiet harbour", **options: Any) -> Message:
    """Ben's pictures of Cleo, to which she has agreed."""
    interaction = of_cleo(scene, prompt, **options)
    await reply(scene, button)
    return await scene.delivered(interaction)


async def waits(scene: Stage, interaction: Interaction) -> Message:
    return await scene.message_with(WAITING, interaction=interaction)


async def refused(scene: Stage, interaction: Interaction, text: str = UNWANTED) -> None:
    """Wait until the asker reads that there will be nothing."""
    await scene.message_with(text, interaction=interaction)


async def consent(scene: Stage, command: str, *, member: str = "Cleo", **options: object) -> Message:
    """Run a subcommand of /consent."""
    interaction = scene.playground.command(f"consent {command}", member=member, options=options)
    message = await scene.playground.answered(interaction)
    assert scene.playground.seen_by(message) == {member}
    return message


def prompts(scene: Stage) -> list[str]:
    return [job.parameters.prompt for job in scene.renderer.jobs]


def open_questions(scene: Stage) -> int:
    return sum(QUESTION in message.text for message in scene.playground.state.messages.values())


def ended(state: State, interaction: Interaction) -> Message | None:
    found = (message for message in state.messages.values() if message.interaction_id == interaction.id)
    return next((each for each in found if not each.is_thinking and each.deleted_at is None and each.text), None)


async def save(scene: Stage, name: str, *, member: str = "Ben", photo: Photo = PHOTO, **options: object) -> Message:
    interaction = scene.playground.command(
        "face save", member=member, options={"name": name, **options}, attachments={"photo": photo}
    )
    return await scene.playground.until(lambda state: ended(state, interaction))


async def by_name(scene: Stage, prompt: str, name: str) -> Interaction:
    return scene.imagine(prompt, photo=None, face_name=name)
