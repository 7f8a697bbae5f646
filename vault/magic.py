"""What the first bytes of a film look like: a quick no to what is certainly none.

The sandboxed media process decides what a film is; this only spares people the sending of two gigabytes of something
else, and spares the service the keeping of it.
"""

from __future__ import annotations

HEAD_SIZE = 64
_SHORTEST = 12
_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"})
_STILLS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"crx ", b"jpeg"})
_MATROSKA = b"\x1a\x45\xdf\xa3"


def may_be_film(head: bytes) -> bool:
    """Whether a file that begins like this can be an ISO (MP4, MOV, 3GP) or Matroska (MKV, WebM) film.

    Args:
        head: its first bytes; too few to tell give the benefit of the doubt.
    """
    if len(head) < _SHORTEST:
        return True
    if head.startswith(_MATROSKA):
        return True
    return head[4:8] in _FIRST_BOXES and not (head[4:8] == b"ftyp" and head[8:12] in _STILLS)
