"""One small frame as the detector gets it: yuv420p, BT.709, studio range, sides multiples of 32."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
Pixels = npt.NDArray[np.float32]
"""Planes of red, green and blue from 0 to 255, each height by width."""
Rect = tuple[int, int, int, int]
"""Left, top, right, bottom, in pixels; even."""
_BAND = 32
"""So many lines at a time stay in the processor's cache."""
_BLACK, _GREY = 16, 128
_LIGHT = np.float32(255 / 219)
_RED_OF_V, _GREEN_OF_U, _GREEN_OF_V, _BLUE_OF_U = (
    np.float32(part * 255 / 224) for part in (1.5748, -0.1873, -0.4681, 1.8556)
)
_RED, _GREEN, _BLUE = (
    np.float32(-_BLACK * _LIGHT - _GREY * of_both) for of_both in (_RED_OF_V, _GREEN_OF_U + _GREEN_OF_V, _BLUE_OF_U)
)
"""What black and grey make of each colour, taken off."""


class Size(IntEnum):
    """How large a part of a picture is looked at: as it is, or at half its width and height."""

    FULL = 1
    HALF = 2


@dataclass(frozen=True, slots=True)
class Picture:
    """Brightness, and two planes of colour of half its sides."""

    y: Plane
    u: Plane
    v: Plane

    @classmethod
    def of(cls, raw: Plane, *, width: int, height: int) -> Picture:
        """From all planes, one after the other; they must stay as they are."""
        light, half = width * height, (height // 2, width // 2)
        colours = raw[light:].reshape(2, *half)
        return cls(raw[:light].reshape(height, width), colours[0], colours[1])

    @property
    def whole(self) -> Rect:
        """All of it."""
        height, width = self.y.shape
        return 0, 0, width, height

    def pixels(self, rect: Rect, *, size: Size, cell: int, out: Pixels | None = None) -> Pixels:
        """A part of it, in the colours that a network wants.

        Args:
            rect: which part, with sides that are multiples of 4.
            size: how large.
            cell: black is added on the right and below until the sides are multiples of this.
            out: where to put them, if they may be overwritten later: fresh memory costs more than the work.
        """
        left, top, right, bottom = rect
        high, wide = (bottom - top) // size, (right - left) // size
        whole = _room((-(-high // cell) * cell, -(-wide // cell) * cell), out)
        whole[:, high:] = 0
        whole[:, :, wide:] = 0
        made = whole[:, :high, :wide]
        for at in range(top, bottom, _BAND):
            end = min(bottom, at + _BAND)
            half = np.s_[at // 2 : end // 2, left // 2 : right // 2]
            light, blue, red = self.y[at:end, left:right], self.u[half], self.v[half]
            band = made[:, (at - top) // size : (end - top) // size]
            if size is Size.HALF:
                _colour(means(light), blue, red, out=band, times=1)
            else:
                _colour(light, blue, red, out=band, times=2)
        return whole

    def thinned(self, step: int) -> Pixels:
        """Every so manyth point (an even number) of every so manyth line."""
        light, half = self.y[::step, ::step], np.s_[:: step // 2, :: step // 2]
        made = _room(light.shape, None)
        _colour(light, self.u[half], self.v[half], out=made, times=1)
        return made


def means(plane: Plane) -> Plane:
    """Of two by two points each."""
    sums = plane[0::2].astype(np.uint16)
    sums += plane[1::2]
    four = sums[:, 0::2] + sums[:, 1::2]
    four >>= 2
    return four.astype(np.uint8)


def _room(shape: tuple[int, ...], out: Pixels | None) -> Pixels:
    size = 3 * shape[0] * shape[1]
    return (np.empty(size, np.float32) if out is None else out[:size]).reshape(3, *shape)


def _colour(y: Plane, u: Plane, v: Plane, *, out: Pixels, times: int) -> None:
    """Red, green and blue of brightness and of colour that has ``times`` fewer points each way."""
    light = y.astype(np.float32)
    light *= _LIGHT
    blue, red = u.astype(np.float32), v.astype(np.float32)
    tints = (red * _RED_OF_V + _RED, blue * _GREEN_OF_U + red * _GREEN_OF_V + _GREEN, blue * _BLUE_OF_U + _BLUE)
    lines = light.reshape(-1, times, light.shape[1])
    for plane, tint in zip(out, tints, strict=True):
        wide = tint if times == 1 else tint.repeat(times, axis=1)
        np.add(lines, wide[:, np.newaxis], out=plane.reshape(lines.shape))
    np.clip(out, 0, 255, out=out)
