"""Samples of the family's pages, and of those who watch and check."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from app.pages import Problem, qr
from tests.pages.case_work import CASE, VIEWING
from tests.pages.sample import AT_HOME, FAMILY, GUIDER, WORKER, Sample

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
CLIP = {"rendition": "r1", "title": "Ava looks up and Mum smiles"}
WORDS = [
    "Sam can watch this clip on their own screen until 22 May 2027.",
    "Sam can't keep a copy. You can stop it at any time.",
]
BACK = {"href": "/shared", "text": "Shared with me"}
LINK = "https://vault.council.example/invitation/qX7c0mWmW1c3yI3m7Hq5l8nJx2kQmJ0rS5m0c5dXoYA"
QR = qr(LINK)


def family_samples() -> Iterator[Sample]:
    """From the invitation to who watched, then the people who watch."""
    invited = {"case": CASE, "name": "Mia Bell", "address": LINK, "qr": QR, "expires_at": NOW}
    yield Sample("invited", "invited.html", GUIDER, context=invited | {"second_thing": "message"})
    yield Sample("invited-letter", "invited.html", GUIDER, context=invited | {"second_thing": "letter", "qr": ""})
    ends = {"second_thing": "message", "expires_at": NOW}
    yield Sample("invitation", "invitation.html", AT_HOME, "/invitation/t1", context=ends)
    yield Sample("activate", "activate.html", AT_HOME, context=ends)
    yield Sample(
        "activate-wrong",
        "activate.html",
        AT_HOME,
        problems=(
            Problem("That code isn't right. Look at the message again.", "code"),
            Problem("Choose a passcode.", "passcode"),
        ),
        context={"second_thing": "letter"},
    )
    yield Sample("family-sign-in", "family_sign_in.html", AT_HOME, context={"device_known": True})
    yield Sample("family-sign-in-unknown", "family_sign_in.html", AT_HOME, context={"device_known": False})
    yield Sample("your-clips-none", "your_clips.html", FAMILY, "/your-clips", context={"clips": []})
    yield _your_clips()
    yield from _questions()
    yield _receipt()
    yield Sample("who-watched-none", "who_watched.html", FAMILY, "/who-watched", context={"viewings": []})
    yield _who_watched()
    yield from _watching()


def _your_clips() -> Sample:
    worker = {
        "who": "Sam Okafor",
        "role": "Your social worker",
        "text": "You said yes",
        "colour": "green",
        "purpose": "social_worker",
        "audience": "s1",
        "may_stop": True,
        "note": "Other checks may still apply.",
        "question": None,
    }
    meeting = worker | {
        "who": "Child protection conference, 3 December",
        "role": "The people at your next meeting",
        "text": "Not answered",
        "colour": "yellow",
        "may_stop": False,
        "note": "",
        "question": "/your-clips/r1/questions/2",
    }
    training = meeting | {"who": "New guiders", "role": "Training", "text": "You said no", "colour": "grey"}
    clips = [
        CLIP
        | {
            "length": 18.2,
            "filmed_on": date(2026, 11, 14),
            "poster": "/media/poster.jpg",
            "may_watch": True,
            "note": "Some people in it are blurred.",
            "waiting": 1,
            "about": "Ava and yourself",
            "audiences": [worker, meeting, training],
            "by_law": [],
        },
        {
            "rendition": "r2",
            "title": "Reading together",
            "length": 65,
            "filmed_on": None,
            "poster": None,
            "may_watch": False,
            "note": "",
            "waiting": 0,
            "about": "",
            "audiences": [],
            "by_law": ["Shown by law to the family court on 1 November 2026. You can ask us why."],
        },
    ]
    return Sample("your-clips", "your_clips.html", FAMILY, "/your-clips", context={"clips": clips})


def _questions() -> Iterator[Sample]:
    asked = {
        "clip": CLIP,
        "number": 2,
        "of": 3,
        "question": "Can your social worker watch this clip?",
        "who": "Sam Okafor",
        "about": "You answer for Ava and yourself.",
        "words": WORDS,
        "yes": "Yes, they can watch",
        "no": "No, they can't watch",
        "answered": "",
        "watched": "/your-clips/r1",
        "version": "7",
        "key": "social_worker-s1",
    }
    yield Sample("question", "question.html", FAMILY, context=asked)
    yield Sample(
        "question-missed",
        "question.html",
        FAMILY,
        problems=(Problem("Choose yes or no. You can also press Ask me later.", "answer"),),
        context=asked | {"about": "", "watched": None, "number": 1},
    )
    answers = [
        {
            "role": "Your social worker",
            "who": "Sam Okafor",
            "text": "Yes, they can watch",
            "change": "/your-clips/r1/questions/1",
        },
        {
            "role": "Training",
            "who": "New guiders",
            "text": "No, they can't watch",
            "change": "/your-clips/r1/questions/2",
        },
    ]
    yield Sample(
        "check-answers", "check_answers.html", FAMILY, context={"clip": CLIP, "answers": answers, "version": "7"}
    )
    yield Sample(
        "saved",
        "saved.html",
        FAMILY,
        context={
            "clip": CLIP,
            "lines": ["You said yes for Sam Okafor. Other checks may still apply.", "You said no for new guiders."],
            "until": date(2027, 5, 22),
            "receipts": [{"id": "e1", "text": "Receipt for Sam Okafor"}],
        },
    )


def _receipt() -> Sample:
    receipt = {
        "id": "3f" * 16,
        "decision": "You said yes",
        "what": CLIP["title"],
        "who": "Sam Okafor",
        "purpose": "Your social worker watches it",
        "on_behalf": "Ava and yourself",
        "at": NOW,
        "expires_at": None,
        "words": WORDS,
        "notice_hash": "9c" * 32,
        "proof": "In the log as number 41.",
    }
    return Sample("receipt", "receipt.html", FAMILY, context={"receipt": receipt})


def _who_watched() -> Sample:
    viewings = [
        {
            "clip": CLIP["title"],
            "who": "Sam Okafor",
            "role": "Social worker",
            "at": NOW - timedelta(days=n),
            "how": "Watched",
        }
        for n in range(3)
    ]
    pages = {"earlier": None, "later": "/who-watched?page=2", "says": "Showing 1 to 3 of 5 times", "gone": ""}
    return Sample(
        "who-watched", "who_watched.html", FAMILY, "/who-watched", context={"viewings": viewings, "pages": pages}
    )


def _watching() -> Iterator[Sample]:
    yield Sample("shared-none", "shared.html", WORKER, "/shared", context={"clips": []})
    clip = CLIP | {"length": 18.2, "family": "Ava and Noah", "purpose": "Social work", "until": NOW}
    yield Sample("shared", "shared.html", WORKER, "/shared", context={"clips": [clip, clip | {"until": None}]})
    watch = {
        "title": CLIP["title"],
        "viewing": VIEWING | {"name": "Sam Okafor"},
        "back": BACK,
        "until": NOW,
        "questions": None,
        "seen": "",
    }
    yield Sample("watch", "watch.html", WORKER, context=watch | {"kind": "professional"})
    yield Sample("watch-together", "watch.html", GUIDER, context=watch | {"kind": "together"})
    yield Sample(
        "watch-family",
        "watch.html",
        FAMILY,
        context=watch
        | {
            "kind": "family",
            "viewing": VIEWING | {"name": "", "events": None},
            "questions": "/your-clips/r1/questions",
            "seen": "You can see Ava Bell and yourself. Other people are blurred.",
        },
    )
    yield Sample("unavailable", "unavailable.html", WORKER, context={"back": BACK})
    yield Sample("checks-none", "checks.html", GUIDER, "/checks", context={"checks": []})
    check = {
        "rendition": "r1",
        "title": CLIP["title"],
        "asked_by": "Jo Marsh",
        "asked_at": NOW,
        "needed_on": date(2026, 12, 3),
    }
    yield Sample("checks", "checks.html", GUIDER, "/checks", context={"checks": [check, check | {"needed_on": None}]})
    context = {
        "check": {"title": CLIP["title"], "asked_by": "Jo Marsh", "listed": ["Ava Bell", "Mia Bell"]},
        "people": [{"id": "p1", "name": "Mia Bell"}, {"id": "p2", "name": "Ava Bell"}],
        "viewing": VIEWING,
        "is_redacted": False,
        "looks": [],
        "frames": 50,
        "rate_num": 25,
        "rate_den": 1,
    }
    yield Sample("check", "check.html", GUIDER, "/checks/r1", context=context)
    looks = [{"frame": 12, "at": "0:00.5", "text": "Person 2 appears", "kept": False}]
    blurred = context | {"is_redacted": True, "looks": looks}
    yield Sample("check-blurred", "check.html", GUIDER, "/checks/r1", context=blurred)
