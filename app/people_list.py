"""The people in a clip as the page of choices lists them: whoever is seen longest first, a dozen at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from app.listing import cut
from app.pages.words import seconds
from core.ids import ClipId, PersonId, ViewingId
from redaction import Choosing, Somebody
from vault import Looking

SIZE = 12
"""People on a page: in a street there are hundreds, most of them for a moment."""
_CLEAR, _IN_PART = 0.6, 0.35
"""The detector's score from which a face is clear to it, and from which it is taken for one."""
_PAGE, _ORDER, _AS_THEY_COME = "people", "order", "first"


def listed(
    request: Request,
    found: Choosing,
    *,
    looking: Looking,
    film: ViewingId | None,
    names: Mapping[PersonId, str],
    rate: float,
) -> dict[str, Any]:
    """The page of people that is asked for, and what is said about all of them."""
    path = f"/clips/{found.clip.id}/blur"
    as_they_come = request.query_params.get(_ORDER) == _AS_THEY_COME
    order = sorted(found.somebody, key=lambda one: one.first if as_they_come else -one.frames)
    shown = cut(request, path, order, of=("person", "people"), size=SIZE, name=_PAGE)
    grid = _grid(looking, film)
    kept: dict[str, list[int]] = {}
    for one in order:
        if one.kept:
            kept.setdefault(names.get(one.kept, ""), []).append(one.number)
    page_of = {one.number: place // SIZE + 1 for place, one in enumerate(order)}
    ordered = f"{_ORDER}={_AS_THEY_COME}&" if as_they_come else ""
    return {
        "people": [_person(one, names=names, rate=rate, grid=grid) for one in shown.lines],
        "page_of": page_of,
        "how_many": len(order),
        "kept": [
            {
                "name": name,
                "numbers": [
                    {"number": one, "address": f"{path}?{ordered}{_PAGE}={page_of[one]}#person-{one}"} for one in each
                ],
            }
            for name, each in kept.items()
        ],
        "pages": shown.pages,
        "as_they_come": as_they_come,
        "other_order": f"{path}#people" if as_they_come else f"{path}?{_ORDER}={_AS_THEY_COME}#people",
        "here": address(request, found.clip.id),
    }


def address(request: Request, clip_id: ClipId) -> str:
    """The page of choices with the same people on it."""
    page, order = request.query_params.get(_PAGE, ""), request.query_params.get(_ORDER, "")
    asked = [f"{_ORDER}={_AS_THEY_COME}"] if order == _AS_THEY_COME else []
    asked += [f"{_PAGE}={page}"] if page.isascii() and page.isdigit() else []
    return f"/clips/{clip_id}/blur" + (f"?{'&'.join(asked)}" if asked else "")


def clock(frame: int, *, rate: float) -> str:
    """A moment of a clip, as its timeline shows it: ``0:07.20``."""
    minutes, rest = divmod(frame / rate, 60)
    return f"{int(minutes)}:{rest:05.2f}"


def _how_clear(score: float) -> str:
    if score >= _CLEAR:
        return "Seen clearly"
    return "Not always clear" if score >= _IN_PART else "Hardly seen: it may be no face"


def _grid(looking: Looking, film: ViewingId | None) -> Mapping[str, Any] | None:
    if film is None or not looking.columns:
        return None
    pictured = min(looking.people, 200)
    rows = -(-pictured // looking.columns)
    return {
        "href": f"/media/{film}/faces",
        "columns": looking.columns,
        "width": looking.width,
        "height": looking.height,
        "whole_width": looking.columns * looking.width,
        "whole_height": rows * looking.height,
    }


def _person(
    one: Somebody, *, names: Mapping[PersonId, str], rate: float, grid: Mapping[str, Any] | None
) -> dict[str, Any]:
    still = None
    if grid is not None and one.still is not None:
        row, column = divmod(one.still, grid["columns"])
        still = {**grid, "x": column * grid["width"], "y": row * grid["height"]}
    return {
        "number": one.number,
        "numbers": list(one.numbers),
        "still": still,
        "first": one.first,
        "at": clock(one.first, rate=rate),
        "seen": seconds(max(1.0, one.frames / rate)),
        "how_clear": _how_clear(one.score),
        "kept": bool(one.kept),
        "name": names.get(one.kept, "") if one.kept else "",
    }
