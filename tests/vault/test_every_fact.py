"""Whoever changes a fact that the decision reads raises the case's version: one act after another, all of them.

What nobody thought of is found too: each table that a decision reads must be one that some act here writes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.vault.acts import Acts
from tests.vault.cinema import Cinema
from tests.vault.test_few_queries import statements

WRITTEN = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)")
READ = re.compile(r"(?:FROM|JOIN)\s+(\w+)")
FIXED = {"vault_footage", "identity_visit", "identity_present"}
"""Written once, before there is a rendition: which visit footage is of, and who was there. Nothing changes that."""
INERT = {"proposes an override"}
"""A proposal opens nothing, and closes nothing, before it is approved."""


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whoever_changes_a_fact_raises_the_version_and_every_fact_has_somebody_who_changes_it(cinema: Cinema) -> None:
    acts = Acts(cinema)
    written, before, idle, silent = set[str](), acts.facts(), list[str](), set[str]()
    with statements(cinema.db) as asked:
        acts.facts()
    read = {table for one in asked for table in READ.findall(one)}
    for name, act in acts.all().items():
        cinema.db.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]  # a clock that is moved by hand
        with statements(cinema.db) as asked:
            act()
        written |= {table for one in asked for table in WRITTEN.findall(one)}
        after = acts.facts()
        roster = replace(after.roster, version=before.roster.version)
        if replace(after, roster=roster) == before:
            idle.append(name)
        if after.roster.version <= before.roster.version:
            silent.add(name)
        before = after
    assert idle == []  # else nothing was tried
    assert silent == INERT
    assert read - written == FIXED
