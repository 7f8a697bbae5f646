"""Who is paired with whom at the least total cost (PURE): the Hungarian method, by shortest paths to a free place.

As many pairs as can be, and of all ways to make so many the cheapest one, as SciPy finds them
(``linear_sum_assignment``: D. F. Crouse, "On implementing 2D rectangular assignment algorithms", 2016). Faces of a film
fall into small groups that have nothing to do with each other, most of them one person and one face: each is solved
alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

Costs = Sequence[Sequence[float]]
"""A row for each who is to be paired, with what each place would cost them."""


def cheapest(costs: Costs, *, never: float) -> list[tuple[int, int]]:
    """The pairs of rows and columns, by row.

    Args:
        costs: of each with each; no row is longer than another.
        never: what costs as much isn't paired; it is far more than all that can be paired costs together.
    """
    found: list[tuple[int, int]] = []
    for rows, columns in _groups(costs, never=never):
        if len(rows) == len(columns) == 1:
            found.append((rows[0], columns[0]))
        elif len(rows) <= len(columns):
            taken = _places([[costs[row][column] for column in columns] for row in rows])
            found += [(rows[at], columns[place]) for at, place in enumerate(taken)]
        else:
            taken = _places([[costs[row][column] for row in rows] for column in columns])
            found += [(rows[place], columns[at]) for at, place in enumerate(taken)]
    return sorted((row, column) for row, column in found if costs[row][column] < never)


def _groups(costs: Costs, *, never: float) -> Iterator[tuple[list[int], list[int]]]:
    """Rows and columns that can be paired with each other, directly or by way of others; each row and column once."""
    open_to = [[column for column, cost in enumerate(row) if cost < never] for row in costs]
    wanted_by: dict[int, list[int]] = {}
    for row, columns in enumerate(open_to):
        for column in columns:
            wanted_by.setdefault(column, []).append(row)
    seen: set[int] = set()
    for first, columns in enumerate(open_to):
        if first in seen or not columns:
            continue
        rows, places, waiting = [], set(), [first]
        seen.add(first)
        while waiting:
            row = waiting.pop()
            rows.append(row)
            for column in open_to[row]:
                if column not in places:
                    places.add(column)
                    new = [other for other in wanted_by[column] if other not in seen]
                    seen.update(new)
                    waiting += new
        yield sorted(rows), sorted(places)


def _places(costs: Costs) -> list[int]:
    """Which column each row gets; there are no fewer columns than rows."""
    count = len(costs[0])
    row_price, column_price = [0.0] * len(costs), [0.0] * count
    owner: list[int | None] = [None] * count
    for first in range(len(costs)):
        far, before = [math.inf] * count, [-1] * count  # the shortest path so far to each column, and what it came by
        reached: list[int] = []
        row, column, length = first, -1, 0.0
        while True:
            for other in range(count):
                if other not in reached:
                    on = length + costs[row][other] - row_price[row] - column_price[other]
                    if on < far[other]:
                        far[other], before[other] = on, column
            column = min((other for other in range(count) if other not in reached), key=far.__getitem__)
            length = far[column]
            holder = owner[column]
            if holder is None:
                break
            reached.append(column)
            row = holder
        row_price[first] += length
        for other in reached:
            holder = owner[other]
            if holder is not None:
                row_price[holder] += length - far[other]
            column_price[other] -= length - far[other]
        while column != -1:  # everybody on the path moves on to the next place
            earlier = before[column]
            owner[column] = first if earlier == -1 else owner[earlier]
            column = earlier
    taken = {row: column for column, row in enumerate(owner) if row is not None}
    return [taken[row] for row in range(len(costs))]
