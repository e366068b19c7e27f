"""What *Details* tells: every parameter of a generation, its numbers, how long it took and what it cost."""

from collections.abc import Iterator, Sequence

from cogs.views.generation import as_typed, cut
from services.generations import Generation, ProviderJob, State
from services.request import Wish
from services.words import counted

# A message has 2,000 characters (https://discord.com/developers/docs/resources/message#create-message), and a prompt of
# markup alone doubles in length. The whole prompt stands above the button.
TEXT_CHARACTERS_SHOWN = 200
ID_CHARACTERS_SHOWN = 64


def details(generation: Generation, wish: Wish, jobs: Sequence[ProviderJob]) -> str:
    """The lines, name and value each."""
    return "\n".join(f"**{name}** {value}" for name, value in _lines(generation, wish, jobs) if value)


def _lines(generation: Generation, wish: Wish, jobs: Sequence[ProviderJob]) -> Iterator[tuple[str, str]]:
    yield "Prompt", _shown(wish.prompt)
    yield "Negative prompt", _shown(wish.negative_prompt or "")
    if wish.model_label:
        yield "Model", f"{_shown(wish.model_label)} (`{wish.model_id}`)"
    yield "Size", f"{wish.width}x{wish.height}"
    yield "Seed", f"`{wish.seed}`"
    yield "Steps", str(wish.steps)
    yield "Guidance", f"{wish.guidance:g}"
    yield "Strength", "" if wish.strength is None else f"{wish.strength:g}"
    yield "Scheduler", wish.scheduler or ""
    yield "Images to follow", ", ".join(f"{each.role} {round(each.scale * 100)} %" for each in wish.references)
    if wish.adapters:
        scales = ", ".join(f"{scale:g}" for scale in wish.adapter_scales)
        yield "Adapters", f"{', '.join(f'`{name}`' for name in wish.adapters)} at {scales}"
    yield "Prompt enriched", "yes" if wish.enhance_prompt else ""
    yield "Safety filter", {True: "on", False: "off", None: ""}[wish.safety_checker]
    yield "Asked", f"<t:{int(generation.created_at.timestamp())}:f> by <@{generation.member_id}>"
    if generation.state is State.SETTLED:
        yield "Took", f"{round((generation.changed_at - generation.created_at).total_seconds())} s"
    yield "Cost", counted(generation.pictures * generation.weight, "image")
    yield "Request", f"`{generation.id}`"
    names = [cut(job.provider_id, ID_CHARACTERS_SHOWN) for job in jobs if job.provider_id]
    yield "Jobs at the image service", ", ".join(f"`{name}`" for name in names)


def _shown(text: str) -> str:
    return as_typed(cut(text, TEXT_CHARACTERS_SHOWN))
