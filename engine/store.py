"""Result files under unguessable names, in a folder of their own, until they expire."""

import logging
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from engine.errors import NotFoundError, StartError
from engine.images import media_type

log = logging.getLogger(__name__)

# 256 bits, in lower-case hexadecimal: still unguessable on file systems that ignore case.
_NAME_BYTES = 32
_NAME = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A result as it is served."""

    data: bytes
    content_type: str


class FileStore:
    """Keeps results as files while its ``with`` lasts, and in a folder of one's own beyond that.

    A file's name is its secret and its time stamp its age, so that a restart forgets nothing. The methods touch the
    disk: call them off the event loop.

    Args:
        data: Results go to ``files`` below this folder; None takes a temporary folder, deleted at the end.
        ttl: How long a result is kept.
    """

    def __init__(self, data: Path | None, *, ttl: timedelta, now: Callable[[], datetime]) -> None:
        self._data = data
        self._ttl = ttl
        self._now = now
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        if self._data is None:
            temporary = tempfile.TemporaryDirectory(prefix="facelock-engine-", ignore_cleanup_errors=True)
            self._folder = Path(self._stack.enter_context(temporary))
        else:
            self._folder = _usable_folder(self._data)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, data: bytes) -> str:
        """Write a result and return its name, 64 hexadecimal digits that nobody can guess."""
        name = secrets.token_hex(_NAME_BYTES)
        written_at = self._now().timestamp()
        path = self._folder / name
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(data)
        os.utime(path, (written_at, written_at))
        return name

    def read(self, name: str) -> StoredFile:
        """Return a result that has not expired.

        Raises:
            NotFoundError: There is none by that name, or no longer.
        """
        path = self._folder / name
        try:
            if _NAME.fullmatch(name) and not self._is_expired(path):
                data = path.read_bytes()
                return StoredFile(data, media_type(data))
        except FileNotFoundError:
            pass
        raise NotFoundError("There is no such file, or it has expired. Make the picture again.")

    def sweep(self) -> int:
        """Delete what has expired and return how many files went. Files of other names are not ours and stay."""
        ours = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.name)]
        return sum(self._delete_expired(path) for path in ours)

    def _is_expired(self, path: Path) -> bool:
        return path.stat().st_mtime + self._ttl.total_seconds() <= self._now().timestamp()

    def _delete_expired(self, path: Path) -> bool:
        try:
            if not self._is_expired(path):
                return False
            path.unlink()
        except OSError as error:  # Windows refuses while the file is being read; the next sweep gets it
            log.warning("an expired file could not be deleted: %s", error.strerror)
            return False
        return True


def _usable_folder(data: Path) -> Path:
    folder = data / "files"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise StartError(f"The folder {data} cannot be used for results: {error.strerror}.") from error
