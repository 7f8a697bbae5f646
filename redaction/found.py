"""What was found in footage, read once and remembered for a moment.

To follow people through a long film takes a second, and a guider takes many steps in a row. What is remembered is where
faces are in frames, in memory only, and is given out only where the asker was decided on just now.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass

from media.detections import Detections, damaged
from redaction.plan import check_whole
from redaction.track import Followed, follow

_MOST = 4
_PLACE = struct.Struct(">IIii")
_lock = threading.Lock()
_remembered: OrderedDict[str, Found] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Found:
    """Detections, and the people that they are.

    Attributes:
        numbering: which number is who, as hex SHA-256. Another version of this program, or of a library that it reckons
            with, may make other people of the same detections; what was chosen by number then means somebody else.
    """

    detections: Detections
    followed: Followed
    numbering: str


def remembered(sha256: str) -> Found | None:
    """What was read lately under this hash."""
    with _lock:
        found = _remembered.get(sha256)
        if found is not None:
            _remembered.move_to_end(sha256)
        return found


def understood(data: bytes, *, sha256: str) -> Found:
    """Detections as they are kept, and the people in them.

    Raises:
        Damaged: they can't be read, have another hash than the child said that sealed them, or don't speak of all of
            the film: better told now than once people are chosen.
    """
    if hashlib.sha256(data).hexdigest() != sha256:
        damaged()
    detections = Detections.from_bytes(data)
    check_whole(detections)
    followed = follow(detections)
    found = Found(detections, followed, numbering(followed, found=detections))
    with _lock:
        _remembered[sha256] = found
        while len(_remembered) > _MOST:
            _remembered.popitem(last=False)
    return found


def numbering(followed: Followed, *, found: Detections) -> str:
    """Which number is who, as hex SHA-256: whose face is where, in the frames that were looked at.

    A cover's size may change without anybody's number.
    """
    places = hashlib.sha256()
    for track in followed.tracks:
        for one in track.sightings:
            if one.frame in found.looked:
                x, y = one.box.x + one.box.width / 2, one.box.y + one.box.height / 2
                places.update(_PLACE.pack(track.number, one.frame, round(x), round(y)))
    return places.hexdigest()
