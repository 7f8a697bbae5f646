"""From wide colour and high range to what every screen shows (PURE): one table of colours, made once for a film.

Signals become light (ITU-R BT.2100: HLG at 1,000 cd/m², PQ; a gamma of 2.4 where the range is ordinary), brightness
is rolled off towards the white of an ordinary screen (ITU-R BT.2390, 5.4.1, on the largest of the three, so that hues
stay), primaries turn from BT.2020 to BT.709 (ITU-R BT.2087), and what no such screen can show is paled until it can.

libswscale can do the like; making its table takes five seconds each time a film is opened, this one a tenth of one.
"""

from __future__ import annotations

import math
import sys
from array import array
from enum import IntEnum
from functools import cache
from itertools import product

LEVEL = 5
"""The table is a Hald image: ``LEVEL`` cubed pixels wide and high, ``LEVEL`` squared steps for each colour."""
TOP = (1 << 16) - 1
"""What stands for the whole of a colour in it."""
_STEPS = LEVEL**2

_WHITE = 203.0  # cd/m² of a sheet of white paper: ITU-R BT.2408
_PEAK = 1000.0
_GAMMA = 2.4
_LUMA_2020 = (0.2627, 0.6780, 0.0593)
_LUMA_709 = (0.2126, 0.7152, 0.0722)
_TO_709 = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))

_HLG_A = 0.17883277
_HLG_B = 1 - 4 * _HLG_A
_HLG_C = 0.5 - _HLG_A * math.log(4 * _HLG_A)
_HLG_SYSTEM_GAMMA = 1.2
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32

_Colour = tuple[float, float, float]


class Transfer(IntEnum):
    """How a signal stands for light, as films number it (ITU-T H.273, table 3); anything else is of ordinary range."""

    ORDINARY = 1
    PQ = 16
    HLG = 18


@cache
def table(transfer: Transfer) -> bytes:
    """The pixels of a Hald image row by row, red, green and blue side by side, 16 bits each in this machine's order.

    Args:
        transfer: of the film, whose primaries are those of BT.2020.
    """
    lights = [_light_of(step / (_STEPS - 1), transfer=transfer) for step in range(_STEPS)]
    pixels = array("H")
    for blue, green, red in product(lights, repeat=3):
        shown = _shown(_rolled_off((red, green, blue), transfer=transfer))
        pixels.extend(round(part ** (1 / _GAMMA) * TOP) for part in shown)
    return pixels.tobytes()


def pixel_format() -> str:
    """What FFmpeg calls that (of colours in planes, its ``haldclut`` takes one for another)."""
    return "rgb48le" if sys.byteorder == "little" else "rgb48be"


def _light_of(signal: float, *, transfer: Transfer) -> float:
    """One channel's light: of the scene for HLG (0 to 1), of the screen in cd/m² otherwise."""
    match transfer:
        case Transfer.HLG:
            return signal**2 / 3 if signal <= 1 / 2 else (math.exp((signal - _HLG_C) / _HLG_A) + _HLG_B) / 12
        case Transfer.PQ:
            return _from_pq(signal)
        case Transfer.ORDINARY:
            return _WHITE * float(signal**_GAMMA)


def _rolled_off(colour: _Colour, *, transfer: Transfer) -> _Colour:
    """Light in parts of white, rolled off so that no part is above 1."""
    if transfer is Transfer.ORDINARY:
        return _scaled(colour, 1 / _WHITE)
    if transfer is Transfer.HLG:
        luminance = sum(weight * part for weight, part in zip(_LUMA_2020, colour, strict=True))
        colour = _scaled(colour, _PEAK * luminance ** (_HLG_SYSTEM_GAMMA - 1))
    most = max(colour)
    return _scaled(colour, _eased(most) / most / _WHITE) if most > 0 else colour


def _eased(light: float) -> float:
    """The roll-off: dark and middle tones as they are, the peak to white."""
    top = _to_pq(_PEAK)
    signal, most = min(1.0, _to_pq(light) / top), _to_pq(_WHITE) / top
    knee = 1.5 * most - 0.5
    if signal > knee:
        t = (signal - knee) / (1 - knee)
        signal = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return _from_pq(signal * top)


def _shown(colour: _Colour) -> _Colour:
    """In the primaries of BT.709, mixed with as much grey of the same luminance as brings all parts within 0 to 1."""
    turned = [sum(weight * part for weight, part in zip(row, colour, strict=True)) for row in _TO_709]
    grey = min(1.0, max(0.0, sum(weight * part for weight, part in zip(_LUMA_709, turned, strict=True))))
    keep = 1.0
    for part in turned:
        if part < 0:
            keep = min(keep, grey / (grey - part))
        elif part > 1:
            keep = min(keep, (1 - grey) / (part - grey))
    red, green, blue = (min(1.0, max(0.0, grey + keep * (part - grey))) for part in turned)
    return red, green, blue


def _scaled(colour: _Colour, by: float) -> _Colour:
    return colour[0] * by, colour[1] * by, colour[2] * by


def _from_pq(signal: float) -> float:
    power = signal ** (1 / _M2)
    return float(10_000 * (max(0.0, power - _C1) / (_C2 - _C3 * power)) ** (1 / _M1))


def _to_pq(light: float) -> float:
    power = (light / 10_000) ** _M1
    return float(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)
