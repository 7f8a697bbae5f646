"""Poster and strip of a rendition: as secret as the film, sealed and read like it."""

from __future__ import annotations

from core.db import get, lock
from media import launcher
from vault.making import Span, Work
from vault.models import ObjectKind, ObjectRow, RenditionRow

_MILLISECONDS_EACH = 2000
_MOST = 60


def draw(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    """Make what is missing of a rendition's poster and strip.

    Raises:
        Fenced: the job is no longer this worker's.
        Unavailable: the sandbox failed.
    """
    middle = span.start + (span.end - span.start) // 4
    if rendition.poster_id is None:
        _poster(work, rendition, span=Span(span.stage, span.start, middle))
    if rendition.strip_id is None:
        _strip(work, rendition, span=Span(span.stage, middle, span.end))


def _poster(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    job = launcher.Poster(frame=rendition.frames // 2)
    made = work.make(job, of=_film(work, rendition), kind=ObjectKind.POSTER, media_type=launcher.JPEG, span=span)
    with work.db.begin() as session:
        work.own(session)
        lock(session, RenditionRow, rendition.id).poster_id = made.keep(session, work).id


def _strip(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    count = max(1, min(_MOST, rendition.frames, rendition.duration_ms // _MILLISECONDS_EACH))
    job = launcher.Strip(count=count)
    made = work.make(job, of=_film(work, rendition), kind=ObjectKind.STRIP, media_type=launcher.JPEG, span=span)
    grid = made.result.grid
    with work.db.begin() as session:
        work.own(session)
        row = lock(session, RenditionRow, rendition.id)
        row.strip_id = made.keep(session, work).id
        if grid is not None:
            row.strip_columns, row.strip_count = grid.columns, grid.count
            row.strip_width, row.strip_height = grid.width, grid.height


def _film(work: Work, rendition: RenditionRow) -> ObjectRow:
    with work.db.read() as session:
        return get(session, ObjectRow, rendition.object_id)
