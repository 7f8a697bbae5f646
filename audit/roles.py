"""What each PostgreSQL role may do with the log: the application's own can only add to it.

The tables belong to the role that migrates. The application adds entries and seals them. The disposal role, which
nothing that faces the web uses, writes disposals and removes the bodies they name. Neither can truncate a table or
switch a guard off, since neither owns one. On SQLite there are no roles: there the guards and the witness must do.
"""

from __future__ import annotations

import re

from core.errors import Invalid

_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}", re.ASCII)
_APPLICATION = {
    "audit_writer": "SELECT, INSERT, UPDATE",
    "audit_entry": "SELECT, INSERT",
    "audit_pending": "SELECT, INSERT, DELETE",
    "audit_leaf": "SELECT, INSERT",
    "audit_hash": "SELECT, INSERT",
    "audit_checkpoint": "SELECT, INSERT",
    "audit_disposal": "SELECT",
    "audit_witness_mark": "SELECT, INSERT, UPDATE",
}
_DISPOSAL = {
    "audit_entry": "SELECT, DELETE",
    "audit_leaf": "SELECT",
    "audit_disposal": "SELECT, INSERT",
}


def grants(*, application: str, disposal: str) -> list[str]:
    """The statements that give two existing roles what they need, and take all else.

    Args:
        application: the role that web and worker processes sign in as.
        disposal: the role that disposes of old entries.

    Returns:
        SQL for PostgreSQL, to be run by the tables' owner.

    Raises:
        Invalid: a name that isn't a plain, lower-case role name.
    """
    statements: list[str] = []
    for role, rights in ((application, _APPLICATION), (disposal, _DISPOSAL)):
        if not _NAME.fullmatch(role):
            raise Invalid("role_name_invalid", "A role's name has lower-case letters, digits and underscores.")
        statements += [f"REVOKE ALL ON {table} FROM {role}" for table in _APPLICATION]
        statements += [f"GRANT {verbs} ON {table} TO {role}" for table, verbs in rights.items()]
    return [*statements, f"GRANT USAGE ON SEQUENCE audit_pending_position_seq TO {application}"]
