"""A record of every REST request: one JSON object each, in memory and, when asked for, one a line in a file."""

import hashlib
import json
import re
from collections import deque
from pathlib import Path
from typing import TextIO

from playground.errors import Json

KEPT_ROWS = 10_000

_TOKEN_IN_PATH = re.compile(r"(/(?:interactions|webhooks)/[0-9]+/)([^/?]+)")
_SIGNATURE = re.compile(r"\bhm=[0-9a-f]+")


class Capture:
    """Rows `{at, method, path, query, authorization, json, files, status, response, fault}`, oldest first.

    `at` is in seconds since 1970; `files` lists `[field, filename, bytes]`. The rows in memory are as they came,
    except for the Authorization header; in the file, interaction tokens and signatures of addresses are replaced too.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.rows: deque[Json] = deque(maxlen=KEPT_ROWS)
        self._file: TextIO | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a", encoding="utf-8")

    def add(self, row: Json) -> None:
        """Take down one request with its answer."""
        self.rows.append(row)
        if self._file is not None:
            self._file.write(redacted(row) + "\n")
            self._file.flush()

    def clear(self) -> None:
        """Forget the rows in memory."""
        self.rows.clear()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def stand_in(secret: str) -> str:
    """A short name that is the same for the same secret and does not tell it."""
    return f"token-{hashlib.sha256(secret.encode()).hexdigest()[:12]}" if secret else ""


def redacted(row: Json) -> str:
    """A row as a line of JSON without interaction tokens and without usable addresses of files."""
    safe = {**row, "path": _TOKEN_IN_PATH.sub(lambda found: found[1] + stand_in(found[2]), row["path"])}
    return _SIGNATURE.sub("hm=redacted", json.dumps(safe))
