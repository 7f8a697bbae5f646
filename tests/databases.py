"""PostgreSQL databases for tests: emptied and handed on, since making each anew costs a third of a second of work."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import MetaData, create_engine
from sqlalchemy.engine import URL, make_url

_MOST_USES = 50
"""What was deleted still takes room until somebody tidies up; a new database is quicker than that."""
_WATCHED = """
CREATE SCHEMA test_watch;
CREATE TABLE test_watch.changed (what text);
CREATE FUNCTION test_watch.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS
    $$ BEGIN INSERT INTO test_watch.changed VALUES (tg_tag); END $$;
CREATE EVENT TRIGGER test_watch ON ddl_command_end EXECUTE FUNCTION test_watch.note();
ALTER EVENT TRIGGER test_watch ENABLE ALWAYS
"""
_IS_AS_MADE = """
SELECT NOT EXISTS (SELECT FROM test_watch.changed) AND NOT EXISTS (
    SELECT FROM pg_db_role_setting JOIN pg_database ON setdatabase = pg_database.oid WHERE datname = current_database()
)
"""
_EMPTY = """
DO $$ DECLARE it record; BEGIN
    PERFORM set_config('session_replication_role', 'replica', true); -- no trigger stands in the way
    FOR it IN SELECT oid::regclass AS name FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    LOOP EXECUTE format('DELETE FROM %s', it.name); END LOOP;
    FOR it IN SELECT seqrelid, seqstart FROM pg_sequence
    LOOP PERFORM setval(it.seqrelid::regclass, it.seqstart, false); END LOOP;
END $$
"""


@dataclass
class Databases:
    """Databases of one server with the same tables and no rows.

    Each use has a name of its own: whoever still knows the last one meets nothing. One whose tables, triggers, rights
    or settings a test changed is thrown away.

    Attributes:
        address: of the server, up to a database that is always there.
        template: the database that new ones are copied from.
    """

    address: str
    template: str
    _spare: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def lend(self) -> Iterator[str]:
        """Address of a database for one test."""
        name, uses = self._spare.popitem() if self._spare else (self._made(), 0)
        yield self._url(name).render_as_string(hide_password=False)
        after = _new_name()
        with administration(self.address) as run_sql:
            run_sql(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'")
            try:
                run_sql(f"ALTER DATABASE {name} RENAME TO {after}")
            except psycopg.errors.ObjectInUse:  # somebody came back at once
                run_sql(f"DROP DATABASE {name} WITH (FORCE)")
                return
            if uses < _MOST_USES and self._emptied(after):
                self._spare[after] = uses + 1
            else:
                run_sql(f"DROP DATABASE {after} WITH (FORCE)")

    def _made(self) -> str:
        name = _new_name()
        with administration(self.address) as run_sql:
            run_sql(f"CREATE DATABASE {name} TEMPLATE {self.template}")
        with administration(self._url(name)) as run_sql:
            run_sql(_WATCHED)
        return name

    def _emptied(self, name: str) -> bool:
        with administration(self._url(name)) as run_sql:
            if not run_sql(_IS_AS_MADE):
                return False
            run_sql(_EMPTY)
        return True

    def _url(self, name: str) -> URL:
        return make_url(self.address).set(database=name)


def _new_name() -> str:
    return f"t{secrets.token_hex(6)}"


def make_template(address: str, *, name: str, metadata: MetaData) -> str:
    """Make a database that has these tables, to be copied; returns its name."""
    with administration(address) as run_sql:
        run_sql(f"CREATE DATABASE {name}")
    engine = create_engine(make_url(address).set(database=name))
    metadata.create_all(engine)
    engine.dispose()
    return name


@contextmanager
def administration(address: str | URL) -> Iterator[Callable[[str], object]]:
    """Run statements on a PostgreSQL server, outside any transaction; each returns its first value, if it has one."""
    conninfo = make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:

        def run_sql(statement: str) -> object:
            done = connection.execute(statement.encode())
            found = done.fetchone() if done.description else None
            return found and found[0]

        yield run_sql
