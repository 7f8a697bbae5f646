"""Poster and strip of a rendition: as secret as the film, sealed and read like it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.db import get, lock
from media import launcher
from vault.making import Made, Work
from vault.models import ObjectKind, ObjectRow, RenditionRow
from vault.reporting import Span

_MILLISECONDS_EACH = 2000
_MOST = 60


@dataclass(frozen=True, slots=True)
class Pictures:
    """Both, durable, of a film that nobody sees yet."""

    poster: Made
    strip: Made

    def hang(self, session: Session, work: Work, rendition: RenditionRow) -> None:
        """Pin them, in the transaction that makes the rendition visible."""
        rendition.poster_id = self.poster.keep(session, work).id
        _hang_strip(session, work, rendition, strip=self.strip)


def of_made(work: Work, film: Made, *, span: Span) -> Pictures:
    """Make both of a film that this worker has just made: they are shown with it, or nothing is.

    Raises:
        Fenced: the job is no longer this worker's.
        Unavailable: the sandbox failed.
    """
    first, second = _halves(span)
    result = film.result
    poster, strip = _poster(result.frames), _strip(result.frames, duration_ms=result.duration_ms)
    return Pictures(
        work.make_of(film, poster, kind=ObjectKind.POSTER, media_type=launcher.JPEG, span=first),
        work.make_of(film, strip, kind=ObjectKind.STRIP, media_type=launcher.JPEG, span=second),
    )


def draw(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    """Make what is missing of a rendition's poster and strip.

    Raises:
        Fenced: the job is no longer this worker's.
        Unavailable: the sandbox failed.
    """
    first, second = _halves(span)
    if rendition.poster_id is None:
        _draw_poster(work, rendition, span=first)
    if rendition.strip_id is None:
        _draw_strip(work, rendition, span=second)


def _draw_poster(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    job = _poster(rendition.frames)
    made = work.make(job, of=_film(work, rendition), kind=ObjectKind.POSTER, media_type=launcher.JPEG, span=span)
    with work.db.begin() as session:
        work.own(session)
        lock(session, RenditionRow, rendition.id).poster_id = made.keep(session, work).id


def _draw_strip(work: Work, rendition: RenditionRow, *, span: Span) -> None:
    job = _strip(rendition.frames, duration_ms=rendition.duration_ms)
    made = work.make(job, of=_film(work, rendition), kind=ObjectKind.STRIP, media_type=launcher.JPEG, span=span)
    with work.db.begin() as session:
        work.own(session)
        _hang_strip(session, work, lock(session, RenditionRow, rendition.id), strip=made)


def _hang_strip(session: Session, work: Work, rendition: RenditionRow, *, strip: Made) -> None:
    rendition.strip_id = strip.keep(session, work).id
    grid = strip.result.grid
    if grid is not None:
        rendition.strip_columns, rendition.strip_count = grid.columns, grid.count
        rendition.strip_width, rendition.strip_height = grid.width, grid.height


def _poster(frames: int) -> launcher.Poster:
    return launcher.Poster(frame=frames // 2)


def _strip(frames: int, *, duration_ms: int) -> launcher.Strip:
    return launcher.Strip(count=max(1, min(_MOST, frames, duration_ms // _MILLISECONDS_EACH)))


def _halves(span: Span) -> tuple[Span, Span]:
    middle = span.start + (span.end - span.start) // 4
    return Span(span.stage, span.start, middle), Span(span.stage, middle, span.end)


def _film(work: Work, rendition: RenditionRow) -> ObjectRow:
    with work.db.read() as session:
        return get(session, ObjectRow, rendition.object_id)
