"""Square codes, as inline SVG: no picture of a secret ever has an address of its own."""

from __future__ import annotations

import segno
from markupsafe import Markup

_SCALE = 4


def qr(content: str) -> Markup:
    """A QR code of an address or of an ``otpauth://`` secret, to be put into a page."""
    drawn = segno.make(content, error="m", micro=False).svg_inline(scale=_SCALE)
    return Markup(drawn)  # noqa: S704 - segno draws a path; nothing of the content stands in it as text
