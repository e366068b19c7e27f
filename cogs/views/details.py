"""What *Details* tells: every parameter of a generation, its numbers, how long it took and what it cost."""

from collections.abc import Iterator, Sequence

from cogs.views.generation import as_typed, cut
from services.generations import Generation, ProviderJob, State
from services.request import Wish
from services.words import _, ngettext, on

# A message has 2,000 characters (https://discord.com/developers/docs/resources/message#create-message), and a prompt of
# markup alone doubles in length. The whole prompt stands above the button.
TEXT_CHARACTERS_SHOWN = 200
ID_CHARACTERS_SHOWN = 64


def details(generation: Generation, wish: Wish, jobs: Sequence[ProviderJob]) -> str:
    """The lines, name and value each."""
    return "\n".join(f"**{name}** {value}" for name, value in _lines(generation, wish, jobs) if value)


def _lines(generation: Generation, wish: Wish, jobs: Sequence[ProviderJob]) -> Iterator[tuple[str, str]]:
    yield _("Prompt"), _shown(wish.prompt)
    yield _("Negative prompt"), _shown(wish.negative_prompt or "")
    if wish.model_label:
        yield _("Model"), f"{_shown(wish.model_label)} (`{wish.model_id}`)"
    yield _("Size"), f"{wish.width}x{wish.height}"
    yield _("Seed"), f"`{wish.seed}`"
    yield _("Steps"), str(wish.steps)
    yield _("Guidance"), f"{wish.guidance:g}"
    yield _("Strength"), "" if wish.strength is None else f"{wish.strength:g}"
    yield _("Scheduler"), wish.scheduler or ""
    followed = (f"{each.role.label} {round(each.scale * 100)} %" for each in wish.references)
    yield _("Images to follow"), ", ".join(followed)
    if wish.adapters:
        scales = ", ".join(f"{scale:g}" for scale in wish.adapter_scales)
        names = ", ".join(f"`{name}`" for name in wish.adapters)
        yield _("Adapters"), _("{adapters} at {scales}", adapters=names, scales=scales)
    yield _("Prompt enriched"), _("yes") if wish.enhance_prompt else ""
    yield _("Safety filter"), {True: _("on"), False: _("off"), None: ""}[wish.safety_checker]
    member = f"<@{generation.member_id}>"
    yield _("Asked"), _("{moment} by {member}", moment=on(generation.created_at), member=member)
    if generation.state is State.SETTLED:
        seconds = round((generation.changed_at - generation.created_at).total_seconds())
        yield _("Took"), _("{seconds} s", seconds=seconds)
    yield _("Cost"), ngettext("{number} image", "{number} images", generation.pictures * generation.weight)
    yield _("Request"), f"`{generation.id}`"
    names = [cut(job.provider_id, ID_CHARACTERS_SHOWN) for job in jobs if job.provider_id]
    yield _("Jobs at the image service"), ", ".join(f"`{name}`" for name in names)


def _shown(text: str) -> str:
    return as_typed(cut(text, TEXT_CHARACTERS_SHOWN))
