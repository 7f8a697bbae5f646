"""The page on which a guider chooses who stays visible, in its stages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from app.listing import Pages
from app.pages import Problem
from tests.pages.sample import GUIDER, STRIP, Sample

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
JOB = {"id": "k1", "address": "/jobs/k1", "percent": 35, "text": "About 3 minutes left"}
VIEWING = {"film": "/media/film.mp4", "events": "/events/v1", "name": "Jo Marsh", "poster": None}
LONG = "Wolfeschlegelsteinhausenbergerdorff"
CASE = {"id": "c1", "title": "Ava and Noah"}
CLIP = {"id": "k1", "title": "Ava looks up and Mum smiles"}
STILL = {"href": "/media/strip.jpg", "width": 160, "height": 160, "whole_width": 480, "whole_height": 160, "y": 0}
NOTHING: dict[str, Any] = {"case": CASE, "clip": CLIP, "looking": "none", "sentence": "", "job": None, "choosing": None}


def blur_samples() -> Iterator[Sample]:
    """All of it."""
    where = "/clips/k1/blur"
    yield Sample("blur-not-looked", "blur.html", GUIDER, where, context=NOTHING)
    yield Sample("blur-choosing", "blur.html", GUIDER, where, context=_choosing())
    yield Sample(
        "blur-made",
        "blur.html",
        GUIDER,
        where,
        problems=(Problem("These choices were changed in another window. Look again."),),
        context=_choosing()
        | {
            "after": {"viewing": VIEWING, "made_at": NOW},
            "sent_back": {"by": "Kim Lowe", "at": NOW, "remark": "A face in the mirror."},
            "made": {"reason": "A neighbour came in"},
            "making": JOB,
            "making_sentence": "The machine was too busy. Try again.",
        },
    )


def _choosing() -> dict[str, Any]:
    members = [{"id": "p1", "name": "Ava Bell"}, {"id": "p2", "name": "Mia Bell"}, {"id": "p3", "name": LONG}]
    people = [
        {
            "number": number,
            "numbers": [number, 7] if number == 2 else [number],
            "still": STILL | {"columns": 3, "x": 160 * (number - 1)} if number < 3 else None,
            "first": 12 * number,
            "at": f"0:0{number}.5",
            "seen": "12 seconds",
            "how_clear": "Not always clear",
            "kept": number == 1,
            "name": "Ava Bell" if number == 1 else "",
        }
        for number in (1, 2, 3)
    ]
    return NOTHING | {
        "looking": "done",
        "viewing": VIEWING,
        "after": None,
        "sent_back": None,
        "frames": 50,
        "rate_num": 25,
        "rate_den": 1,
        "strip": STRIP,
        "film": "f" * 32,
        "choosing": {
            "version": 3,
            "can_undo": True,
            "can_redo": False,
            "started_over": True,
            "beside": [
                {"clip": "k2", "title": CLIP["title"], "version": 4, "holds": True}
                | {"visible": f"Ava Bell and {LONG}", "covers": 2, "silences": 1},
                {"clip": "k3", "title": "Noah builds a tower", "version": 9, "holds": True}
                | {"visible": "", "covers": 0, "silences": 0},
                {"clip": "k4", "title": "Tea", "version": 2, "holds": False},
            ],
            "style": "blur",
            "shape": "ellipse",
            "people": people,
            "how_many": 30,
            "kept": [{"name": "Ava Bell", "numbers": [{"number": 1, "address": "/clips/k1/blur?people=1#person-1"}]}],
            "pages": Pages("Showing 1 to 3 of 30 people", later="/clips/k1/blur?people=2#people"),
            "as_they_come": False,
            "other_order": "/clips/k1/blur?order=first#people",
            "here": "/clips/k1/blur",
            "members": members,
            "looks": [
                {"frame": 9 * at, "at": f"0:0{at}.2", "text": "Person 2 appears", "kept": at == 1} for at in range(9)
            ],
            "regions": [
                {"number": 1, "places": [{"frame": 3, "at": "0:00.1"}]},
                {"number": 2, "places": [{"frame": 3, "at": "0:00.1"}, {"frame": 9, "at": "0:00.4"}]},
            ],
            "mutes": [{"first": 5, "last": 20, "text": "0:00.2 to 0:00.8"}],
            "data": '{"width":640,"height":360,"people":[],"regions":[]}',
        },
        "making": None,
        "making_sentence": "",
        "made": None,
    }
