"""When the epoch is rolled by itself: each night whatever the disposal did, and not at every try of one that fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.keeping import is_due, night_of

NIGHT = datetime(2026, 3, 3, 2, tzinfo=UTC)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("now", "swept", "begun", "waiting", "due"),
    [
        pytest.param(5 * MINUTES, None, -24 * HOURS, True, False, id="the sweep goes first"),
        pytest.param(5 * MINUTES, 4 * MINUTES, -24 * HOURS, False, True, id="each night, once the sweep is done"),
        pytest.param(5 * MINUTES, 4 * MINUTES, None, False, True, id="the first night of all"),
        pytest.param(HOURS, -22 * HOURS, -24 * HOURS, True, True, id="a sweep that fails puts it off by an hour only"),
        pytest.param(3 * HOURS, None, None, False, True, id="a sweep that is halted doesn't stop it"),
        pytest.param(9 * HOURS, None, -24 * HOURS, True, True, id="a night that nobody was up in is made up for"),
        pytest.param(HOURS + 5 * MINUTES, None, HOURS, True, False, id="a failing sweep's next try doesn't roll again"),
        pytest.param(2 * HOURS, None, HOURS, True, True, id="what its later tries destroyed is rolled in its turn"),
        pytest.param(2 * HOURS, None, HOURS, False, False, id="where they destroyed nothing there is no second roll"),
        pytest.param(9 * HOURS, None, HOURS, True, False, id="what the day destroys waits for the night"),
        pytest.param(9 * HOURS, 8 * HOURS, HOURS, True, True, id="but not what a late sweep destroyed"),
        pytest.param(9 * HOURS, 8 * HOURS, HOURS, False, False, id="which may have destroyed nothing"),
        pytest.param(5 * MINUTES, 4 * MINUTES, 9 * HOURS, True, True, id="a clock that was put back holds nothing up"),
    ],
)
def test_when_a_roll_is_due(
    now: timedelta, swept: timedelta | None, begun: timedelta | None, *, waiting: bool, due: bool
) -> None:
    found = is_due(
        at=NIGHT + now,
        night=NIGHT,
        swept_at=None if swept is None else NIGHT + swept,
        begun_at=None if begun is None else NIGHT + begun,
        waits=lambda: waiting,
    )
    assert found is due


@pytest.mark.parametrize(
    ("at", "begun"),
    [
        pytest.param(datetime(2026, 3, 3, 2, 0, tzinfo=UTC), datetime(2026, 3, 3, 2, tzinfo=UTC), id="on the hour"),
        pytest.param(datetime(2026, 3, 3, 1, 59, tzinfo=UTC), datetime(2026, 3, 2, 2, tzinfo=UTC), id="just before"),
        pytest.param(datetime(2026, 7, 3, 1, 30, tzinfo=UTC), datetime(2026, 7, 3, 1, tzinfo=UTC), id="in summer"),
        pytest.param(
            datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC), id="clocks change"
        ),
    ],
)
def test_a_night_begins_at_its_hour_in_england(at: datetime, begun: datetime) -> None:
    assert night_of(at, hour=2) == begun
