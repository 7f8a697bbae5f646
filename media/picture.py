"""From decoded pictures to raw frames of one size: upright, square pixels, 8-bit yuv420p, BT.709, studio range.

High dynamic range (HLG, PQ) is converted by libswscale's colour management: BT.2020 primaries to BT.709 with a
perceptual tone curve. A picture that doesn't say its matrix is taken for BT.709 from 720 lines on, else for BT.601,
as players do.
"""

from __future__ import annotations

from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from media.film import check_size, matrix_of
from media.jobs import Bounds
from media.timeline import fit, lies_on_its_side, turns

_UNSPECIFIED = 2
_HDR_TRANSFERS = frozenset({16, 18})  # SMPTE ST 2084 (PQ), ARIB STD-B67 (HLG): ITU-T H.273, table 3
_BT2020 = 9
_HD_LINES = 720


class Painter:
    """Makes raw frames of one size.

    Args:
        width, height: of what comes out, in pixels, even.
        bounds: for pictures that change their size within a film.
        threads: for converting colours.
    """

    def __init__(self, width: int, height: int, *, bounds: Bounds, threads: int) -> None:
        self.width = width
        self.height = height
        self._bounds = bounds
        self._threads = threads
        self._graph: Graph | None = None
        self._graph_for: tuple[object, ...] = ()
        self._packer = av.CodecContext.create("rawvideo", "w")
        self._packer.width, self._packer.height, self._packer.pix_fmt = width, height, "yuv420p"
        self._packer.time_base = Fraction(1, 1000)

    def paint(self, frame: VideoFrame) -> bytes:
        """One raw frame: all Y, then U, then V, without gaps.

        Raises:
            Unfit: the picture is larger than allowed.
        """
        check_size(frame.width, frame.height, bounds=self._bounds)
        matrix = matrix_of(frame)
        kind = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range, matrix)
        if kind != self._graph_for:
            self._graph, self._graph_for = self._graph_of(frame, matrix=matrix), kind
        graph = self._graph
        if graph is None:
            upright = frame
        else:
            graph.vpush(frame)
            upright = graph.vpull()
        upright.pts = None
        (packet,) = self._packer.encode(upright)
        return bytes(packet)

    def _graph_of(self, frame: VideoFrame, *, matrix: tuple[int, ...] | None) -> Graph | None:
        steps = self._steps(frame, matrix=matrix)
        if not steps:
            return None
        graph = Graph()
        last = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
        )
        for step in (*steps, "format=yuv420p", "buffersink"):
            name, _, arguments = step.partition("=")
            node = graph.add(name, arguments or None)
            last.link_to(node)
            last = node
        graph.configure()
        return graph

    def _steps(self, frame: VideoFrame, *, matrix: tuple[int, ...] | None) -> tuple[str, ...]:
        sideways = lies_on_its_side(matrix)
        width, height = (self.height, self.width) if sideways else (self.width, self.height)
        high_range = frame.color_trc in _HDR_TRANSFERS or frame.color_primaries == _BT2020
        plain = (
            frame.format.name == "yuv420p"
            and not high_range
            and frame.color_range != av.video.reformatter.ColorRange.JPEG
        )
        assumed = 1 if frame.height >= _HD_LINES else 5
        space = assumed if frame.colorspace == _UNSPECIFIED else frame.colorspace
        if plain and space == 1 and (frame.width, frame.height) == (width, height) and not turns(matrix):
            return ()
        scale = f"scale={width}:{height}:flags=bicubic:threads={self._threads}:out_color_matrix=bt709:out_range=tv"
        if frame.colorspace == _UNSPECIFIED:
            scale += f":in_color_matrix={'bt709' if assumed == 1 else 'bt601'}"
        if high_range:
            smaller = f"scale={width}:{height}:flags=bicubic"  # first: converting fewer pixels costs less
            return (smaller, f"{scale}:out_primaries=bt709:out_transfer=bt709:intent=perceptual", *turns(matrix))
        return (scale, *turns(matrix))


def upright_size(frame: VideoFrame, *, aspect: Fraction | None, long_side: int, short_side: int) -> tuple[int, int]:
    """Width and height of what a film becomes.

    Args:
        frame: its first picture.
        aspect: width over height of one of its pixels, if it says so.
        long_side: what its longer side must fit, in pixels.
        short_side: what its shorter side must fit.
    """
    width, height = frame.width, frame.height
    if aspect and aspect > 0 and aspect != 1:
        width = max(1, round(width * aspect))
    if lies_on_its_side(matrix_of(frame)):
        width, height = height, width
    return fit((width, height), long_side=long_side, short_side=short_side)
