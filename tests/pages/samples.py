"""Every page with what a route would give it, as realistic as a test may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

from app import error_words
from app.pages import Problem, qr
from core.db import not_found
from tests.pages import at_home, case_work, office, signed_in
from tests.pages.sample import EVERYTHING, FAMILY, LISTS, WORKER, Sample

CONTACT = {"name": "The VIG team", "phone": "01632 960 001", "email": "vig@council.example"}
QR = qr("otpauth://totp/VIG%20Vault:jo?secret=GEZDGNBVGY3TQOJQ&issuer=VIG%20Vault")


def everyone() -> Iterator[Sample]:
    """Pages that don't depend on who looks."""
    yield Sample("sign-in", "sign_in.html")
    yield Sample(
        "sign-in-wrong",
        "sign_in.html",
        problems=(Problem("That email address and password don't go together.", "email"),),
        given={"email": "jo.marsh@council.example"},
    )
    yield Sample("second-factor", "second_factor.html")
    yield Sample("enrol-password", "enrol.html", context={"step": "password"})
    yield Sample("enrol-code", "enrol.html", context={"step": "code", "qr": QR, "secret_words": "GEZD GNBV GY3T QOJQ"})
    wrong = (Problem("That code isn't right.", "code"),)
    yield Sample("enrol-wrong", "enrol.html", problems=wrong, context={"step": "code", "qr": None, "pending": ""})
    yield Sample("help", "help.html", visitor=FAMILY, path="/help", context={"contact": CONTACT})
    yield Sample("privacy", "privacy.html", context={"contact": CONTACT, "organisation": "Anytown Council"})
    yield Sample("accessibility", "accessibility.html", context={"contact": CONTACT})
    yield Sample(
        "error",
        "error.html",
        context={
            "code": "not_found",
            "phone": "01632 960 001",
            **asdict(error_words.for_staff(not_found(), status=404)),
        },
    )
    for status in (401, 403, 404, 405, 409, 413, 422, 429, 500, 503):
        said = asdict(error_words.for_family(not_found(), status=status))
        said["sentence"] = said["sentence"] or "Someone answered before you did."
        context = {"code": "busy", "family_page": True, **said}
        yield Sample(f"error-{status}-at-home", "error.html", visitor=FAMILY, context=context)
    yield Sample(
        "home",
        "staff_home.html",
        visitor=EVERYTHING,
        context={
            "name": "Alexandra Featherstonehaugh-Cholmondeley",
            "tasks": [
                {
                    "title": "Check who can be seen",
                    "href": "/checks",
                    "hint": "The next meeting is on 3 December",
                    "status": "2 waiting",
                    "colour": "yellow",
                },
                {
                    "title": "Delete films from the phone",
                    "href": "/families",
                    "hint": "",
                    "status": "1 late",
                    "colour": "red",
                },
            ],
            "areas": [
                {"title": "Families", "href": "/families", "text": "The 4 families you guide."},
                {"title": "Shared with me", "href": "/shared", "text": "Clips that families let you watch."},
            ],
        },
    )
    yield Sample("home-empty", "staff_home.html", visitor=WORKER, context={"name": "Sam", "tasks": [], "areas": []})


def samples() -> list[Sample]:
    """All of them."""
    found = [
        *everyone(),
        *case_work.case_samples(),
        *at_home.family_samples(),
        *office.office_samples(),
        *signed_in.account_samples(),
    ]
    return [replace(one, context=LISTS | dict(one.context)) for one in found]
