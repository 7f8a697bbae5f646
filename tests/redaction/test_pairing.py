"""Who is paired with whom at the least cost."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from redaction.pairing import cheapest

NEVER = 1e6


@pytest.mark.parametrize("likely", [0.1, 0.3, 0.7, 1.0], ids="each with {} of the others".format)
def test_it_finds_what_scipy_finds(likely: float) -> None:
    dice = np.random.default_rng(7)
    for _ in range(60):
        rows, columns = dice.integers(1, 12, 2)
        costs = np.where(dice.random((rows, columns)) < likely, dice.random((rows, columns)), NEVER)
        theirs = zip(*linear_sum_assignment(costs), strict=True)
        assert cheapest(costs.tolist(), never=NEVER) == [(a, b) for a, b in theirs if costs[a, b] < NEVER]


def test_two_dear_pairs_are_better_than_a_cheap_one() -> None:
    assert cheapest([[0.1, 5.0], [6.0, NEVER]], never=NEVER) == [(0, 1), (1, 0)]


def test_nobody_is_paired_where_nothing_fits() -> None:
    assert cheapest([[NEVER, NEVER]], never=NEVER) == []
    assert cheapest([], never=NEVER) == []
