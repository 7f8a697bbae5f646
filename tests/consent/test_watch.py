"""The watch: what a process knows of the cases that it serves, and for how long that counts."""

from __future__ import annotations

import threading
from datetime import timedelta

import identity
from consent import Permit, Reason, Watch
from core.ids import CaseId
from tests.consent.story import Story
from tests.fakes import HandClock


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_many_withdrawals_and_viewings_at_once_leave_no_fresh_permit_behind(story_on_both: Story) -> None:
    story = story_on_both
    story.everyone_agrees()
    watch = Watch(story.db)
    permits: list[Permit] = []
    barrier = threading.Barrier(4)

    def view() -> None:
        barrier.wait(timeout=30)
        answer = story.watch()
        if isinstance(answer, Permit):
            permits.append(answer)

    def stop() -> None:
        barrier.wait(timeout=30)
        story.stops(story.family.mother)

    threads = [threading.Thread(target=one) for one in (view, view, stop, view)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    at = story.db.clock.now()
    for permit in permits:
        watch.watch(permit.case_id, session=permit.inquiry.session)
        watch.look()
        assert not watch.fresh(permit, at=at)
        assert story.still(permit) is Reason.WITHDRAWN


def test_the_watch_sees_a_withdrawal_at_its_next_look(story_on_both: Story) -> None:
    story = story_on_both
    story.everyone_agrees()
    permit = story.permit()
    watch = Watch(story.db, monotonic=Seconds())
    told: list[tuple[CaseId, int]] = []
    watch.listen(lambda case_id, version: told.append((case_id, version)))
    with watch.watching(permit.case_id, session=permit.inquiry.session):
        at = story.db.clock.now()
        assert not watch.fresh(permit, at=at)
        watch.look()
        assert watch.fresh(permit, at=at)
        story.stops(story.family.father)
        watch.look()
        assert not watch.fresh(permit, at=at)
    assert told
    assert told[-1][0] == permit.case_id


def test_evidence_older_than_half_a_second_refuses(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    seconds = Seconds()
    watch = Watch(story.db, monotonic=seconds)
    with watch.watching(permit.case_id, session=permit.inquiry.session):
        watch.look()
        seconds.now += 0.5
        assert watch.fresh(permit, at=story.db.clock.now())
        seconds.now += 0.001
        assert not watch.fresh(permit, at=story.db.clock.now())


def test_the_age_counts_from_the_start_of_the_question_so_a_slow_answer_is_an_old_one(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    seconds = Seconds()

    class Slow:
        """The clock as a look reads it: the database takes its time."""

        def __init__(self) -> None:
            self.reads = 0

        def __call__(self) -> float:
            self.reads += 1
            return seconds.now + (0 if self.reads == 1 else 0.6)

    slow = Slow()
    watch = Watch(story.db, monotonic=slow)
    with watch.watching(permit.case_id, session=permit.inquiry.session):
        slow.reads = 0
        watch.look()
        assert not watch.fresh(permit, at=story.db.clock.now())


def test_the_watch_says_no_once_the_session_has_been_revoked(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    watch = Watch(story.db, monotonic=Seconds())
    with watch.watching(permit.case_id, session=permit.inquiry.session):
        watch.look()
        assert watch.fresh(permit, at=story.db.clock.now())
        identity.revoke_all_of(
            story.db, actor=story.family.staff.administrator.actor, person=story.family.staff.social_worker.id
        )
        watch.look()
        assert not watch.fresh(permit, at=story.db.clock.now())
    assert story.still(permit) is Reason.SESSION_ENDED


def test_the_thread_looks_by_itself_and_stops(story: Story) -> None:
    story.everyone_agrees()
    permit = story.permit()
    changed = threading.Event()
    with Watch(story.db) as watch, watch.watching(permit.case_id, session=permit.inquiry.session):
        watch.listen(lambda _case, _version: changed.set())
        while not watch.fresh(permit, at=story.db.clock.now()):
            changed.wait(timeout=0.05)
        story.stops(story.family.mother)
        assert changed.wait(timeout=30)
        assert not watch.fresh(permit, at=story.db.clock.now())
    assert not watch.fresh(permit, at=story.db.clock.now())


def test_the_first_who_watches_after_a_quiet_night_finds_a_watch_that_is_well(story: Story) -> None:
    seconds, looking, may_look = Seconds(), threading.Event(), threading.Event()

    class Slow(Watch):
        def look(self) -> None:
            looking.set()
            assert may_look.wait(30)
            super().look()

    with Slow(story.db, monotonic=seconds) as watch:
        seconds.now += 10_000
        assert watch.is_well
        with watch.watching(story.family.case_id):
            assert looking.wait(30)
            assert watch.is_well  # it has had no time to look
            seconds.now += 4
            assert not watch.is_well
            may_look.set()
            while not watch.is_well:
                threading.Event().wait(0.01)


def test_a_permit_of_its_own_end_is_not_fresh(story: Story, clock: HandClock) -> None:
    story.everyone_agrees()
    permit = story.permit()
    watch = Watch(story.db, monotonic=Seconds())
    with watch.watching(permit.case_id, session=permit.inquiry.session):
        watch.look()
        assert not watch.fresh(permit, at=permit.valid_until)
        assert watch.fresh(permit, at=permit.valid_until - timedelta(microseconds=1))
