"""A permit comes from the rule, or not at all."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

import consent
from consent.rules import Permit
from core.ids import CaseId, ObjectId
from tests.consent.cast import CASE
from tests.consent.scene import agreed

ROOMS = ("core", "audit", "keys", "identity", "media", "consent", "vault", "redaction", "retention", "app")


def _permit() -> Permit:
    permit = agreed().decide()
    assert isinstance(permit, Permit)
    return permit


def _name(node: ast.AST) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))


def test_constructing_a_permit_elsewhere_fails() -> None:
    permit = _permit()
    fields = {name: getattr(permit, name) for name in Permit.__slots__}
    with pytest.raises(TypeError):
        Permit(**fields)
    with pytest.raises(TypeError):
        Permit(token=object(), **fields)


def test_changing_a_permit_fails() -> None:
    permit = _permit()
    with pytest.raises((TypeError, ValueError)):
        replace(permit, objects=frozenset({ObjectId("another")}))
    with pytest.raises(AttributeError):
        permit.version = 7  # type: ignore[misc]


def test_no_other_module_constructs_one_or_knows_the_token() -> None:
    root = Path(consent.__file__).parents[1]
    makers = set()
    for path in (one for room in ROOMS for one in (root / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and _name(node.func) == "Permit"
            if called or _name(node) == "_ONLY_THE_RULE":
                makers.add(path.relative_to(root).as_posix())
    assert makers == {"consent/rules.py"}


def test_a_permit_opens_its_own_objects_in_its_own_case_only() -> None:
    permit = _permit()
    assert permit.allows(case_id=CASE, object_id=ObjectId("object"))
    assert not permit.allows(case_id=CASE, object_id=ObjectId("another"))
    assert not permit.allows(case_id=CaseId("d" * 32), object_id=ObjectId("object"))
