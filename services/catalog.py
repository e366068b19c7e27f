"""What members may choose from: the two base models, and what an operator's catalogue file adds to them."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from services.errors import ConfigError, InvalidWish, UserError
from services.request import SCALE, SCALE_DEFAULT, ExtraAdapter, Family, ModelChoice, Wish, model_id_problem

# https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure
LABEL_CHARACTERS_MAX = 100
SUGGESTIONS_MAX = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The models, the default one first, and the extra adapters."""

    models: tuple[ModelChoice, ...]
    extras: tuple[ExtraAdapter, ...] = ()

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
            raise InvalidWish(field="model", value=said[:50], allowed=_one_of(model.label for model in self.models))
        return found

    def model_of(self, wish: Wish) -> ModelChoice:
        """The model that an earlier wish was made with.

        Raises:
            UserError: it is not offered any more.
        """
        found = next((m for m in self.models if (m.model_id, m.family) == (wish.model_id, wish.family)), None)
        if found is None:
            raise UserError(f"The model {wish.model_label} is no longer offered here. Use /imagine with another one.")
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
            raise UserError(f"The adapter `{wish.extra}` is no longer offered here. Use /advanced without it.")
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
            labels = _one_of(extra.label for extra in self.extras) if self.extras else "nothing on this bot"
            raise InvalidWish(field="extra", value=said[:50], allowed=labels)
        return found

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
    """The base models and what the file adds.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; all of it at once.
    """
    if path is None:
        return Catalog(models=base)
    try:
        file = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError([f"CATALOG_FILE: {path} cannot be read: {error}"]) from error
    reader = _Reader(path)
    models = [reader.model(entry, number) for number, entry in reader.entries(file, "models")]
    extras = [reader.adapter(entry, number) for number, entry in reader.entries(file, "adapters")]
    reader.check_known("the file", file, {"models", "adapters"})
    kept = [model for model in models if model is not None]
    offered = [extra for extra in extras if extra is not None]
    reader.check_unique("models", [(model.key, model.label) for model in (*base, *kept)])
    reader.check_unique("adapters", [(extra.name, extra.label) for extra in offered])
    if reader.problems:
        raise ConfigError(reader.problems)
    return Catalog(models=(*base, *kept), extras=tuple(offered))


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
        scale: object = entry.get("scale", SCALE_DEFAULT)
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not SCALE[0] <= scale <= SCALE[1]:
            self._complain(f"{where}: scale should be a number from {SCALE[0]:g} to {SCALE[1]:g}, not {scale!r}")
            return None
        if family is None or label is None or name is None:
            return None
        return ExtraAdapter(name=name, label=label, family=family, scale=float(scale))

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

    def _text(self, where: str, entry: dict[str, Any], name: str) -> str | None:
        value: object = entry.get(name)
        if isinstance(value, str) and 1 <= len(value.strip()) <= LABEL_CHARACTERS_MAX:
            return value.strip()
        self._complain(f"{where}: {name} should be a text of 1 to {LABEL_CHARACTERS_MAX} characters")
        return None

    def _complain(self, problem: str) -> None:
        self.problems.append(f"CATALOG_FILE: {self._path}: {problem}")


def _one_of(labels: Iterable[str]) -> str:
    return f"one of {', '.join(labels)}"
