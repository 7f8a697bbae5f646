"""HTTP statuses of the error classes: the only place that knows both."""

from __future__ import annotations

from app import tus
from core import errors

_STATUS: tuple[tuple[type[errors.VaultError], int], ...] = (
    (tus.WrongVersion, 412),
    (tus.WrongType, 415),
    (tus.Malformed, 400),
    (errors.Invalid, 422),
    (errors.NotSignedIn, 401),
    (errors.Refused, 403),
    (errors.NotFound, 404),
    (errors.Gone, 410),
    (errors.Conflict, 409),
    (errors.TooLarge, 413),
    (errors.RateLimited, 429),
    (errors.OutOfRoom, 507),
    (errors.Unavailable, 503),
    (errors.Damaged, 500),
)


def status_of(error: errors.VaultError) -> int:
    """The HTTP status of an error's class."""
    return next(status for kind, status in _STATUS if isinstance(error, kind))
