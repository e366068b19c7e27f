import dataclasses

import pytest

from cogs.views.details import details
from db.generations import State
from db.provider_jobs import JobState, ProviderJob
from services.request import PROMPT_CHARACTERS_MAX, Asked, ExtraAdapter, Family, Wish, adapters_wish
from services.words import speaking
from tests.cogs.test_views import GENERATION, WORST_MODEL
from tests.languages import LANGUAGES
from tests.wishes import crowded, face, style, with_adapters, with_identity

JOB = ProviderJob(
    id="ours",
    generation_id=1,
    n=0,
    images=1,
    kind="any",
    tries=0,
    provider_id="theirs",
    state=JobState.DONE,
    pictures=1,
    failure_text=None,
    started_at=None,
    submitted_at=None,
)
OVER = dataclasses.replace(GENERATION, state=State.SETTLED)


@pytest.mark.parametrize(
    ("wish", "line"),
    [
        (with_adapters(size="wide"), "**Size** 1024x576"),
        (with_adapters(seed=5), "**Seed** `5`"),
        (with_adapters(steps=12), "**Steps** 12"),
        (with_adapters(guidance=8.5), "**Guidance** 8.5"),
        (with_adapters(strength=0.25), "**Strength** 0.25"),
        (with_adapters(scheduler="DDIMScheduler"), "**Scheduler** DDIMScheduler"),
        (with_adapters(negative_prompt="*fog*"), "**Negative prompt** \\*fog\\*"),
        (with_adapters("x", face(0.4), style()), "**Images to follow** face 40 %, style 60 %"),
        (with_adapters("x", face(0.4)), "**Adapters** `ip-adapter-plus-face_sdxl_vit-h` at 0.4"),
        (with_adapters("x", face()), "**Safety filter** on"),
        (with_identity("x", enhance_prompt=True), "**Prompt enriched** yes"),
    ],
)
def test_every_parameter_is_told(wish: Wish, line: str) -> None:
    assert line in details(OVER, wish, [JOB]).split("\n")


def test_what_was_left_out_is_not_told() -> None:
    names = [line.partition("**")[2].partition("**")[0] for line in details(OVER, with_identity(), []).split("\n")]

    assert names == ["Prompt", "Size", "Seed", "Steps", "Guidance", "Asked", "Took", "Cost", "Request"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("mark", ["*", "x"])
def test_the_longest_answer_fits_into_a_message(mark: str, language: str) -> None:
    extra = ExtraAdapter(name="e" * 100, label="e", family=Family.SDXL, scale=0.5)
    asked = Asked(
        prompt=mark * PROMPT_CHARACTERS_MAX,
        negative_prompt=mark * PROMPT_CHARACTERS_MAX,
        references=(face(), style()),
        scheduler="DPMSolverMultistepSchedulerSDE",
        strength=0.123456,
    )
    wish = crowded(adapters_wish(asked, model=WORST_MODEL, seed=2**31 - 1, extra=extra))
    jobs = [dataclasses.replace(JOB, provider_id="p" * 100)] * 4

    with speaking(language):
        assert len(details(dataclasses.replace(OVER, id=10**12, member_id=2**63 - 1), wish, jobs)) <= 2000
