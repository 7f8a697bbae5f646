"""Nothing gets into a log but listed fields of the right shape, however it is thrown at it."""

from __future__ import annotations

import ast
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.logs import FIELDS, JsonLines
from core.errors import Unavailable
from core.requests import answering
from tests.docs.repository import ROOT

CANARIES = (
    "Amara Okafor",
    "amara@example.org",
    "first\nsecond",
    "first\r\n{}",
    "\x1b[31mred",
    "\u202ebidi",
    "nul\0",
    "192.0.2.77",
    "/families/" + "0" * 32,
    "a" * 5000,
    "<b>",
    'quote"}',
    "Ærøskøbing",
)


@pytest.fixture
def seen() -> Iterator[io.StringIO]:
    """What a logger of ours and one of a library write."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines("serve"))
    loggers = [logging.getLogger(name) for name in ("vault.test", "library.test")]
    for logger in loggers:
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.DEBUG)
    yield stream
    for logger in loggers:
        logger.handlers, logger.propagate = [], True


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def assert_silent(stream: io.StringIO, count: int) -> None:
    """That many lines, in plain ASCII, and nothing of a canary in them."""
    text = stream.getvalue()
    assert len(lines(stream)) == count
    assert text.isascii()
    assert text.replace("\n", "").isprintable()
    for canary in CANARIES:
        assert canary not in text
        assert json.dumps(canary)[1:-1] not in text
    assert "mara" not in text
    assert "second" not in text


@pytest.mark.parametrize("field", [*FIELDS, "user", "query", "path", "client_addr", "color_message", "message_"])
def test_a_value_of_another_shape_is_withheld_in_every_field(seen: io.StringIO, field: str) -> None:
    for canary in CANARIES:
        logging.getLogger("vault.test").info("request", extra={field: canary})
        logging.getLogger("vault.test").info("request", extra={field: {"inside": [canary]}})
        logging.getLogger("vault.test").info("request", extra={field: canary.encode()})
    assert_silent(seen, 3 * len(CANARIES))
    assert all(line.get("withheld", [field]) == [field] for line in lines(seen))


@pytest.mark.parametrize("name", ["vault.test", "library.test"])
def test_a_message_with_something_in_it_is_not_written_nor_are_its_arguments(seen: io.StringIO, name: str) -> None:
    for canary in CANARIES:
        logging.getLogger(name).warning(f"signed in: {canary}")  # noqa: G004 - the mistake that this is about
        logging.getLogger(name).warning(canary)
        logging.getLogger(name).warning("%s came", canary)
    assert_silent(seen, 3 * len(CANARIES))
    assert {str(line["said_at"]).partition(":")[0] for line in lines(seen)} == {"test_logs"}


def test_a_logger_or_level_named_after_somebody_is_not_written(seen: io.StringIO) -> None:
    logging.addLevelName(35, CANARIES[0])
    logging.getLogger("library.test").getChild(CANARIES[0]).log(35, "x")
    assert_silent(seen, 1)
    logging.addLevelName(35, "Level 35")
    assert (lines(seen)[0]["logger"], lines(seen)[0]["level"]) == ("unknown", "warning")


def raised(error: BaseException) -> logging.LogRecord:
    """What ``logger.exception`` makes of an error that was raised while another one was handled."""
    try:
        try:
            raise KeyError(CANARIES[0])  # noqa: TRY301 - the point is to be raised and caught
        except KeyError:
            raise error  # noqa: B904 - likewise
    except BaseException as caught:  # noqa: BLE001 - likewise
        return logging.makeLogRecord(
            {
                "name": "vault.test",
                "levelno": logging.ERROR,
                "levelname": "ERROR",
                "msg": "failed",
                "exc_info": (type(caught), caught, caught.__traceback__),
            }
        )


def test_an_exception_is_its_type_its_code_and_where_it_was_raised(seen: io.StringIO) -> None:
    for canary in CANARIES:
        seen.write(
            JsonLines("serve").format(raised(ExceptionGroup(canary, [ValueError(canary), Unavailable("busy", canary)])))
            + "\n"
        )
        seen.write(JsonLines("serve").format(raised(type(canary.partition("\0")[0], (Exception,), {})(canary))) + "\n")
        seen.write(JsonLines("serve").format(raised(Unavailable(canary, canary))) + "\n")
    assert_silent(seen, 3 * len(CANARIES))
    errors = lines(seen)[0]["errors"]
    assert isinstance(errors, list)
    assert [(error["type"], error.get("code")) for error in errors] == [
        ("ExceptionGroup", None),
        ("ValueError", None),
        ("Unavailable", "busy"),
        ("KeyError", None),
    ]
    assert errors[0]["where"][0].startswith("tests/app/test_logs.py:")


def test_an_exception_that_can_not_even_be_printed_is_written(seen: io.StringIO) -> None:
    class Sly(Exception):
        def __str__(self) -> str:
            raise AssertionError

        __repr__ = __str__

    seen.write(JsonLines("serve").format(raised(Sly())) + "\n")
    assert_silent(seen, 1)


def test_lines_of_one_request_have_its_number(seen: io.StringIO) -> None:
    with answering("0123456789abcdef"):
        logging.getLogger("vault.test").info("request")
        logging.getLogger("library.test").info("anything")
    logging.getLogger("vault.test").info("request")
    assert [line.get("request_id") for line in lines(seen)] == ["0123456789abcdef"] * 2 + [None]


def test_the_time_is_utc_and_the_level_a_word(seen: io.StringIO) -> None:
    logging.getLogger("vault.test").warning("request")
    (line,) = lines(seen)
    at = datetime.fromisoformat(str(line["at"]))
    assert (at.utcoffset(), line["level"], line["process"]) == (timedelta(0), "warning", "serve")
    assert datetime.now(UTC) - at < timedelta(minutes=5)


WAYS_OUT = """
import asyncio, gc, logging, sys, threading, warnings
from app.logs import adopt_loggers, configure_logs

