"""A working copy plays in real Chromium: right length, and each seek lands on its frame with few requests."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from media.launcher import Normalise
from tests import clips
from tests.chromium import started_chromium
from tests.media.helpers import Object, make

PLAY = """
async ([frames, rate]) => {
  const video = document.querySelector("video"), canvas = document.querySelector("canvas");
  const event = (name) => new Promise((yes, no) => {
    video.addEventListener(name, yes, {once: true});
    video.addEventListener("error", () => no(new Error(video.error.message)), {once: true});
  });
  const ready = event("loadeddata");
  video.src = "/film.mp4";
  await ready;
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const seen = [];
  for (const frame of frames) {
    const sought = event("seeked");
    video.currentTime = (frame + 0.5) / rate;
    await sought;
    await new Promise((yes) => requestAnimationFrame(() => requestAnimationFrame(yes)));
    pen.drawImage(video, 0, 0);
    let number = 0;
    for (let bit = 0; bit < 16; bit++) {
      const dot = pen.getImageData(canvas.width * (2 * bit + 1) / 32, canvas.height / 9, 1, 1).data;
      if (dot[0] > 128) number |= 1 << bit;
    }
    seen.push(number);
  }
  return {duration: video.duration, end: video.seekable.end(0), seen};
}
"""


@contextmanager
def served(film: bytes) -> Iterator[tuple[str, list[str]]]:
    """A page with a player and a film behind Range requests; gives its address and the ranges that were asked for."""
    asked: list[str] = []

    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not self.path.endswith(".mp4"):
                self._answer(
                    200, b"<!doctype html><video muted></video><canvas></canvas>", {"Content-Type": "text/html"}
                )
                return
            asked.append(self.headers["Range"])
            match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked[-1])
            assert match
            start, end = int(match[1]), int(match[2] or len(film) - 1)
            place = {"Content-Range": f"bytes {start}-{end}/{len(film)}", "Accept-Ranges": "bytes"}
            self._answer(206, film[start : end + 1], {"Content-Type": "video/mp4", **place})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("film", [clips.phone_mp4, clips.hevc_mov])
def test_a_working_copy_plays_and_seeks_to_the_very_frame(film: Any) -> None:
    made, result = make(Normalise(), Object.of(film()))
    frames = [0, 1, 44, 74, 29, 30, 31, 2, 60]
    with served(made.plain()) as (address, asked), started_chromium() as browser:
        page = browser.new_page()
        page.goto(address)
        played = page.evaluate(PLAY, [frames, float(result.fps)])
    assert played["seen"] == frames
    assert played["duration"] == played["end"] == result.duration_ms / 1000
    assert len(asked) <= 3
