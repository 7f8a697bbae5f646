"""Samples of the guider's and the manager's pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.pages import Notice, Problem
from tests.pages import adding_film, blurring
from tests.pages.sample import GUIDER, MANAGER, PAGES, STRIP, Sample

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
CASE = {
    "id": "c1",
    "title": "Ava and Noah",
    "status": "Child protection plan",
    "reference": "LCS 40017",
    "opened_at": NOW,
    "closed_on": None,
    "may_guide": True,
    "may_manage": False,
}
JOB = {"id": "j1", "address": "/jobs/j1", "percent": 35, "text": "About 3 minutes left"}
VIEWING = {"film": "/media/film.mp4", "events": "/events/v1", "name": "Jo Marsh", "poster": None}
MORE = {"says": "Showing 13 to 24 of 31 clips", "earlier": "?clips=1#clips", "later": "?clips=3#clips", "gone": ""}
LONG = "Wolfeschlegelsteinhausenbergerdorff"


def case_samples() -> Iterator[Sample]:
    """The pages in the order of the work."""
    yield Sample("families-none", "families.html", GUIDER, "/families", context={"families": [], "may_open": False})
    yield Sample(
        "families",
        "families.html",
        MANAGER,
        "/families",
        context={
            "may_open": True,
            "families": [
                {
                    "id": "c1",
                    "title": "Ava and Noah",
                    "status": "Child protection plan",
                    "guider": "Jo Marsh",
                    "closed_on": None,
                },
                {
                    "id": "c2",
                    "title": LONG,
                    "status": "Child in need",
                    "guider": "",
                    "closed_on": date(2026, 9, 1),
                },
            ],
        },
    )
    yield _case_new("case-new", problems=())
    yield _case_new(
        "case-new-wrong",
        problems=(
            Problem("Enter the date of birth as a date, like 27 3 2019.", "child-0-born"),
            Problem("Say for which children adult 1 holds it.", "adult-0-child"),
            Problem("Jo Marsh has this family on their own caseload, so they can't guide it.", "guider"),
        ),
    )
    yield Sample(
        "family", "family.html", GUIDER, "/families/c1", notice=Notice("The visit is saved."), context=family()
    )
    yield Sample(
        "family-new",
        "family.html",
        GUIDER,
        "/families/c1",
        context=family()
        | {
            "visits": [],
            "uploads": [],
            "footage": [],
            "clips": [],
            "consent": {"audiences": [], "rows": []},
        },
    )
    yield Sample(
        "case-staff",
        "case_staff.html",
        MANAGER,
        "/families/c1/staff",
        context={
            "case": {"id": "c1", "title": "Ava and Noah", "closed_on": None},
            "staff": [
                {"assignment": "a1", "name": "Jo Marsh", "role": "Guider", "since": NOW, "may_end": False},
                {"assignment": "a2", "name": "Sam Okafor", "role": "Social worker", "since": NOW, "may_end": True},
            ],
            "people": [{"id": "s1", "name": "Sam Okafor"}],
            "guiders": [{"id": "s2", "name": "Kim Lowe"}],
            "roles": [{"id": "chair", "name": "Conference chair"}],
        },
    )
    yield Sample(
        "case-close",
        "case_close.html",
        GUIDER,
        "/families/c1/close",
        context={"case": {"id": "c1", "title": "Ava and Noah"}},
    )
    yield Sample(
        "filming",
        "filming.html",
        GUIDER,
        "/families/c1/filming",
        context={
            "case": CASE,
            "people": [
                {"id": "p1", "name": "Mia Bell", "about": "Mother", "is_child": False, "said": "yes"},
                {"id": "p2", "name": "Ava Bell", "about": "Child, 4 years", "is_child": True, "said": ""},
            ],
        },
    )
    people = [{"id": "p1", "name": "Mia Bell"}, {"id": "p2", "name": "Ava Bell"}]
    yield Sample("visit-new", "visit_new.html", GUIDER, context={"case": CASE, "people": people})
    yield from adding_film.film_samples()
    film = {
        "id": "f1",
        "title": "Filmed 14 November",
        "frames": 50,
        "rate_num": 25,
        "rate_den": 1,
        "due_on": date(2026, 12, 31),
    }
    yield Sample(
        "footage-preparing",
        "footage.html",
        GUIDER,
        context={"case": CASE, "footage": film, "viewing": None, "strip": None, "goals": [], "job": JOB},
    )
    yield Sample(
        "footage",
        "footage.html",
        GUIDER,
        problems=(Problem("The end must come after the start.", "last_frame"),),
        given={"first_frame": "40", "last_frame": "12"},
        context={
            "case": CASE,
            "footage": film,
            "viewing": VIEWING,
            "strip": STRIP,
            "goals": ["Attuned response", "Following the child's lead"],
            "job": None,
        },
    )
    yield Sample("clip-cutting", "clip.html", GUIDER, context=clip("none") | {"job": JOB})
    yield Sample("clip-new", "clip.html", GUIDER, context=clip("none") | {"persons_known": False})
    yield Sample("clip-sent-back", "clip.html", GUIDER, context=clip("sent_back"))
    yield Sample("clip-checked", "clip.html", GUIDER, context=clip("passed"))
    yield from blurring.blur_samples()


def _case_new(name: str, *, problems: tuple[Problem, ...]) -> Sample:
    staff = [{"id": "s1", "name": "Jo Marsh"}, {"id": "s2", "name": LONG}]
    return Sample(
        name,
        "case_new.html",
        MANAGER,
        "/families/new",
        problems=problems,
        given={"child-0-name": "Ava Bell", "adult-0-child": ["0"], "child-0-born-year": "20199"} if problems else {},
        context={"child_rows": 2, "adult_rows": 2, "guiders": staff, "social_workers": staff, "colleagues": staff},
    )


def family() -> dict[str, Any]:
    """A family in the middle of its work."""
    clips = [
        {
            "id": "k1",
            "title": "Ava looks up and Mum smiles",
            "length": 18.2,
            "shown": ["Ava Bell", "Mia Bell"],
            "tag": "Waiting for Dad",
            "colour": "yellow",
            "poster": "/media/poster.jpg",
            "due_on": None,
            "job": None,
        },
        {
            "id": "k2",
            "title": "Breakfast",
            "length": None,
            "shown": [],
            "tag": "Being cut",
            "colour": "blue",
            "poster": None,
            "due_on": date(2027, 1, 31),
            "job": JOB | {"id": "j2"},
        },
    ]
    return {
        "case": CASE,
        "people": [
            {
                "id": "p2",
                "name": "Ava Bell",
                "about": "Child, 4 years",
                "speaks_for": "",
                "filming": "Yes",
                "filming_colour": "green",
                "invited": "",
                "has_phone": False,
                "may_invite": False,
            },
            {
                "id": "p1",
                "name": f"Mia {LONG}",
                "about": "Mother",
                "speaks_for": "Ava, Noah and herself",
                "filming": "Not asked",
                "filming_colour": "grey",
                "invited": "Not invited",
                "has_phone": True,
                "may_invite": True,
            },
        ],
        "fathers": ["Noah's father: asked, not known."],
        "staff": [{"name": "Jo Marsh", "role": "guider"}, {"name": "Sam Okafor", "role": "social worker"}],
        "visits": [{"id": "v1", "kind": "Filming", "on": date(2026, 11, 14), "present": ["Mia Bell", "Ava Bell"]}],
        "uploads": [adding_film.UNFINISHED],
        "footage": [
            {
                "id": "f1",
                "title": "Filmed 14 November",
                "length": 610,
                "tag": "Ready",
                "colour": "green",
                "job": None,
                "sentence": "",
                "strip": "/media/strip.jpg",
                "due_on": date(2026, 12, 31),
                "phone_copy": "waiting",
            },
            {
                "id": "f2",
                "title": "Filmed 20 November",
                "length": None,
                "tag": "Getting ready",
                "colour": "blue",
                "job": JOB,
                "sentence": "",
                "strip": None,
                "due_on": None,
                "phone_copy": "",
            },
            {
                "id": "f3",
                "title": "Filmed 21 November",
                "length": None,
                "tag": "Not a film",
                "colour": "red",
                "job": None,
                "sentence": "This isn't a film that we can open.",
                "strip": None,
                "due_on": None,
                "phone_copy": "removed",
            },
        ],
        "clips": clips,
        "pages": {"visits": PAGES, "footage": PAGES, "clips": MORE},
        "consent": {
            "audiences": ["Sam Okafor, social worker", "Conference on 3 December", "Alex Poe, supervision"],
            "rows": [
                {
                    "title": "Ava looks up and Mum smiles",
                    "href": "/clips/k1",
                    "cells": [
                        {"text": "May watch", "colour": "green"},
                        {"text": "No", "colour": "red"},
                        {"text": "Not asked", "colour": "grey"},
                    ],
                }
            ],
        },
        "told": [{"value": "p1", "text": "Mia Reed"}, {"value": "p2", "text": "Dan Reed"}],
    }


def clip(check: str) -> dict[str, Any]:
    """A clip on its way to the family."""
    return {
        "case": CASE,
        "clip": {
            "id": "k1",
            "title": "Ava looks up and Mum smiles",
            "length": 18.2,
            "goals": ["Attuned response"],
            "poster": "/media/poster.jpg",
            "due_on": date(2027, 1, 31),
            "rendition": "r1",
            "made_at": NOW if check == "sent_back" else None,
        },
        "job": None,
        "sentence": "",
        "people": [
            {"id": "p1", "name": "Mia Bell", "shown": True},
            {"id": "p2", "name": "Ava Bell", "shown": True},
            {"id": "p3", "name": "Noah Bell", "shown": False},
        ],
        "persons_known": True,
        "check": {"state": check, "by": "Alex Poe", "at": NOW, "remark": "Who is the man in the mirror?"},
        "checkers": [{"id": "s3", "name": "Alex Poe"}],
        "asks": [
            {
                "audience": "Sam Okafor, social worker",
                "text": "Waiting",
                "colour": "yellow",
                "people": [
                    {"name": "Mia Bell", "text": "Yes", "colour": "green"},
                    {"name": "Dan Reed", "text": "Not yet", "colour": "grey"},
                ],
                "value": "social_worker:s1",
            }
        ],
        "elsewhere": [{"person": "p9", "name": "Dan Reed"}],
        "audiences": [
            {"value": "supervision:s3", "text": "Alex Poe, for supervision"},
            {"value": "case_conference:m1", "text": "The conference on 3 December"},
        ],
        "asked_people": ["Mia Bell", "Dan Reed"],
    }
