"""Sealed fields and blind indexes as they lie in a database, on both kinds of it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, LargeBinary, MetaData, String, Table, delete, insert, select

from core.errors import Damaged, NotFound
from core.ids import CaseId, PersonId, new_id
from keys import KeyStore, RecordKey, RecordOwner, blind_index, open_field, seal_field

TABLE = Table(
    "people",
    MetaData(),
    Column("id", String(32), primary_key=True),
    Column("name", LargeBinary),
    Column("name_index", LargeBinary, index=True),
    Column("nickname_index", LargeBinary),
)
NAMES = st.lists(
    st.one_of(
        st.sampled_from(["Ann", "ann ", "ANN", "Anne", "Zoë", "Zoë", "straße", "STRASSE", ""]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture
def people(store: KeyStore) -> Iterator[Table]:
    TABLE.create(store.db.engine)
    yield TABLE
    TABLE.drop(store.db.engine)


def put(store: KeyStore, key: RecordKey, name: str) -> str:
    row = new_id()
    values = {
        "id": row,
        "name": seal_field(key, table="people", column="name", row=row, value=name),
        "name_index": blind_index(key, table="people", column="name", value=name),
        "nickname_index": blind_index(key, table="people", column="nickname", value=name),
    }
    with store.db.begin() as session:
        session.execute(insert(TABLE).values(**values))
    return row


def same(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES)
def test_rows_are_found_exactly_and_look_all_different(store: KeyStore, people: Table, names: list[str]) -> None:
    key = store.record_key(RecordOwner.organisation())
    rows = {put(store, key, name): name for name in names}
    with store.db.begin() as session:
        stored = {row.id: row for row in session.execute(select(people))}
        for row_id, name in rows.items():
            assert open_field(key, table="people", column="name", row=row_id, sealed=stored[row_id].name) == name
            wanted = blind_index(key, table="people", column="name", value=f"  {name}")
            found = set(session.execute(select(people.c.id).where(people.c.name_index == wanted)).scalars())
            assert found == {other for other, text in rows.items() if same(text) == same(name)}
        assert len({row.name for row in stored.values()}) == len(rows), "the same name twice looks different"
        indexes = [{getattr(row, column) for row in stored.values()} for column in ("name_index", "nickname_index")]
        assert indexes[0].isdisjoint(indexes[1]), "a column's index tells nothing of another column"
        assert len(indexes[0]) == len({same(name) for name in names})
        session.execute(delete(people))


@pytest.mark.parametrize("owner", [RecordOwner.person(PersonId(new_id())), RecordOwner.case(CaseId(new_id()))])
def test_after_its_records_key_neither_field_nor_index_is_of_use(
    store: KeyStore, people: Table, owner: RecordOwner
) -> None:
    key = store.record_key(owner)
    row = put(store, key, "Ann")
    other = store.record_key(RecordOwner.person(PersonId(new_id())))
    with store.db.read() as session:
        stored = session.execute(select(people).where(people.c.id == row)).one()
    store.destroy_record_key(owner)
    for ask in (lambda: store.record_key(owner), lambda: store.record_keys([owner])):
        with pytest.raises(NotFound, match="key_gone"):
            ask()
    with pytest.raises(Damaged, match="field_damaged"):
        open_field(other, table="people", column="name", row=row, sealed=stored.name)
    assert blind_index(other, table="people", column="name", value="Ann") != stored.name_index
    assert store.roll_epoch().is_done
    with pytest.raises(NotFound, match="key_gone"):
        store.record_key(owner)
