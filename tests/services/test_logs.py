import json
import logging
import sys

from services.logs import JsonFormatter


def record(message: str, *args: object, with_error: bool = False) -> logging.LogRecord:
    error = None
    if with_error:
        try:
            raise ValueError("a\nb")
        except ValueError:
            error = sys.exc_info()
    made = logging.LogRecord("services.runner", logging.ERROR, "runner.py", 7, message, args, error)
    made.created = 1_795_262_400.25
    return made


def test_a_line_has_the_moment_in_utc_and_what_was_said() -> None:
    line = JsonFormatter().format(record("generation %d: \N{SNOWMAN} %s", 7, "two\nlines"))

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-21T12:00:00.250+00:00",
        "level": "ERROR",
        "logger": "services.runner",
        "message": "generation 7: \N{SNOWMAN} two\nlines",
    }


def test_an_error_is_in_the_same_line() -> None:
    line = JsonFormatter().format(record("a bug", with_error=True))

    assert "\n" not in line
    assert json.loads(line)["exception"].endswith("ValueError: a\nb")
