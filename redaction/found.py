"""What was found in footage, read once and remembered for a moment.

To follow people through a long film takes a second, and a guider takes many steps in a row. What is remembered is where
faces are in frames, in memory only, and is given out only where the asker was decided on just now.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from media.detections import Detections
from redaction.plan import check_whole
from redaction.track import Followed, follow

_MOST = 4
_lock = threading.Lock()
_remembered: OrderedDict[str, Found] = OrderedDict()


@dataclass(frozen=True, slots=True)
class Found:
    """Detections, and the people that they are."""

    detections: Detections
    followed: Followed


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
        Damaged: they can't be read, or don't speak of all of the film: better told now than once people are chosen.
    """
    detections = Detections.from_bytes(data)
    check_whole(detections)
    found = Found(detections, follow(detections))
    with _lock:
        _remembered[sha256] = found
        while len(_remembered) > _MOST:
            _remembered.popitem(last=False)
    return found
