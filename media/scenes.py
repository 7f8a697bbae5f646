"""Where a new scene begins in a film."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from media.small import Picture

_THINNED = 8
_BINS = 32


class Scenes:
    """Tells where a new scene begins: by how much a picture differs from the one before, place by place and in all."""

    def __init__(self) -> None:
        self._thin: npt.NDArray[np.float32] | None = None
        self._shades: npt.NDArray[np.float64] | None = None
        self._usual = 0.0

    def starts(self, picture: Picture) -> bool:
        """Whether a scene begins with this picture; never with the first."""
        thin = picture.thinned(_THINNED)
        planes = thin.astype(np.uint8).reshape(3, -1) >> 3
        shades = np.concatenate([np.bincount(plane, minlength=_BINS) for plane in planes]) / thin.size
        before, shades_before = self._thin, self._shades
        self._thin, self._shades = thin, shades
        if before is None or shades_before is None:
            return False
        change = float(np.abs(thin - before).mean())
        shift = float(np.abs(shades - shades_before).sum() / 2)
        usual, self._usual = self._usual, 0.8 * self._usual + 0.2 * min(change, 30.0)
        return change > 12 + 2 * usual and (shift > 0.25 or change > 40)  # noqa: PLR2004 - found by trying
