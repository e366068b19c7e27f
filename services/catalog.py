"""What members may choose from: base models and presets that come with the bot, and an operator's catalogue file."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from services.errors import ConfigError, InvalidWish, UserError
from services.request import (
    FAMILY_TABLES,
    PROMPT,
    PROMPT_CHARACTERS_MAX,
    SCALE,
    SCALE_DEFAULT,
    STEPS,
    ExtraAdapter,
    Family,
    ModelChoice,
    Preset,
    Wish,
    model_id_problem,
    one_of,
)
from services.words import _

SHIPPED_PRESETS = Path(__file__).with_name("presets.toml")

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
LABEL_CHARACTERS_MAX = 100
SUGGESTIONS_MAX = 25
WEIGHT = (2, 100)
PIXELS = (1, max(table.side_px[1] for table in FAMILY_TABLES.values()) ** 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What a picture counts as, in images, where all of this is so; None is so with every picture."""

    weight: int
    model: ModelChoice | None = None
    pixels_over: int | None = None
    steps_over: int | None = None

    def fits(self, wish: Wish) -> bool:
        """Whether its pictures are such."""
        return (
            (self.model is None or (self.model.model_id, self.model.family) == (wish.model_id, wish.family))
            and (self.pixels_over is None or wish.width * wish.height > self.pixels_over)
            and (self.steps_over is None or wish.steps > self.steps_over)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The models, the default one first, the extra adapters, the presets, and what pictures count as."""

    models: tuple[ModelChoice, ...]
    extras: tuple[ExtraAdapter, ...] = ()
    presets: tuple[Preset, ...] = ()
    weights: tuple[Weight, ...] = ()

    def weight_of(self, wish: Wish) -> int:
        """What each of its pictures counts as, in images: the largest weight that fits, otherwise 1."""
        return max((each.weight for each in self.weights if each.fits(wish)), default=1)

    def model(self, said: str | None) -> ModelChoice:
        """The model of that key or label, in any case; the default one where none was named.

        Raises:
            InvalidWish: there is no such model.
        """
        if said is None:
            return self.models[0]
        wanted = said.strip().casefold()
        found = next((model for model in self.models if wanted in (model.key.casefold(), model.label.casefold())), None)
        if found is None:
            raise InvalidWish(field="model", value=said[:50], allowed=one_of(model.label for model in self.models))
        return found

    def model_of(self, wish: Wish) -> ModelChoice:
        """The model that an earlier wish was made with.

        Raises:
            UserError: it is not offered any more.
        """
        found = next((m for m in self.models if (m.model_id, m.family) == (wish.model_id, wish.family)), None)
        if found is None:
            text = _(
                "The model {model} is no longer offered here. Use /imagine with another one.", model=wish.model_label
            )
            raise UserError(text)
        return found

    def extra_of(self, wish: Wish) -> ExtraAdapter | None:
        """The extra adapter of an earlier wish, if it had one.

        Raises:
            UserError: it is not offered any more.
        """
        if wish.extra is None:
            return None
        found = next((e for e in self.extras if (e.name, e.family) == (wish.extra, wish.family)), None)
        if found is None:
            text = _("The adapter `{adapter}` is no longer offered here. Use /advanced without it.", adapter=wish.extra)
            raise UserError(text)
        return found

    def base_model(self, family: Family) -> ModelChoice:
        """The first model of a family; the two base models are always there."""
        return next(model for model in self.models if model.family is family)

    def extra_adapter(self, said: str | None) -> ExtraAdapter | None:
        """The extra adapter of that name or label, in any case; None where none was named.

        Raises:
            InvalidWish: there is no such adapter.
        """
        if said is None:
            return None
        wanted = said.strip().casefold()
        found = next(
            (extra for extra in self.extras if wanted in (extra.name.casefold(), extra.label.casefold())), None
        )
        if found is None:
            labels = one_of(extra.label for extra in self.extras) if self.extras else _("nothing on this bot")
            raise InvalidWish(field="extra", value=said[:50], allowed=labels)
        return found

    def preset(self, said: str | None) -> Preset | None:
        """The preset of that name, in any case; None where none was named.

        Raises:
            InvalidWish: there is no such preset.
        """
        if said is None:
            return None
        wanted = said.strip().casefold()
        found = next((preset for preset in self.presets if preset.name.casefold() == wanted), None)
        if found is None:
            raise InvalidWish(field="preset", value=said[:50], allowed=_("one of those that /styles shows"))
        return found

    def suggested_presets(self, typed: str) -> list[Preset]:
        """The presets whose name or description has the typed text in it, at most as many as Discord shows."""
        wanted = typed.strip().casefold()
        fitting = (preset for preset in self.presets if wanted in f"{preset.name} {preset.told}".casefold())
        return list(fitting)[:SUGGESTIONS_MAX]

    def suggested_models(self, typed: str) -> list[ModelChoice]:
        """The models whose key or label has the typed text in it, at most as many as Discord shows."""
        wanted = typed.strip().casefold()
        return [m for m in self.models if wanted in m.label.casefold() or wanted in m.key.casefold()][:SUGGESTIONS_MAX]

    def suggested_extras(self, typed: str, *, family: Family | None) -> list[ExtraAdapter]:
        """The extra adapters of a family, or of all, whose name or label has the typed text in it, at most as many as
        Discord shows.
        """
        wanted = typed.strip().casefold()
        offered = [extra for extra in self.extras if family is None or extra.family is family]
        return [e for e in offered if wanted in e.label.casefold() or wanted in e.name.casefold()][:SUGGESTIONS_MAX]


def base_models(model_ids: dict[Family, str], *, default: Family) -> tuple[ModelChoice, ...]:
    """The two that are always there, the default one first."""
    families = sorted(Family, key=lambda family: family is not default)
    return tuple(
        ModelChoice(key=family.value, label=family.label, family=family, model_id=model_ids[family])
        for family in families
    )


def read_catalog(path: Path | None, base: tuple[ModelChoice, ...]) -> Catalog:
    """The base models that the file leaves, what it adds, and its presets, or else those that come with the bot.

    Raises:
        ConfigError: a file cannot be read, or something in it is wrong; all of it at once.
    """
    shipped = _Reader(SHIPPED_PRESETS)
    presets = shipped.presets(_parsed(SHIPPED_PRESETS), Catalog(models=base))
    if shipped.problems:
        raise ConfigError(shipped.problems)
    if path is None:
        return Catalog(models=base, presets=presets)
    file, reader = _parsed(path), _Reader(path)
    models = [reader.model(entry, number) for number, entry in reader.entries(file, "models")]
    extras = [reader.adapter(entry, number) for number, entry in reader.entries(file, "adapters")]
    reader.check_known("the file", file, {"base_models", "models", "adapters", "presets", "weights"})
    base = reader.base(file, base)
    kept = [model for model in models if model is not None]
    offered = [extra for extra in extras if extra is not None]
    reader.check_unique("models", [(model.key, model.label) for model in (*base, *kept)])
    reader.check_unique("adapters", [(extra.name, extra.label) for extra in offered])
    catalog = Catalog(models=(*base, *kept), extras=tuple(offered), presets=presets)
    if "presets" in file:
        catalog = replace(catalog, presets=reader.presets(file, catalog))
    catalog = replace(catalog, weights=reader.weights(file, catalog))
    if reader.problems:
        raise ConfigError(reader.problems)
    return catalog


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([f"CATALOG_FILE: {path} cannot be read: {error}"]) from error


class _Reader:
    """Reads the tables of the file and remembers what was wrong with each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[str] = []

    def entries(self, file: dict[str, Any], name: str) -> Iterable[tuple[int, dict[str, Any]]]:
        listed = file.get(name, [])
        if isinstance(listed, list) and all(isinstance(entry, dict) for entry in cast(list[object], listed)):
            return list(enumerate(cast(list[dict[str, Any]], listed), start=1))
        self._complain(f"{name} should be tables that begin with [[{name}]]")
        return []

    def base(self, file: dict[str, Any], base: tuple[ModelChoice, ...]) -> tuple[ModelChoice, ...]:
        """Those of the base models that ``base_models`` names; all where it is missing."""
        named: object = file.get("base_models", [model.key for model in base])
        keys = [model.key for model in base]
        if not isinstance(named, list) or any(name not in keys for name in cast(list[object], named)):
            self._complain(f"base_models should be a list with some of {', '.join(keys)}, not {named!r}")
            return base
        if base[0].key not in named:
            self._complain(f"base_models leaves out {base[0].key}, which is the DEFAULT_MODEL")
        return tuple(model for model in base if model.key in named)

    def model(self, entry: dict[str, Any], number: int) -> ModelChoice | None:
        where = f"model {number}"
        self.check_known(where, entry, {"id", "label", "family"})
        family = self._family(where, entry)
        label, model_id = self._text(where, entry, "label"), self._text(where, entry, "id")
        if family is None or label is None or model_id is None:
            return None
        problem = model_id_problem(model_id, family)
        if problem:
            self._complain(f"{where}: id should be {problem}, not {model_id!r}")
        return ModelChoice(key=model_id, label=label, family=family, model_id=model_id)

    def adapter(self, entry: dict[str, Any], number: int) -> ExtraAdapter | None:
        where = f"adapter {number}"
        self.check_known(where, entry, {"name", "label", "family", "scale"})
        family = self._family(where, entry)
        label, name = self._text(where, entry, "label"), self._text(where, entry, "name")
        scale = self._number(where, entry, "scale", SCALE, default=SCALE_DEFAULT)
        if family is None or label is None or name is None or scale is None:
            return None
        return ExtraAdapter(name=name, label=label, family=family, scale=scale)

    def presets(self, file: dict[str, Any], catalog: Catalog) -> tuple[Preset, ...]:
        """Those of the file; their models and adapters have to be in the catalogue."""
        read = [self._preset(entry, number, catalog) for number, entry in self.entries(file, "presets")]
        kept = tuple(preset for preset in read if preset is not None)
        self.check_unique("presets", [(preset.name, preset.name) for preset in kept])
        return kept

    def _preset(self, entry: dict[str, Any], number: int, catalog: Catalog) -> Preset | None:
        where = f"preset {number}"
        self.check_known(where, entry, set(Preset.__dataclass_fields__))
        name, description = self._text(where, entry, "name"), self._text(where, entry, "description")
        prompt = self._text(where, entry, "prompt", most=PROMPT_CHARACTERS_MAX)
        if prompt is not None and PROMPT not in prompt:
            self._complain(f"{where}: prompt should have {PROMPT} where the member's own words go")
        negative = self._text(where, entry, "negative_prompt", most=PROMPT_CHARACTERS_MAX, default="")
        table = FAMILY_TABLES[Family.SDXL]
        steps = self._number(where, entry, "steps", table.steps, default=None)
        guidance = self._number(where, entry, "guidance", table.guidance, default=None)
        for field, find in (("model", catalog.model), ("extra", catalog.extra_adapter)):
            try:
                find(entry.get(field))
            except (InvalidWish, AttributeError):
                self._complain(f"{where}: {field} {entry[field]!r} is not in this catalogue")
        if name is None or description is None or prompt is None:
            return None
        return Preset(
            name=name,
            description=description,
            prompt=prompt,
            negative_prompt=negative or None,
            model=entry.get("model"),
            steps=None if steps is None else int(steps),
            guidance=guidance,
            extra=entry.get("extra"),
        )

    def weights(self, file: dict[str, Any], catalog: Catalog) -> tuple[Weight, ...]:
        """Those of the file; their models have to be in the catalogue."""
        read = [self._weight(entry, number, catalog) for number, entry in self.entries(file, "weights")]
        return tuple(weight for weight in read if weight is not None)

    def _weight(self, entry: dict[str, Any], number: int, catalog: Catalog) -> Weight | None:
        where = f"weight {number}"
        self.check_known(where, entry, set(Weight.__dataclass_fields__))
        if "weight" not in entry:
            self._complain(f"{where}: weight is missing, what each of these pictures counts as")
        weight = self._number(where, entry, "weight", WEIGHT, default=None)
        pixels = self._number(where, entry, "pixels_over", PIXELS, default=None)
        steps = self._number(where, entry, "steps_over", STEPS, default=None)
        model = None
        if "model" in entry:
            try:
                model = catalog.model(entry["model"])
            except (InvalidWish, AttributeError):
                self._complain(f"{where}: model {entry['model']!r} is not in this catalogue")
        if weight is None:
            return None
        return Weight(
            weight=int(weight),
            model=model,
            pixels_over=None if pixels is None else int(pixels),
            steps_over=None if steps is None else int(steps),
        )

    def check_known(self, where: str, entry: dict[str, Any], known: set[str]) -> None:
        for name in sorted(entry.keys() - known):
            self._complain(f"{where}: {name!r} is not known here; there are {', '.join(sorted(known))}")

    def check_unique(self, what: str, entries: list[tuple[str, str]]) -> None:
        """Members may say either name of an entry, in any case, so no two entries may share one."""
        names = [name for entry in entries for name in {said.casefold() for said in entry}]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._complain(f"{what}: {name!r} is there twice")

    def _family(self, where: str, entry: dict[str, Any]) -> Family | None:
        value: object = entry.get("family")
        if value in tuple(Family):
            return Family(value)
        self._complain(f"{where}: family should be {' or '.join(Family)}, not {value!r}")
        return None

    def _text(
        self,
        where: str,
        entry: dict[str, Any],
        name: str,
        *,
        most: int = LABEL_CHARACTERS_MAX,
        default: str | None = None,
    ) -> str | None:
        value: object = entry.get(name, default)
        if isinstance(value, str) and (value == default or 1 <= len(value.strip()) <= most):
            return value.strip()
        self._complain(f"{where}: {name} should be a text of 1 to {most} characters")
        return None

    def _number(
        self, where: str, entry: dict[str, Any], name: str, allowed: tuple[float, float], *, default: float | None
    ) -> float | None:
        value: Any = entry.get(name, default)
        if value is None:
            return None
        kinds = (int,) if isinstance(allowed[0], int) else (int, float)
        if type(value) in kinds and allowed[0] <= value <= allowed[1]:
            return float(value)
        what = "whole number" if kinds == (int,) else "number"
        self._complain(f"{where}: {name} should be a {what} from {allowed[0]:.10g} to {allowed[1]:.10g}, not {value!r}")
        return None

    def _complain(self, problem: str) -> None:
        self.problems.append(f"CATALOG_FILE: {self._path}: {problem}")
