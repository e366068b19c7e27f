"""The rules of this repository that a machine can check."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What each room must not import: see "The rooms" in docs/development.md.
FORBIDDEN = {
    "cogs": {"aiohttp", "aiosqlite", "db", "engine", "playground", "sqlite3"},
    "services": {"aiosqlite", "bot", "cogs", "discord", "engine", "playground", "sqlite3"},
    "db": {"aiohttp", "bot", "cogs", "discord", "engine", "playground", "services"},
    "engine": {"bot", "cogs", "db", "discord", "playground", "services"},
    "playground": {"bot", "cogs", "db", "discord", "engine", "services"},
}


def sources(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def run_time_imports(path: Path) -> Iterator[str]:
    """The top-level packages that a file imports when it runs; blocks under TYPE_CHECKING do not."""
    nodes: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (name.name.partition(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]
        nodes.extend(ast.iter_child_nodes(node))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_every_room_imports_only_what_it_may(folder: str) -> None:
    files = sources(folder)
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in run_time_imports(path)
        if name in FORBIDDEN[folder]
    ]

    assert files
    assert wrong == []


def test_only_the_settings_are_read_from_the_environment() -> None:
    readers = [
        path for folder in ("cogs", "services", "db") for path in sources(folder) if "os.environ" in path.read_text()
    ]

    assert readers == []


def test_background_tasks_are_started_in_one_place_only() -> None:
    starters = {
        path.relative_to(ROOT).as_posix()
        for folder in ("cogs", "services", "db")
        for path in sources(folder)
        if "create_task(" in path.read_text()
    }

    assert starters == {"services/tasks.py"}


def test_sql_is_written_in_db_only() -> None:
    words = ("SELECT ", "INSERT INTO", "UPDATE generations", "DELETE FROM")
    writers = [
        path
        for folder in ("cogs", "services")
        for path in sources(folder)
        if any(word in path.read_text() for word in words)
    ]

    assert writers == []
