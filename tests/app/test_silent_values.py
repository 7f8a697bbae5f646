"""Nobody's words show where values are printed: in a repr, a log line, a traceback, an error's sentence.

Every dataclass of every room is walked with words in each field that can hold them. In the rooms where people's own
words live such a field is silent or stands below as harmless, so a new one must be decided on; elsewhere those are
silent that go by a name that people's words go by. Every mapped class and every kind of error likewise.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import logging
import pkgutil
import traceback
import types
import typing
from collections.abc import Collection, Hashable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Enum as SqlEnum
from sqlalchemy import LargeBinary, String, insert
from sqlalchemy.orm import DeclarativeBase

import app
from app.logs import JsonLines
from app.tables import METADATA
from core import errors
from core.db import Base, Database
from core.secret import Secret
from keys.models import KeysBase

CANARY = "Wilhelmina Canary-Featherstone"
BORN = date(2019, 5, 17)
ROOMS = ("identity", "consent", "vault", "redaction", "retention", "app")
STRICT = ("identity.", "consent.")
PEOPLES = frozenset(
    {"name", "names", "title", "contact", "email", "phone", "words", "text", "value", "values", "filename", "born_on"}
)
"""Names that somebody's words go by; none is put into an error's sentence, but where it is a field's or setting's."""
SILENT = PEOPLES | {"about", "address", "answers", "approval_reason", "browser", "children", "enrolment", "filmed_on"}
SILENT |= {"guider", "members", "note", "question", "reason", "reference", "release_reason", "says", "scan_reference"}
SILENT |= {"subject", "to", "who"}
A_FIELDS_NAME = {"app/settings.py", "app/tus.py", "audit/leaf.py", "keys/roots/__init__.py"}
NOT_PEOPLES = ("app.demo.", "app.doctor.", "app.cli.", "app.migrations.")
"""Made-up people, and words about a machine. (The log holds ids and commitments only: ``tests/audit``.)"""

OUR_OWN = frozenset({"code", "sentence", "advice", "media_type", "stage", "kind", "sha256", "content_hash"})
"""What our own program says, and hashes."""
HARMLESS = {
    "identity.facts.CompetenceAssessment": "review_on purpose",
    "identity.facts.CapacityDecision": "purpose",
    "identity.tries.Limit": "name",
    "consent.facts.ConsentEvent": "rendition_hash",
    "consent.facts.Override": "rendition_hash",
    "consent.notices.Notice": "language body",
    "consent.receipts.Controller": "name contact email phone street_address locality postcode "
    "policy_url how_to_withdraw jurisdiction lawful_basis retention storage",
    "consent.recording.Answer": "assurance language",
    "consent.terms.Scope": "rendition_hash",
    "vault.findings.Finding": "subject",
    "vault.lifting.StoppedWork": "subject",
    "vault.objects.Stored": "name",
    "retention.holds.HoldView": "subject",
    "retention.overview.DueLine": "words reason",
    "retention.schedule.Profile": "name title",
    "retention.terms.Rule": "name words",
    "retention.terms.Keep": "reason",
    "retention.terms.Held": "reason",
    "retention.terms.Review": "reason",
    "retention.terms.Destroy": "reason",
    "app.listing.Choice": "name",
    "app.pages.visitor.Link": "text",
    "app.readiness.Part": "name",
    "app.unsealing.Told": "name",
    "app.worker.Duty": "name",
}
"""Fields that hold no person's words: hashes, states, rules, the authority's own words, addresses of machines."""


def dataclasses_of_the_rooms() -> Iterator[type]:
    for room in ROOMS:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            if found.name.startswith(NOT_PEOPLES) or found.name.endswith("__main__"):
                continue
            for value in vars(importlib.import_module(found.name)).values():
                if isinstance(value, type) and value.__module__ == found.name and dataclasses.is_dataclass(value):
                    yield value


PLAIN: dict[Any, Any] = {str: CANARY, Any: CANARY, object: CANARY, bytes: CANARY.encode(), date: BORN}


def words(kind: Any) -> Any:
    """A value of this type that holds the canary; nothing where it can't hold words (ids, enums, numbers, secrets)."""
    if isinstance(kind, Hashable) and kind in PLAIN:
        return PLAIN[kind]
    origin = typing.get_origin(kind)
    inside = (words(each) for each in typing.get_args(kind) if each is not type(None) and each is not Ellipsis)
    found = next((each for each in inside if each is not None), None)
    if found is None or origin in {typing.Union, types.UnionType}:
        return found
    if not isinstance(origin, type) or not issubclass(origin, Collection):  # a function, a secret, a class
        return None
    return {str(found): found} if issubclass(origin, Mapping) else (found,)


