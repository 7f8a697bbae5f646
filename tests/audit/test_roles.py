from __future__ import annotations

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

import audit
from core.db import Database
from core.errors import Invalid
from core.ids import CertificateId, new_id
from tests.audit.desk import SIGNER, VERIFIER


def test_on_postgresql_the_application_only_adds_and_only_the_disposal_role_removes(db: Database) -> None:
    if db.is_sqlite:
        return
    application, disposal = f"app_{new_id()}", f"disposal_{new_id()}"
    with db.begin() as session:
        for statement in (
            f"CREATE ROLE {application}",
            f"CREATE ROLE {disposal}",
            *audit.grants(application=application, disposal=disposal),
        ):
            session.execute(text(statement))
    wears = [application]

    def change_role(connection: object, _record: object, _proxy: object) -> None:
        connection.cursor().execute(f"SET ROLE {wears[0]}").connection.commit()  # type: ignore[attr-defined]

    event.listen(db.engine, "checkout", change_role)
    with db.begin() as session:
        made = [audit.record(session, audit.Event.SIGNED_IN, actor=None) for _ in range(3)]
    assert audit.seal(db, signer=SIGNER) == 3

    def run(statement: str) -> None:
        with db.begin() as session:
            session.execute(text(statement))

    for statement in (
        "UPDATE audit_entry SET actor = NULL",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_leaf",
        "INSERT INTO audit_disposal SELECT entry_id, entry_id, now() FROM audit_leaf",
        "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
        "DROP TABLE audit_checkpoint",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
            run(statement)

    wears[0] = disposal
    with db.begin() as session:
        audit.dispose(session, made[:1], certificate_id=CertificateId(new_id()), clock=db.clock)
    with pytest.raises(DBAPIError, match="only with a certificate"):
        run("DELETE FROM audit_entry")
    with pytest.raises(DBAPIError, match="permission denied"):
        run("DELETE FROM audit_leaf")

    wears[0] = application
    verdict = audit.verify(db, verifier=VERIFIER)
    assert verdict.finding is None
    assert verdict.disposed == 1
    event.remove(db.engine, "checkout", change_role)
    db.engine.dispose()
    with db.begin() as session:
        for role in (application, disposal):
            session.execute(text(f"DROP OWNED BY {role}"))
            session.execute(text(f"DROP ROLE {role}"))


@pytest.mark.parametrize("name", ["", "Robert", "a; DROP TABLE x", "a" * 64])
def test_a_role_s_name_is_plain(name: str) -> None:
    with pytest.raises(Invalid, match="role_name_invalid"):
        audit.grants(application=name, disposal="disposal")
