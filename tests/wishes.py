"""Small makers of wishes."""

from dataclasses import replace
from typing import Any

from services.parameters import SCALE_DEFAULT, Family, Role
from services.wishes import Asked, ModelChoice, Reference, Wish, adapters_wish, identity_wish

SD = ModelChoice(key="sd", label=Family.SD.label, family=Family.SD, model_id="sd1.5")
SDXL = ModelChoice(key="sdxl", label=Family.SDXL.label, family=Family.SDXL, model_id="sdxl")
MODELS = {Family.SD: SD, Family.SDXL: SDXL}
CHECKPOINT = "0123abcd-0123-4567-89ab-0123456789ab"


def face(scale: float = SCALE_DEFAULT) -> Reference:
    return Reference(role=Role.FACE, scale=scale)


def style(scale: float = SCALE_DEFAULT) -> Reference:
    return Reference(role=Role.STYLE, scale=scale)


def with_adapters(
    prompt: str = "a quiet harbour", *references: Reference, model: ModelChoice = SDXL, **asked: Any
) -> Wish:
    """A wish for the adapters API; ``asked`` are fields of ``Asked``."""
    return adapters_wish(Asked(prompt=prompt, references=references, **asked), model=model, seed=7)


def with_identity(prompt: str = "a quiet harbour", *references: Reference, **asked: Any) -> Wish:
    """A wish for the identity API; ``asked`` are fields of ``Asked``."""
    return identity_wish(Asked(prompt=prompt, references=references, **asked), seed=7)


def crowded(wish: Wish) -> Wish:
    """The same with more photos than any API takes together: for limits that must hold in any case."""
    return replace(wish, references=tuple([face(0.11)] * 3 + [style(0.22)] * 3))