def loud(kind: type) -> Iterator[str]:
    """The fields of a dataclass whose words its repr shows."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        value = words(hints[field.name])
        if value is None:
            continue
        one = object.__new__(kind)
        for other in dataclasses.fields(kind):
            object.__setattr__(one, other.name, value if other.name == field.name else None)
        if any(each in f"{one!r}{one}" for each in (CANARY, repr(BORN), BORN.isoformat())):
            yield f"{kind.__module__}.{kind.__qualname__}.{field.name}"


def test_no_value_shows_words_that_may_be_somebodys() -> None:
    every = {name for kind in dataclasses_of_the_rooms() for name in loud(kind)}
    by_name = {name: name.rpartition(".")[2] for name in every}
    shown = {n for n, field in by_name.items() if field in SILENT or (n.startswith(STRICT) and field not in OUR_OWN)}
    known = {f"{kind}.{field}" for kind, fields in HARMLESS.items() for field in fields.split()}
    assert sorted(shown - known) == [], "make it field(repr=False), or say above why it is harmless"
    assert sorted(known - shown) == [], "no longer shown"


def mapped() -> list[type[DeclarativeBase]]:
    return [mapper.class_ for base in (Base, KeysBase) for mapper in base.registry.mappers]


def test_no_row_shows_what_is_in_it() -> None:
    kinds = mapped()
    assert len(kinds) > 40
    for kind in kinds:
        row = kind()
        for column in kind.__mapper__.columns:
            python_type = column.type.python_type if not isinstance(column.type, LargeBinary) else bytes
            value = {str: CANARY, bytes: CANARY.encode(), date: BORN}.get(python_type)
            if value is not None:
                row.__dict__[column.key] = value  # not set: some of them check what they are given
        assert silent(f"{row!r} {row} {[row]}"), kind


def test_no_error_of_a_database_quotes_what_was_to_be_stored(db: Database) -> None:
    """Every table, with words in each column that takes them, twice, so that some constraint always speaks."""
    for table in METADATA.sorted_tables:
        values = {
            c.name: CANARY for c in table.columns if isinstance(c.type, String) and not isinstance(c.type, SqlEnum)
        }
        values |= {c.name: CANARY.encode() for c in table.columns if isinstance(c.type, LargeBinary)}
        if not values:
            continue
        with pytest.raises(Exception) as caught, db.begin() as session:  # noqa: PT011 - each kind of database has its own
            session.execute(insert(table).values(**values))
            session.execute(insert(table).values(**values))
        error = caught.value
        said = logged(error)
        assert silent(said), table.name
        if db.engine.dialect.name == "sqlite":
            assert silent(f"{error!r} {error} {traceback.format_exception(error)}"), table.name


def kinds_of_error() -> list[type[errors.VaultError]]:
    found, waiting = [], [errors.VaultError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return found


@pytest.mark.parametrize("kind", kinds_of_error(), ids=lambda kind: kind.__name__)
def test_no_error_brings_its_callers_values_into_the_log(kind: type[errors.VaultError]) -> None:
    more = {"retry_after": timedelta(1)} if "retry_after" in inspect.signature(kind).parameters else {}

    def fails(name: str) -> None:
        born, secret = BORN, Secret(name)
        assert born.year < secret.reveal().find("C") + 3000
        raise kind("some_code", "A sentence for people.", **more) from ValueError(name)

    with pytest.raises(kind) as caught:
        fails(CANARY)
    assert silent(logged(caught.value))
    assert silent(f"{caught.value!r} {caught.value}")


def test_no_sentence_of_an_error_is_put_together_from_what_somebody_gave() -> None:
    kinds, root = {kind.__name__ for kind in kinds_of_error()}, Path(app.__file__).parents[1]
    for path in (path for room in ("core", "audit", "keys", "media", *ROOMS) for path in (root / room).rglob("*.py")):
        for call in (
            node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)
        ):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in kinds and len(call.args) > 1 and str(path.relative_to(root)) not in A_FIELDS_NAME:
                parts = [node.value for node in ast.walk(call.args[1]) if isinstance(node, ast.FormattedValue)]
                said = {getattr(n, "attr", getattr(n, "id", "")) for part in parts for n in ast.walk(part)}
                assert not said & PEOPLES, f"{path}:{call.lineno}"


def silent(text: str) -> bool:
    return all(each not in text for each in (CANARY, "Canary", repr(BORN), BORN.isoformat()))


def logged(error: BaseException) -> str:
    record = logging.makeLogRecord({"name": "vault.test", "levelno": logging.ERROR, "msg": CANARY})
    record.exc_info = (type(error), error, error.__traceback__)
    return JsonLines("serve").format(record)
