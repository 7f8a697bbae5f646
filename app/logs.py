"""Logs: one JSON object a line. A field that isn't listed here is not written, nor one whose value hasn't its shape.

So a name, a token or a line break can't get into a log by anybody's mistake:

- our own messages must be constant words (a test reads the source for that); a library's message is never written, only
  which logger said it, how grave it is, and where in the code;
- an exception is its type, our error code, and where it was raised; its text, which may quote anything, is not written;
- what would go to standard error by another way (warnings, threads that die, ``__del__``, asyncio) takes this way.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from core.errors import VaultError
from core.requests import current_request

FIELDS: dict[str, str] = {
    "bytes": r"\d{1,18}",
    "code": r"[A-Za-z][A-Za-z0-9_]{0,60}",
    "count": r"\d{1,18}",
    "duty": r"[a-z][a-z-]{0,30}",
    "job_id": r"[0-9a-f]{32}",
    "kind": r"[a-z][a-z_.]{0,60}",
    "method": r"GET|HEAD|OPTIONS|POST|PUT|PATCH|DELETE|other",
    "ms": r"\d{1,12}",
    "part": r"[a-z][a-z_]{0,30}",
    "request_id": r"[0-9a-f]{16}",
    "route": r"static|unknown|/|(/([a-z][a-z-]{0,30}|\{[a-z_:]{1,30}\}))+/?",
    "signal": r"SIG[A-Z]{3,8}",
    "status": r"[1-5]\d\d",
    "worker": r"[A-Za-z][A-Za-z0-9._-]{0,40}",
}
"""What may stand in a log line, and the shape of its value. Ids only, never what a request brought along."""

OURS = ("vault",)
"""Loggers whose messages are constant words."""
_EVENT = re.compile(r"[a-z][a-z',;: -]{0,80}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,80}")
_HERE = Path(__file__).resolve().parent.parent
_MOST_FRAMES = 8
_MOST_ERRORS = 5


class JsonLines(logging.Formatter):
    """Formats a record without its arguments, which may hold anything.

    Args:
        process: what this process is called, as in ``serve`` or ``worker-1``.
    """

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process if re.fullmatch(FIELDS["worker"], process) else "unknown"

    def format(self, record: logging.LogRecord) -> str:
        """One line, in ASCII."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": logging.getLevelName(min(max(record.levelno // 10 * 10, 0), 50)).lower(),
            "logger": _name(record.name),
            "process": self._process,
            "pid": record.process,
        }
        text = record.msg if isinstance(record.msg, str) else ""
        if record.name.split(".")[0] in OURS and _EVENT.fullmatch(text):
            line["event"] = text
        else:
            line["said_at"] = f"{_name(record.module)}:{record.lineno}"
        line |= dict(_fields(record))
        if record.exc_info and record.exc_info[1] is not None:
            line["errors"] = [_error(error) for error in _chain(record.exc_info[1])]
        return json.dumps(line)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes lines; where that fails, not even Python's own complaint about it may quote the record."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say that a line was lost, and nothing of it."""
        del record
        try:
            self.stream.write('{"level": "error", "logger": "vault.logs", "event": "a line was lost"}\n')
        except (OSError, ValueError):
            return


def configure_logs(process: str) -> None:
    """Send logs to standard error in this form, from every library too.

    Args:
        process: what this process is called.
    """
    handler = _Lines(sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("vault").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    adopt_loggers()
    log = logging.getLogger("vault.process")
    sys.excepthook = _hook(log, "the process failed")
    sys.unraisablehook = lambda seen: _report(log, "an ending failed", seen.exc_value)
    threading.excepthook = lambda seen: _report(log, "a thread failed", seen.exc_value)


def adopt_loggers() -> None:
    """Take away the handlers that libraries gave themselves, so that what they say comes through ours."""
    for logger in list(logging.root.manager.loggerDict.values()):
        if isinstance(logger, logging.Logger):
            logger.handlers.clear()
            logger.propagate = True


def _hook(
    log: logging.Logger, event: str
) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    return lambda _kind, error, _trace: _report(log, event, error)


def _report(log: logging.Logger, event: str, error: BaseException | None) -> None:
    if not isinstance(error, KeyboardInterrupt | SystemExit):
        log.error(event, exc_info=error)


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    """The listed fields whose values have their shape, and the names of the others that were given."""
    given = vars(record)
    withheld = []
    for name, shape in FIELDS.items():
        value = given.get(name, current_request() if name == "request_id" else None)
        if value is None:
            continue
        if isinstance(value, str | int) and not isinstance(value, bool) and re.fullmatch(shape, str(value)):
            yield name, value if isinstance(value, int) else str(value)
        else:
            withheld.append(name)
    if withheld:
        yield "withheld", withheld


def _chain(error: BaseException) -> list[BaseException]:
    """An exception, what it was raised from, and the parts of a group."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < _MOST_ERRORS:
        one = waiting.pop(0)
        if any(one is seen for seen in found):
            continue
        found.append(one)
        waiting += one.exceptions if isinstance(one, BaseExceptionGroup) else ()
        before = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
        waiting += [before] if before is not None else []
    return found


def _error(error: BaseException) -> dict[str, object]:
    frames = [(_place(frame.f_code.co_filename), number) for frame, number in traceback.walk_tb(error.__traceback__)]
    ours = [f"{place}:{number}" for place, number in frames if place is not None]
    said: dict[str, object] = {"type": _name(type(error).__name__), "where": ours[-_MOST_FRAMES:]}
    if isinstance(error, VaultError) and re.fullmatch(FIELDS["code"], error.code):
        said["code"] = error.code
    if frames and frames[-1][0] is None:
        said["below"] = _name(Path(_last_file(error)).stem)
    return said


def _place(file: str) -> str | None:
    """A file of ours, from the root of the packages on; nothing for a library's, or for what was made at run time."""
    try:
        inside = Path(file).relative_to(_HERE)
    except ValueError:
        return None
    is_ours = "site-packages" not in inside.parts and ".venv" not in inside.parts
    return str(inside) if is_ours and re.fullmatch(r"[a-z0-9_/]+\.py", str(inside)) else None


def _last_file(error: BaseException) -> str:
    *_, (frame, _number) = traceback.walk_tb(error.__traceback__)
    return os.fspath(frame.f_code.co_filename)


def _name(text: str) -> str:
    return text if _NAME.fullmatch(text) else "unknown"
