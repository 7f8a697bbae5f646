"""What a film's frames become on their way to the encoder: as they are, or with everything covered that must be."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from av.video.frame import VideoFrame

from media.covers import Covers
from media.picture import Painter
from media.refusals import COVERS_UNFIT_CODE, Unfit

Pieces: TypeAlias = tuple[bytes | memoryview, ...]


class Renderer(Protocol):
    """Makes the raw frames that leave the decoder."""

    def render(self, number: int, frame: VideoFrame) -> Pieces:
        """One frame in pieces: all Y, then U, then V, without gaps; what it gives is void after the next call.

        Args:
            number: of the frame in the working copy.
            frame: the picture that is shown there; the same one again where a picture stays.
        """


class Bare:
    """Frames as they are, straight from the decoder's memory where they lie there without gaps."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._of: tuple[VideoFrame, ...] = ()
        self._pieces: Pieces = ()

    def render(self, number: int, frame: VideoFrame) -> Pieces:
        """As ``Renderer``; a repeated picture needs no second conversion."""
        del number
        if frame not in self._of[:1]:
            upright = self._painter.upright(frame)
            self._pieces = _planes(upright) or (self._painter.pack(upright),)
            self._of = (frame, upright)
        return self._pieces


class Covered:
    """Frames with their covers painted on; a frame of which the covers don't speak is never given out.

    Raises:
        Unfit: the covers are for frames of another size.
    """

    def __init__(self, painter: Painter, *, covers: Covers) -> None:
        if (covers.width, covers.height) != (painter.width, painter.height):
            raise Unfit(COVERS_UNFIT_CODE)
        from media.painting import Canvas  # noqa: PLC0415 - numpy's start is paid for only where something is covered

        self._painter = painter
        self._covers = covers
        self._canvas = Canvas(width=painter.width, height=painter.height)
        self._upright: VideoFrame | None = None
        self._of: VideoFrame | None = None

    def render(self, number: int, frame: VideoFrame) -> Pieces:
        """As ``Renderer``; where nothing is covered, nothing is copied either.

        Raises:
            Unfit: the covers don't speak of this frame.
        """
        try:
            covers = self._covers.at(number)
        except LookupError as error:
            raise Unfit(COVERS_UNFIT_CODE) from error
        if self._upright is None or frame is not self._of:
            self._upright, self._of = self._painter.upright(frame), frame
        upright = self._upright
        if not covers and (pieces := _planes(upright)):
            return pieces
        if all(plane.line_size > 0 for plane in upright.planes):
            self._canvas.take(upright)
        else:  # it is upside down in memory
            self._canvas.take_raw(self._painter.pack(upright))
        self._canvas.cover(covers)
        return (self._canvas.raw,)


def _planes(frame: VideoFrame) -> Pieces:
    """A frame's planes; none where its lines don't follow one another."""
    if any(plane.line_size != plane.width for plane in frame.planes):
        return ()
    return tuple(memoryview(plane)[: plane.width * plane.height] for plane in frame.planes)
