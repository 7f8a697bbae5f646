"""Between cutting and checking: a bystander is covered, and what goes out shows nothing under the cover."""

from __future__ import annotations

import json
import re
import time

import ffmpeg
from imageio_ffmpeg import get_ffmpeg_exe

from app.demo.client import Browser, Unexpected, find
from app.demo.scene import PREPARED_WITHIN_SECONDS, Scene, expect

_REASON = "Somebody walked past the window"
_FLAT = 12
"""Grey levels between the brightest and the darkest pixel under a cover of one colour, after it was encoded."""
_INSIDE = {"w": "iw/12", "h": "ih/6", "x": "iw*11/24", "y": "ih*5/24"}
"""The middle of the place that is covered, so that its edges don't count."""


class Blurring(Scene):
    """From a clip to its blurred version."""

    __slots__ = ()

    def blur(self) -> str:
        """Faces are sought once; a cover is drawn by hand; a second window overwrites nothing; the version is made."""
        guider, path = self.staff["guider"].browser, f"/clips/{self.clip}/blur"
        guider.submit(f"{path}/look", {})
        self._wait_for(guider, path)
        page = guider.page(path)
        film = json.loads(find(r'data-state="([^"]+)"', page))
        cover = {"do": "place"} | _bystander(film["width"], film["height"])
        drawn = cover | {"region": "0", "frame": "0", "version": _version(page)}
        guider.submit(path, drawn)
        moved = guider.refused(path, drawn)[1]
        last = find(r'data-frames="(\d+)"', page)
        for step in (cover | {"region": "1", "frame": str(int(last) - 1)}, {"do": "paint", "style": "solid"}):
            guider.submit(path, step | {"version": _version(guider.page(path))})
        version = _version(guider.page(path))
        guider.submit(f"{path}/make", {"version": version, "reason": _REASON})
        self._wait_for(guider, path)
        page = guider.page(path)
        expect(page, "The blurred version")
        before, after = re.findall(r'data-film="(/media/[^"]+)"', page)
        if _spread(guider, before) <= _FLAT or _spread(guider, after) > _FLAT:
            message = "what was covered can be seen, or there was nothing to cover"
            raise Unexpected(message)
        shown = [self.people[name] for name in self.cast.shown]
        guider.submit(f"/clips/{self.clip}/persons", {"persons": shown})
        found = len(film["people"])
        return f"faces found: {found}; a place covered by hand in {last} frames; a second window answers {moved}"

    def _wait_for(self, guider: Browser, path: str) -> None:
        end = time.monotonic() + PREPARED_WITHIN_SECONDS
        while True:
            said = guider.http.get(f"{path}/progress").json()
            if said["state"] == "done":
                return
            if said["state"] == "failed" or time.monotonic() > end:
                raise Unexpected(said["text"])
            time.sleep(0.3)

    def require_covered(self, browser: Browser, page: str) -> None:
        """Have the film on a page show nothing where the bystander was.

        Raises:
            Unexpected: it does.
        """
        if _spread(browser, find(r'data-film="([^"]+)"', page)) > _FLAT:
            message = "what was covered can be seen"
            raise Unexpected(message)


def _version(page: str) -> str:
    return find(r'data-version="(\d+)"', page)


def _bystander(width: int, height: int) -> dict[str, str]:
    """Where somebody stands, for a form."""
    return {"x": str(width * 5 // 12), "y": str(height // 8), "width": str(width // 6), "height": str(height // 3)}


def _spread(browser: Browser, film: str) -> int:
    """How much brightness differs there in the first frame that a browser would show."""
    response = browser.http.get(film)
    response.raise_for_status()
    decoded, _ = (
        ffmpeg.input("pipe:")
        .filter("crop", **_INSIDE)
        .output("pipe:", format="rawvideo", pix_fmt="gray", frames=1)
        .run(cmd=get_ffmpeg_exe(), input=response.content, capture_stdout=True, quiet=True)
    )
    pixels: bytes = decoded
    return max(pixels) - min(pixels)
