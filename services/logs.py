"""The log on standard error: a line an event, for people or for programs."""

import json
import logging
from datetime import UTC, datetime

_TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# At DEBUG these log tokens and prompts.
_LIBRARIES = ("discord", "aiosqlite", "aiohttp", "asyncio", "PIL")


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC, ISO 8601), level, logger, message and, after an error, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """See logging."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging(level: str, line_format: str) -> None:
    """``line_format`` is text or json."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if line_format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=level, handlers=[handler])
    if level == "DEBUG":
        for library in _LIBRARIES:
            logging.getLogger(library).setLevel(logging.INFO)
