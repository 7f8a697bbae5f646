"""Samples of the information governance officer's and the manager's pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from app.pages import Problem
from tests.pages.sample import MANAGER, OFFICER, Sample

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
PEOPLE = [{"id": "s1", "name": "Sam Okafor"}, {"id": "s2", "name": "Jo Marsh"}]
CASES = [{"id": "c1", "name": "Ava and Noah"}]
LONG_ID = "9c" * 16
NEXT = {"earlier": None, "later": "?page=2", "says": "50 entries, back to 1 November 2026", "gone": ""}


def office_samples() -> Iterator[Sample]:
    """From the overview to the caseloads."""
    yield _overview()
    yield from _audit()
    yield from _retention()
    yield from _holds()
    certificate = {"id": LONG_ID, "kind": "Clip", "destroyed_at": NOW, "irrecoverable_since": None}
    issued = [certificate, certificate | {"irrecoverable_since": NOW}]
    yield Sample("certificates", "certificates.html", OFFICER, "/certificates", context={"certificates": issued})
    yield Sample("certificates-none", "certificates.html", OFFICER, "/certificates", context={"certificates": []})
    rows = [("Record", LONG_ID), ("Content (SHA-256)", "3f" * 32), ("Method", "NIST SP 800-88 cryptographic erase")]
    pending = "One recovery place may still hold an old key until 27 December 2026."
    shown = {"id": LONG_ID, "kind": "Clip", "rows": rows, "pending": pending}
    yield Sample("certificate", "certificate.html", OFFICER, "/certificates/x", context={"certificate": shown})
    entry = {"staff": "Sam Okafor", "staff_id": "s1", "family": "Ava and Noah", "case": "c1", "since": NOW}
    choices = {"staff": PEOPLE, "families": CASES}
    yield Sample("caseload", "caseload.html", MANAGER, "/caseload", context=choices | {"entries": [entry]})
    yield Sample(
        "caseload-wrong",
        "caseload.html",
        MANAGER,
        "/caseload",
        problems=(Problem("Choose a family.", "case"),),
        given={"staff": "s1"},
        context=choices | {"entries": []},
    )


def _overview() -> Sample:
    days = [{"day": date(2026, 11, 1) + timedelta(days=n), "watched": n * 7 % 11, "refused": n % 3} for n in range(21)]
    return Sample(
        "records",
        "ig_dashboard.html",
        OFFICER,
        "/records",
        context={
            "alarms": [{"sentence": "No sweep has run for a day.", "href": "/retention", "link": "See what is due"}],
            "counts": [
                {"label": "viewings this week", "value": 41, "href": "/audit"},
                {"label": "refusals this week", "value": 3, "href": "/audit"},
                {"label": "records due", "value": 1204, "href": "/retention"},
            ],
            "days": days,
            "scrubbed": "Every stored film was last read and compared by 3 November 2026.",
            "log": {"size": 10482, "sealed_at": NOW, "pending": 2, "witness": "Agrees, a minute ago"},
        },
    )


def _audit() -> Iterator[Sample]:
    entry = {
        "index": 10481,
        "at": NOW,
        "event": "Viewing refused",
        "who": "Sam Okafor",
        "case": "Ava and Noah",
        "object": LONG_ID,
        "outcome": "Refused",
        "colour": "red",
        "reason": "Withdrawn",
        "purpose": "social work",
    }
    done = {
        "event": "Consent withdrawn",
        "outcome": "Done",
        "colour": "green",
        "reason": "",
        "purpose": "",
        "object": "",
    }
    choices = {
        "events": [{"value": "viewing.begun", "text": "Viewing begun"}],
        "outcomes": [{"value": "refused", "text": "Refused"}],
        "actors": PEOPLE,
        "cases": CASES,
    }
    found = [entry, entry | done | {"index": None, "who": "", "case": ""}]
    verdict = {"ok": False, "sentence": "Entry 41 doesn't fit: its words were changed."}
    yield Sample(
        "audit",
        "audit.html",
        OFFICER,
        "/audit",
        given={"actor": "s1", "since-day": "1"},
        context=choices | {"entries": found, "pages": NEXT, "verdict": verdict},
    )
    yield Sample(
        "audit-none",
        "audit.html",
        OFFICER,
        "/audit",
        problems=(Problem("Enter the first day as a date, like 27 3 2019.", "since"),),
        given={"since-day": "99"},
        context=choices | {"entries": [], "pages": None, "verdict": None},
    )


def _retention() -> Iterator[Sample]:
    line = {
        "record": LONG_ID,
        "name": "Clip 9c9c9c9c",
        "kind": "Clip",
        "case": "Ava and Noah",
        "due_on": date(2026, 11, 30),
        "why": "A clip is destroyed two months after the work ends, as the permission form promises.",
        "text": "Waits for you",
        "colour": "yellow",
        "may_agree": True,
    }
    held = {"record": "3f" * 16, "due_on": None, "text": "Held", "colour": "blue", "may_agree": False}
    base = {"schedule": {"name": "england-local-authority", "version": "1"}}
    halted = {
        "sweep": LONG_ID,
        "sentences": ["It would destroy more than a tenth of what is kept."],
        "count": 1204,
        "share": "41% of what is kept",
    }
    yield Sample(
        "retention",
        "retention.html",
        OFFICER,
        "/retention",
        problems=(Problem("Say why it is right.", "reason"),),
        context=base
        | {
            "last_run": NOW,
            "overdue": "No sweep has run for a day.",
            "clock_leapt": "The clock is 30 days ahead of what it was yesterday.",
            "halted": halted,
            "due": [line, line | held],
        },
    )
    yield Sample(
        "retention-none",
        "retention.html",
        OFFICER,
        "/retention",
        context=base | {"last_run": None, "overdue": "", "clock_leapt": "", "halted": None, "due": []},
    )


def _holds() -> Iterator[Sample]:
    hold = {
        "id": "h1",
        "reason": "Proceedings in the family court",
        "owner": "Priya Nair",
        "scope": "The whole case of Ava and Noah",
        "placed_at": NOW,
        "review_on": date(2027, 2, 20),
        "late": True,
        "may_release": True,
        "released_on": None,
    }
    others = [hold | {"id": "h2", "may_release": False}, hold | {"id": "h3", "released_on": date(2026, 11, 1)}]
    scopes = [{"value": "case:c1", "text": "Everything of Ava and Noah"}]
    yield Sample("holds", "holds.html", OFFICER, "/holds", context={"holds": [hold, *others], "scopes": scopes})
    yield Sample(
        "holds-none",
        "holds.html",
        OFFICER,
        "/holds",
        problems=(Problem("Choose what to hold.", "scope"),),
        context={"holds": [], "scopes": scopes},
    )
