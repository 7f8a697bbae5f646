"""The third sandbox: looks at what the encoder made, lays it out anew, and seals it. It sees no film but the new one.

A film's samples are kept, sealed under a key of this run only, until the last has come; then the index is known, goes
first, and the samples follow. Nothing leaves before the parent has heard from all three children and says go.
"""

from __future__ import annotations

import hashlib
import os
import socket
from typing import NoReturn

from core.errors import Damaged, VaultError
from core.segments import SegmentReader, SegmentWriter
from media import still
from media.boxes import FragmentReader, unexpected
from media.detections import DETECTIONS, Detections
from media.jobs import JPEG, MP4
from media.layout import lay_out
from media.orders import FinishOrder, Output
from media.refusals import OUTPUT_UNEXPECTED, PROCESS_FAILED, Unfit
from media.wire import BrokenLine, Kind, Line

_READ = 256 * 1024
_MOST_DETECTIONS = 64 << 20


def main(fds: dict[str, int]) -> None:
    """Carry out one order.

    Args:
        fds: ``line``, and ``encoded``: where the encoder's output comes from.
    """
    line = Line(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=fds["line"]))
    try:
        order = FinishOrder.of(line.expect(Kind.ORDER).words())
        make = {MP4: _film, JPEG: _picture, DETECTIONS: _detections}[order.media_type]
        make(order, line=line, encoded=fds["encoded"])
    except Unfit as error:
        _fail(line, error.code)
    except BrokenLine:
        os._exit(1)
    except (LookupError, ValueError, Damaged):  # a box that is missing, or too short; or detections that can't be
        _fail(line, OUTPUT_UNEXPECTED)
    except (VaultError, MemoryError, OSError, ArithmeticError):
        _fail(line, PROCESS_FAILED)


def _fail(line: Line, code: str) -> NoReturn:
    line.post(Kind.FAIL, payload=code.encode())
    os._exit(1)


def _film(order: FinishOrder, *, line: Line, encoded: int) -> None:
    spool = SegmentWriter(
        order.spool.key,
        associated_data=order.spool.associated_data,
        write=lambda data: line.send(Kind.KEEP, payload=data),
    )
    reader = FragmentReader(lambda size: os.read(encoded, min(size, _READ)), keep=spool.write)
    reader.read_all()
    kept = spool.close()
    by_kind = {track.kind: track for track in reader.tracks.values()}
    picture, sound = by_kind[b"vide"], by_kind.get(b"soun")
    scale, frame_ticks = order.ticks
    shape = order.shape
    frames = len(picture.sizes)
    if (picture.scale, picture.width, picture.height) != (scale, shape.width, shape.height):
        unexpected()
    if bool(sound) != bool(shape.channels):
        unexpected()
    front, body_size = lay_out(
        picture,
        sound,
        frame_ticks=frame_ticks,
        samples=order.samples(frames),
        channels=shape.channels,
    )
    line.send(Kind.KEPT, number=frames)
    line.expect(Kind.GO)
    opened = SegmentReader(
        order.spool.key,
        associated_data=order.spool.associated_data,
        size=kept.ciphertext_size,
        header=kept.header,
        read_at=line.ask,
    )
    out = _Out(order, line=line)
    out.write(front)
    for piece in opened.segments(0, body_size):
        out.write(piece)
    out.close()


def _picture(order: FinishOrder, *, line: Line, encoded: int) -> None:
    data = bytearray()
    while piece := os.read(encoded, _READ):
        data += piece
        if len(data) > still.MOST_BYTES:
            unexpected()
    shape = order.shape
    still.check(bytes(data), size=(shape.width * max(1, shape.columns), shape.height * max(1, shape.rows)))
    line.send(Kind.KEPT, number=shape.frames)
    line.expect(Kind.GO)
    out = _Out(order, line=line)
    out.write(bytes(data))
    out.close()


def _detections(order: FinishOrder, *, line: Line, encoded: int) -> None:
    data = bytearray()
    while piece := os.read(encoded, _READ):
        data += piece
        if len(data) > _MOST_DETECTIONS:
            unexpected()
    found, shape = Detections.from_bytes(bytes(data)), order.shape
    if (found.width, found.height, found.fps) != (shape.film_width, shape.film_height, shape.rate):
        unexpected()
    line.send(Kind.KEPT, number=found.frames)
    line.expect(Kind.GO)
    out = _Out(order, line=line)
    out.write(found.to_bytes())
    out.close()


class _Out:
    """The sealed output on its way to the parent, hashed as it goes."""

    def __init__(self, order: FinishOrder, *, line: Line) -> None:
        self._line = line
        self._hash = hashlib.sha256()
        self._writer = SegmentWriter(
            order.sink.key,
            associated_data=order.sink.associated_data,
            write=lambda data: line.send(Kind.GIVE, payload=data),
        )

    def write(self, data: bytes) -> None:
        """Take the next piece of plaintext."""
        self._hash.update(data)
        self._writer.write(data)

    def close(self) -> None:
        """Seal the end and say what was made."""
        output = Output(self._writer.close(), self._hash.hexdigest())
        self._line.tell(Kind.DONE, **output.words())
