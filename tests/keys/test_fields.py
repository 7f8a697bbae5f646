from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import Damaged, Invalid
from core.ids import CaseId, ObjectId, UploadId
from core.secret import Secret
from keys import RecordKey, RecordOwner, blind_index, object_binding, open_field, part_binding, seal_field
from keys.fields import PADDED_TO
from keys.wrap import WrapKind, fresh_key, unwrap, wrap

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "keys.json").read_text())
PLACE = {"table": "t", "column": "c", "row": "r"}


def record(key: str = VECTORS["key"]) -> RecordKey:
    return RecordKey(RecordOwner.organisation(), Secret(bytes.fromhex(key)))


def with_edit(data: bytes, edit: dict[str, Any]) -> bytes:
    if "flip" in edit:
        at, bits = edit["flip"]
        return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]
    return data[: edit.get("cut_to", len(data))]


@settings(max_examples=60, deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(value: str) -> None:
    assert open_field(record(), **PLACE, sealed=seal_field(record(), **PLACE, value=value)) == value


@settings(max_examples=40, deadline=None)
@given(lengths=st.tuples(st.integers(0, PADDED_TO - 1), st.integers(0, PADDED_TO - 1)))
def test_short_texts_can_not_be_told_apart_by_length(lengths: tuple[int, int]) -> None:
    one, other = (seal_field(record(), **PLACE, value="x" * length) for length in lengths)
    assert len(one) == len(other)


def test_the_same_text_sealed_twice_looks_different() -> None:
    assert seal_field(record(), **PLACE, value="x") != seal_field(record(), **PLACE, value="x")


def test_half_a_surrogate_pair_is_refused_in_words() -> None:
    with pytest.raises(Invalid, match="not_text"):
        seal_field(record(), **PLACE, value="\ud800")
    with pytest.raises(Invalid, match="not_text"):
        blind_index(record(), table="t", column="c", value="\ud800")


@pytest.mark.parametrize("vector", VECTORS["fields"], ids=lambda vector: vector["name"])
def test_a_field_vector_opens(vector: dict[str, str]) -> None:
    place = {name: vector[name] for name in PLACE}
    assert open_field(record(), **place, sealed=bytes.fromhex(vector["sealed"])) == vector["value"]


@pytest.mark.parametrize("bad", VECTORS["bad_fields"], ids=lambda bad: bad["name"])
def test_a_field_is_refused_from(bad: dict[str, Any]) -> None:
    vector = next(each for each in VECTORS["fields"] if each["name"] == bad["of"])
    place = {name: bad["edit"].get(name, vector[name]) for name in PLACE}
    sealed = with_edit(bytes.fromhex(vector["sealed"]), bad["edit"])
    with pytest.raises(Damaged, match="field_damaged"):
        open_field(record(bad["edit"].get("key", VECTORS["key"])), **place, sealed=sealed)


@pytest.mark.parametrize("vector", VECTORS["blind_indexes"], ids=lambda vector: vector["value"])
def test_a_blind_index_vector_is_met(vector: dict[str, str]) -> None:
    index = blind_index(record(), table=vector["table"], column=vector["column"], value=vector["value"])
    assert index.hex() == vector["index"]


def test_a_blind_index_tells_columns_tables_and_records_apart() -> None:
    same = {
        blind_index(record(), table="t", column="c", value="Words"),
        blind_index(record(), table="t", column="c", value=" wOrds\t"),
    }
    assert len(same) == 1
    other = RecordKey(RecordOwner.organisation(), fresh_key())
    assert same.isdisjoint(
        {
            blind_index(record(), table="t", column="d", value="Words"),
            blind_index(record(), table="u", column="c", value="Words"),
            blind_index(other, table="t", column="c", value="Words"),
        }
    )


@pytest.mark.parametrize("vector", VECTORS["wraps"], ids=lambda vector: vector["kind"])
def test_a_wrap_vector_opens_and_no_edit_of_it_does(vector: dict[str, str]) -> None:
    parent = Secret(bytes.fromhex(VECTORS["key"]))
    bound = {name: vector[name] for name in ("parent_id", "own_id", "owner")}
    wrapped, kind = bytes.fromhex(vector["wrapped"]), WrapKind(vector["kind"])
    assert unwrap(parent, wrapped=wrapped, kind=kind, **bound).reveal().hex() == vector["key"]
    for bad in VECTORS["bad_wraps"]:
        others = [k for k in WrapKind if k is not kind] if "kind" in bad["edit"] else [kind]
        for each in others:
            edits = {name: bad["edit"].get(name, bound[name]) for name in bound}
            with pytest.raises(Damaged, match="key_damaged"):
                unwrap(parent, wrapped=with_edit(wrapped, bad["edit"]), kind=each, **edits)


def test_the_binding_vectors_are_met() -> None:
    whole, part = VECTORS["bindings"]
    made = object_binding(
        case_id=CaseId(whole["case_id"]), object_id=ObjectId(whole["object_id"]), generation=whole["generation"]
    )
    assert made.decode() == whole["associated_data"]
    made = part_binding(upload_id=UploadId(part["upload_id"]), offset=part["offset"], length=part["length"])
    assert made.decode() == part["associated_data"]


def test_a_key_wrapped_twice_looks_different() -> None:
    parent, key = fresh_key(), fresh_key()
    made = {wrap(parent, key=key, kind=WrapKind.OBJECT, parent_id="p", own_id="o", owner="c") for _ in range(2)}
    assert len(made) == 2
