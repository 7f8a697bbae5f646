"""Logs: one JSON object a line, with allow-listed fields only. What isn't listed is not written, whoever passes it."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

ALLOWED = ("code", "request_id", "kind", "job_id", "duty", "origin", "worker", "count")


class JsonLines(logging.Formatter):
    """Formats a record without its arguments, which may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        # Only our own loggers' messages are known to be constant texts; a library's may quote what it was given.
        if record.name.startswith("vault."):
            line["message"] = str(record.msg)
        line |= {name: getattr(record, name) for name in ALLOWED if hasattr(record, name)}
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])[-6:]
            line["where"] = [f"{frame.name}:{frame.lineno}" for frame in frames]
        return json.dumps(line)


def configure_logs() -> None:
    """Send logs to standard error in this form, from every library too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("vault").setLevel(logging.INFO)
