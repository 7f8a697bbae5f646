"""Which request is being answered just now, so that its log lines, its answer and its audit entries carry one number.

The number travels with the context (threads that work for a request inherit it), so no use case has to hand it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_CURRENT: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_request() -> str | None:
    """The number of the request that this code works for; nothing in background work."""
    return _CURRENT.get()


@contextmanager
def answering(request_id: str) -> Iterator[None]:
    """Work for a request as long as the block runs."""
    token = _CURRENT.set(request_id)
    try:
        yield
    finally:
        _CURRENT.reset(token)
