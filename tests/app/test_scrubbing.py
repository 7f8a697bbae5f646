"""The worker's own slow reading of every object, the command, and what the officer is told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import vault
from app.duties import scrub_if_due
from app.service import Service
from tests.fakes import HandClock


def finished(service: Service) -> object:
    with service.db.read() as session:
        last = vault.last_scrub(session)
    return last and last.finished_at


def test_a_worker_reads_everything_some_weeks_after_the_last_time_and_not_before(service: Service) -> None:
    stop = threading.Event()
    scrub_if_due(service, stop=stop)
    first = finished(service)
    assert first is not None
    scrub_if_due(service, stop=stop)
    assert finished(service) == first
    assert isinstance(service.db.clock, HandClock)
    service.db.clock.move(service.settings.scrub_every + timedelta(minutes=1))
    never = replace(service, settings=replace(service.settings, scrub_rate=0))
    scrub_if_due(never, stop=stop)
    assert finished(service) == first
    scrub_if_due(service, stop=stop)
    assert finished(service) != first
