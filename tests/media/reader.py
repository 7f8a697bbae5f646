"""An independent reader of working copies: another build of FFmpeg decodes, and the boxes are read here, by hand."""

from __future__ import annotations

import re
import struct
import subprocess
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from tests.media import chart

_TO_RGB = np.array([[1.0, 0.0, 1.5748], [1.0, -0.1873, -0.4681], [1.0, 1.8556, 0.0]])  # BT.709


@dataclass(frozen=True, slots=True)
class Track:
    """What the boxes of a track say.

    Attributes:
        kind: ``vide`` or ``soun``.
        scale: ticks a second.
        duration: of the track's media, in ticks.
        steps: length of samples as (how many, ticks).
        keys: numbers of key frames, from 1; empty where the track doesn't tell.
        matrix: nine numbers.
        boxes: the names in it, as paths.
        times: creation and modification times that it holds, of whichever header.
    """

    kind: bytes
    scale: int
    duration: int
    steps: tuple[tuple[int, int], ...]
    keys: tuple[int, ...]
    matrix: tuple[int, ...]
    boxes: frozenset[str]
    times: frozenset[int]


@dataclass(frozen=True, slots=True)
class Copy:
    """A decoded film.

    Attributes:
        pictures: each as height by width by red, green, blue.
        sound: samples from -1 to 1; empty where there is none.
        tracks: its tracks.
        top: the names of its outermost boxes.
        pixel_shape: width and height of a pixel, where its pictures tell.
    """

    pictures: tuple[chart.Picture, ...]
    sound: npt.NDArray[np.float64]
    tracks: tuple[Track, ...]
    top: tuple[str, ...]
    pixel_shape: tuple[int, int] | None

    @property
    def picture(self) -> Track:
        """The track of pictures."""
        (found,) = [track for track in self.tracks if track.kind == b"vide"]
        return found

    @property
    def rate(self) -> Fraction:
        """Frames a second; fails unless every frame lasts equally long."""
        ((_, ticks),) = self.picture.steps
        return Fraction(self.picture.scale, ticks)

    @property
    def numbers(self) -> list[int]:
        """The number on each picture."""
        return [chart.number_in(drawn) for drawn in self.pictures]

    @property
    def tone(self) -> tuple[float, float]:
        """When the tone begins and ends, in seconds."""
        loud = np.flatnonzero(np.abs(self.sound) > 0.1)
        return loud[0] / chart.SAMPLE_RATE, loud[-1] / chart.SAMPLE_RATE


def read(film: bytes) -> Copy:
    """Decode a film with the ffmpeg that isn't PyAV's, and read its boxes."""
    boxes = list(_boxes(film))
    moov = next(body for name, body in boxes if name == "moov")
    tracks = tuple(_track(body) for name, body in _boxes(moov) if name == "trak")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "film.mp4")
        path.write_bytes(film)
        told = _ffmpeg("-i", str(path), fails=True).decode()
        sound = _sound(path) if any(track.kind == b"soun" for track in tracks) else np.zeros(0)
        top = tuple(name for name, _ in boxes)
        return Copy(_pictures(path, told), sound, tracks, top, _pixel_shape(told))


def _pictures(path: Path, told: str) -> tuple[chart.Picture, ...]:
    size = re.search(r"Video: h264.*?, (\d+)x(\d+)", told)
    assert size, told
    width, height = int(size[1]), int(size[2])
    raw = _ffmpeg("-noautorotate", "-i", str(path), "-map", "0:v", "-fps_mode", "passthrough", *_RAW, "pipe:1")
    each = width * height * 3 // 2
    assert len(raw) % each == 0
    return tuple(_rgb(raw[at : at + each], width, height) for at in range(0, len(raw), each))


def _pixel_shape(told: str) -> tuple[int, int] | None:
    found = re.search(r"SAR (\d+):(\d+)", told)
    return (int(found[1]), int(found[2])) if found else None


_RAW = ("-f", "rawvideo", "-pix_fmt", "yuv420p")


def _sound(path: Path) -> npt.NDArray[np.float64]:
    raw = _ffmpeg("-i", str(path), "-map", "0:a", "-f", "s16le", "-ac", "1", "pipe:1")
    return np.frombuffer(raw, "<i2") / 32768


def _rgb(raw: bytes, width: int, height: int) -> chart.Picture:
    data, luma = np.frombuffer(raw, np.uint8), width * height
    y = data[:luma].reshape(height, width)
    u, v = (
        data[start : start + luma // 4].reshape(height // 2, width // 2).repeat(2, axis=0).repeat(2, axis=1)
        for start in (luma, luma * 5 // 4)
    )
    signal = np.stack([(y - 16.0) / 219, (u - 128.0) / 224, (v - 128.0) / 224], axis=2) @ _TO_RGB.T
    return np.asarray(np.rint(signal.clip(0, 1) * 255), np.uint8)


def _ffmpeg(*arguments: str, fails: bool = False) -> bytes:
    level = () if fails else ("-loglevel", "error")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *level, *arguments]
    done = subprocess.run(command, capture_output=True, check=not fails, timeout=120)
    return done.stderr if fails else done.stdout


def _boxes(data: bytes) -> list[tuple[str, bytes]]:
    found, at = [], 0
    while at < len(data):
        size, name, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8].decode("latin-1"), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        found.append((name, data[at + head : at + size]))
        at += size
    return found


def _paths(data: bytes, path: str) -> dict[str, bytes]:
    found = {}
    for name, body in _boxes(data):
        found[path + name] = body
        if name in {"edts", "mdia", "minf", "dinf", "stbl"}:
            found |= _paths(body, f"{path}{name}.")
    return found


def _track(trak: bytes) -> Track:
    inside = _paths(trak, "")
    mdhd, tkhd, stbl = inside["mdia.mdhd"], inside["tkhd"], "mdia.minf.stbl."
    steps = np.frombuffer(inside[f"{stbl}stts"][8:], ">u4").reshape(-1, 2)
    keys = np.frombuffer(inside.get(f"{stbl}stss", bytes(8))[8:], ">u4")
    return Track(
        kind=inside["mdia.hdlr"][8:12],
        scale=struct.unpack(">I", mdhd[12:16])[0],
        duration=struct.unpack(">I", mdhd[16:20])[0],
        steps=tuple((int(count), int(ticks)) for count, ticks in steps),
        keys=tuple(int(key) for key in keys),
        matrix=struct.unpack(">9i", tkhd[40:76]),
        boxes=frozenset(inside),
        times=frozenset(struct.unpack(">2I", mdhd[4:12]) + struct.unpack(">2I", tkhd[4:12])),
    )
