"""From decoded pictures to raw frames of one size: upright, square pixels, 8-bit yuv420p, BT.709, studio range.

High dynamic range (HLG, PQ) and wide colour (BT.2020) go through a table of ``media.colour``. A picture that doesn't
say its matrix is taken for BT.709 from 720 lines on, else for BT.601, as players do. Of an interlaced picture, which
is two moments woven into one, the first is kept.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import av
from av.filter import Graph
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from media import colour
from media.colour import Transfer
from media.film import check_size, matrix_of
from media.jobs import Bounds
from media.timeline import fit, lies_on_its_side, turns

_UNSPECIFIED = 2
_HIGH_RANGE = frozenset({Transfer.PQ, Transfer.HLG})
_BT2020 = 9  # primaries: ITU-T H.273, table 2
_HD_LINES = 720
_TIME_BASE = Fraction(1, 1000)
_TABLE = "haldclut"
_TABLE_FORMAT = VideoFormat(colour.pixel_format())
_PIXELS = "yuv420p"


class Painter:
    """Makes raw frames of one size.

    Args:
        width, height: of what comes out, in pixels, even.
        bounds: for pictures that change their size within a film.
        threads: for converting colours.
        kernel: how their size is changed; for frames much smaller than the film, means of areas are cheaper.
    """

    def __init__(
        self, width: int, height: int, *, bounds: Bounds, threads: int, kernel: Literal["bicubic", "area"] = "bicubic"
    ) -> None:
        self.width = width
        self.height = height
        self._bounds = bounds
        self._threads = threads
        self._kernel = kernel
        self._graph: Graph | None = None
        self._graph_for: tuple[object, ...] = ()
        self._matrix: tuple[int, ...] | None = None
        self._painted = 0
        self._packer = av.CodecContext.create("rawvideo", "w")
        self._packer.width, self._packer.height, self._packer.pix_fmt = width, height, _PIXELS
        self._packer.time_base = Fraction(1, 1000)

    def paint(self, frame: VideoFrame) -> bytes:
        """One raw frame: all Y, then U, then V, without gaps.

        Raises:
            Unfit: the picture is larger than allowed.
        """
        return self.pack(self.upright(frame))

    def pack(self, upright: VideoFrame) -> bytes:
        """A frame of ``upright`` as bytes."""
        upright.pts = None
        (packet,) = self._packer.encode(upright)
        return bytes(packet)

    def upright(self, frame: VideoFrame) -> VideoFrame:
        """A frame of the size and colours that come out; it may be the decoder's own, so nothing may be written to it.

        Raises:
            Unfit: the picture is larger than allowed.
        """
        check_size(frame.width, frame.height, bounds=self._bounds)
        matrix = self._matrix_of(frame)
        colours = (frame.colorspace, frame.color_range, frame.color_trc, frame.color_primaries)
        kind = (frame.width, frame.height, frame.format.name, frame.interlaced_frame, colours, matrix)
        if kind != self._graph_for:
            self._graph, self._graph_for = self._graph_of(frame, matrix=matrix), kind
        graph = self._graph
        if graph is None:
            return frame
        frame.pts, self._painted = self._painted, self._painted + 1  # a table waits for times that rise
        graph.vpush(frame, at=0)
        return graph.vpull()

    def _matrix_of(self, frame: VideoFrame) -> tuple[int, ...] | None:
        """A frame's display matrix, asked of key frames only: PyAV keeps a frame that was asked for a long while."""
        if frame.key_frame or not self._graph_for:
            self._matrix = matrix_of(frame)
        return self._matrix

    def _graph_of(self, frame: VideoFrame, *, matrix: tuple[int, ...] | None) -> Graph | None:
        steps = self._steps(frame, matrix=matrix)
        if not steps:
            return None
        graph, table = Graph(), None
        last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE)
        for step in (*steps, f"format={_PIXELS}", "buffersink"):
            name, _, arguments = step.partition("=")
            node = graph.add(name, arguments or None)
            last.link_to(node)
            last = node
            if name == _TABLE:
                side = colour.LEVEL**3
                table = graph.add_buffer(width=side, height=side, format=_TABLE_FORMAT, time_base=_TIME_BASE)
                table.link_to(node, 0, 1)
        graph.configure()
        if table:
            table.push(_table_for(frame))
            table.push(None)
        return graph

    def _steps(self, frame: VideoFrame, *, matrix: tuple[int, ...] | None) -> tuple[str, ...]:
        sideways = lies_on_its_side(matrix)
        width, height = (self.height, self.width) if sideways else (self.width, self.height)
        wide = _is_wide(frame)
        woven = ("field=top",) if frame.interlaced_frame else ()
        plain = frame.format.name == _PIXELS and not (wide or woven) and frame.color_range != ColorRange.JPEG
        assumed = 1 if frame.height >= _HD_LINES else 5
        space = assumed if frame.colorspace == _UNSPECIFIED else frame.colorspace
        if plain and space == 1 and (frame.width, frame.height) == (width, height) and not turns(matrix):
            return ()
        resize = f"scale={width}:{height}:flags={self._kernel}:threads={self._threads}"
        to_709 = "out_color_matrix=bt709:out_range=tv"
        if wide:  # the size first: converting fewer pixels costs less
            unsaid = ":in_color_matrix=bt2020" if frame.colorspace == _UNSPECIFIED else ""
            coloured = (f"{resize}{unsaid}", f"format={_TABLE_FORMAT.name}", _TABLE, f"scale={to_709}")
            return (*woven, *coloured, *turns(matrix))
        if frame.colorspace == _UNSPECIFIED:
            resize += f":in_color_matrix={'bt709' if assumed == 1 else 'bt601'}"
        return (*woven, f"{resize}:{to_709}", *turns(matrix))


def upright_size(frame: VideoFrame, *, aspect: Fraction | None, long_side: int, short_side: int) -> tuple[int, int]:
    """Width and height of what a film becomes.

    Args:
        frame: its first picture.
        aspect: width over height of one of its pixels, if it says so.
        long_side: what its longer side must fit, in pixels.
        short_side: what its shorter side must fit.
    """
    width, height = frame.width * (aspect if aspect and aspect > 0 else Fraction(1)), Fraction(frame.height)
    if lies_on_its_side(matrix_of(frame)):
        width, height = height, width
    return fit((width, height), long_side=long_side, short_side=short_side)


def _is_wide(frame: VideoFrame) -> bool:
    return frame.color_trc in _HIGH_RANGE or frame.color_primaries == _BT2020


def _transfer_of(frame: VideoFrame) -> Transfer:
    return Transfer(frame.color_trc) if frame.color_trc in _HIGH_RANGE else Transfer.ORDINARY


def _table_for(frame: VideoFrame) -> VideoFrame:
    """The colours that a film's colours become, as a picture."""
    side = colour.LEVEL**3
    made = VideoFrame(side, side, colour.pixel_format())
    made.pts, made.time_base = 0, _TIME_BASE
    (plane,) = made.planes
    pixels, row = colour.table(_transfer_of(frame)), 6 * side
    rows = (pixels[start : start + row] for start in range(0, len(pixels), row))
    plane.update(b"".join(line.ljust(plane.line_size, b"\0") for line in rows))
    return made
