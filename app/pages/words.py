"""Times, lengths and sizes in words, as a tired reader takes them in. Times are stored in UTC and read in London.

In the hour that October has twice, a time says whether it is BST or GMT; at all other times that would only be noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

LONDON = ZoneInfo("Europe/London")
_MINUTE = 60
_KILO = 1000


def london(at: datetime) -> str:
    """A moment: ``22 November 2026 at 3:05pm``."""
    return f"{day(at)} at {time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """The time alone: ``3:05pm``, ``midday``, ``midnight``; ``1:30am (BST)`` where London has that time twice."""
    local = at.astimezone(LONDON)
    if local.minute == 0 and local.hour in {0, 12}:
        return "midday" if local.hour else "midnight"
    said = f"{local.hour % 12 or 12}:{local.minute:02}{'pm' if local.hour >= 12 else 'am'}"  # noqa: PLR2004 - noon
    is_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return f"{said} ({local.tzname()})" if is_twice else said


def day(on: date | datetime) -> str:
    """A day: ``22 November 2026``. A moment is the day that it is in London."""
    local = on.astimezone(LONDON) if isinstance(on, datetime) else on
    return f"{local.day} {local:%B %Y}"


def london_time(at: datetime) -> Markup:
    """A moment on a page: London's words for people, UTC for programs."""
    return Markup('<time datetime="{}">{}</time>').format(_utc(at), london(at))


def day_time(on: date | datetime) -> Markup:
    """A day on a page. A moment's is in UTC for programs, like every moment; a date is only a date."""
    machine = _utc(on) if isinstance(on, datetime) else on.isoformat()
    return Markup('<time datetime="{}">{}</time>').format(machine, day(on))


def seconds(length: timedelta | float) -> str:
    """A length of film, given in seconds: ``18 seconds``, ``2 minutes 5 seconds``."""
    whole = round(length.total_seconds() if isinstance(length, timedelta) else length)
    minutes, rest = divmod(whole, _MINUTE)
    if not minutes:
        return count(rest, "second")
    return count(minutes, "minute") + (f" {count(rest, 'second')}" if rest else "")


def megabytes(size: int) -> str:
    """A size given in bytes, in the units that phones show: ``850 KB``, ``34 MB``, ``2.1 GB``."""
    value = float(size)
    for unit in ("bytes", "KB", "MB"):
        if round(value) < _KILO:
            return f"{value:.0f} {unit}"
        value /= _KILO
    return f"{value:.1f} GB"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number of things: ``1 clip``, ``3 clips``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def joined(names: Sequence[str]) -> str:
    """Names in a row: "Ava, Noah and yourself"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
