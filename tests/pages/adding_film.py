"""Samples of the pages on which film is added."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from app.pages import Problem
from tests.pages.sample import GUIDER, Sample

NOW = datetime(2026, 11, 22, 15, 5, tzinfo=UTC)
TOO_LARGE = "This film is larger than the service takes. Deposit it in shorter pieces."
JOB = {"id": "j1", "address": "/jobs/j1", "percent": 40, "text": "Getting ready. 40 %"}


def film_samples() -> Iterator[Sample]:
    """The page of a visit in its states, and the list over all families."""
    yield _page("upload-first", unfinished=[], lapsed=[], films=[], not_agreed=[])
    yield _page("upload")
    yield _page("upload-wrong", problems=(Problem(TOO_LARGE, "film"),), unfinished=[], lapsed=[], films=[])
    yield _page("upload-closed", case={"id": "c1", "title": "Ava and Noah", "is_open": False}, unfinished=[], lapsed=[])
    yield Sample("uploads-none", "uploads.html", GUIDER, "/uploads", context=_list([], []))
    yield Sample("uploads", "uploads.html", GUIDER, "/uploads", context=_list([UNFINISHED], [LAPSED]))


UNFINISHED: dict[str, Any] = {
    "id": "u1",
    "case": "c1",
    "visit": "v1",
    "family": "Ava and Noah",
    "name": "VID_20261114_150512_a_very_long_name_as_some_phones_make_them.mp4",
    "size": 210_000_000,
    "said": "34 MB of 210 MB",
    "percent": 16,
    "begun_at": NOW,
    "expires_at": NOW,
    "ended_at": None,
    "fingerprint": "ab" * 32,
}
LAPSED = UNFINISHED | {"id": "u2", "name": "", "fingerprint": "", "expires_at": None, "ended_at": NOW}
FILM: dict[str, Any] = {
    "id": "f1",
    "name": "IMG_0412.MOV",
    "deposited_at": NOW,
    "tag": "Getting ready",
    "colour": "yellow",
    "job": JOB,
    "sentence": "",
    "is_ready": False,
    "is_rejected": False,
    "on_phone": True,
}
READY = FILM | {"id": "f2", "name": "IMG_0413.MOV", "tag": "Ready", "colour": "green", "job": None, "is_ready": True}
REJECTED = FILM | {
    "id": "f3",
    "is_rejected": True,
    "name": "screen.mkv",
    "tag": "Not usable",
    "colour": "red",
    "job": None,
    "sentence": "It holds no picture that we can show.",
}


def _page(name: str, *, problems: tuple[Problem, ...] = (), **other: Any) -> Sample:
    context: dict[str, Any] = {
        "case": {"id": "c1", "title": "Ava and Noah", "is_open": True},
        "visit": {"id": "v1", "on": date(2026, 11, 14)},
        "most_bytes": 40 * 2**30,
        "wait_hours": 24,
        "not_agreed": ["Ava Bell"],
        "unfinished": [UNFINISHED],
        "lapsed": [LAPSED],
        "films": [FILM, READY, READY | {"id": "f4", "on_phone": False}, REJECTED],
    }
    return Sample(name, "upload.html", GUIDER, problems=problems, context=context | other)


def _list(unfinished: list[dict[str, Any]], lapsed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"wait_hours": 24, "unfinished": unfinished, "lapsed": lapsed}
