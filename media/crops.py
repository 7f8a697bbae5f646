"""Cutting a face and what is around it out of a frame, for a sheet of faces."""

from __future__ import annotations

from av.filter import Graph
from av.video.frame import VideoFrame

from media.jobs import Crop

_AROUND = 1.9
"""How many times the face's longer side is shown: hair, shoulders, what somebody is known by."""
_LEAST = 16


def cut_out(frame: VideoFrame, crop: Crop, *, side: int) -> bytes:
    """A square of a frame around a face, in ``side`` by ``side`` pixels of raw yuv420p.

    A square that would reach over an edge is moved inwards, and is never larger than the frame.

    Args:
        frame: upright, yuv420p.
        crop: the face.
        side: even.
    """
    size = min(max(_LEAST, round(_AROUND * max(crop.width, crop.height))), frame.width, frame.height) & ~1
    left = _within(crop.x + crop.width / 2 - size / 2, most=frame.width - size)
    top = _within(crop.y + crop.height / 2 - size / 2, most=frame.height - size)
    graph = Graph()
    last = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)
    steps = (
        ("crop", f"{size}:{size}:{left}:{top}"),
        ("scale", f"{side}:{side}:flags=bicubic"),
        ("format", "yuv420p"),
        ("buffersink", None),
    )
    for name, arguments in steps:
        node = graph.add(name, arguments)
        last.link_to(node)
        last = node
    graph.configure()
    graph.vpush(frame)
    made = graph.vpull()
    return b"".join(_rows(made, number) for number in range(3))


def _rows(frame: VideoFrame, number: int) -> bytes:
    plane = frame.planes[number]
    data = memoryview(plane)
    return b"".join(data[at : at + plane.width] for at in range(0, plane.height * plane.line_size, plane.line_size))


def _within(start: float, *, most: int) -> int:
    return int(min(max(0.0, start), most)) & ~1