canary = "Amara Okafor"
own = logging.getLogger("library.own")
own.addHandler(logging.StreamHandler()); own.propagate = False
configure_logs("serve")
own.error("too few %s %s", canary)
logging.getLogger("late").addHandler(logging.StreamHandler()); adopt_loggers()
logging.getLogger("late").error(canary)
logging.getLogger("uvicorn.error").error("Exception in ASGI application " + canary)
warnings.warn(canary)

class Falling:
    def __del__(self): raise ValueError(canary)

Falling(); gc.collect()

def thread(): raise KeyError(canary)
one = threading.Thread(target=thread, name=canary); one.start(); one.join()

async def forgotten():
    async def raising(): raise ValueError(canary)
    task = asyncio.create_task(raising(), name=canary)
    await asyncio.sleep(0)
    del task
    gc.collect()

asyncio.run(forgotten())
sys.stderr.close = lambda: None
logging.getLogger("vault.x").handlers = []
class Broken:
    def __getattr__(self, name): raise ValueError(canary)
logging.getLogger("vault.x").error("fine", extra={"count": Broken()})
raise RuntimeError(canary)
"""


def test_no_other_way_to_standard_error_is_left() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WAYS_OUT], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    said = [json.loads(line) for line in done.stderr.splitlines()]
    assert "mara" not in done.stderr + done.stdout
    assert done.returncode == 1
    assert [line["logger"] for line in said] == [
        "library.own",
        "late",
        "uvicorn.error",
        "py.warnings",
        "vault.process",
        "vault.process",
        "asyncio",
        "vault.x",
        "vault.process",
    ]
    assert [line["event"] for line in said if "event" in line] == [
        "an ending failed",
        "a thread failed",
        "fine",
        "the process failed",
    ]


PACKAGES = ("core", "audit", "keys", "identity", "media", "consent", "vault", "redaction", "retention", "app")


def test_our_own_messages_are_constant_words_and_their_fields_are_listed() -> None:
    calls = 0
    for path in sorted(one for package in PACKAGES for one in (ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and _is_log_call(node.func):
                calls += 1
                assert_constant(node, path)
    assert calls >= 8


def _is_log_call(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == "_LOG"
        and function.attr != "isEnabledFor"
    )


def assert_constant(call: ast.Call, path: Path) -> None:
    where = f"{path.relative_to(ROOT)}:{call.lineno}"
    assert len(call.args) == 1, where
    assert isinstance(call.args[0], ast.Constant), where
    for keyword in call.keywords:
        names = [key.value for key in ast.walk(keyword.value) if isinstance(key, ast.Constant)]
        if keyword.arg == "extra" and isinstance(keyword.value, ast.Dict):
            keys = [key.value for key in keyword.value.keys if isinstance(key, ast.Constant)]
            assert set(keys) <= set(FIELDS), (where, names)
