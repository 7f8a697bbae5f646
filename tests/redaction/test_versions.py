"""One version of a clip goes out: the latest. A yes for one is none for another; an unchecked cover hides nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest

import consent
import identity
import redaction
import vault
from consent import Audience, Decision, Purpose
from core.errors import Conflict, NotFound, Refused
from core.ids import FootageId, PersonId, RenditionId
from redaction import CheckState
from tests.fakes import HandClock
from tests.families import Someone
from tests.redaction.faces import add_redacted
from tests.vault.agreeing import share_with_social_worker
from tests.vault.cinema import Cinema
from tests.vault.scene import add_clip
from vault.models import ClipRow


def blur(cinema: Cinema, *, content: bytes = b"a film with covers", persons: tuple[str, ...] = ()) -> RenditionId:
    return add_redacted(
        cinema.db, cinema.keystore, cinema.store, cinema.family, cinema.clip, content=content, persons=persons
    )


def attest(cinema: Cinema, rendition_id: RenditionId, *persons: PersonId) -> None:
    with cinema.db.begin() as session:
        at = cinema.db.clock.now()
        vault.attest(session, rendition_id, persons=frozenset(persons), by=cinema.family.staff.colleague.id, at=at)


def ask_check(cinema: Cinema, rendition_id: RenditionId) -> None:
    redaction.request_check(
        cinema.db,
        actor=cinema.guider.actor,
        rendition_id=rendition_id,
        checker=cinema.family.staff.colleague.id,
    )


def test_a_yes_for_the_original_is_no_yes_for_the_blurred_version(cinema: Cinema) -> None:
    share_with_social_worker(cinema.db, cinema.family, cinema.clip.rendition_id)
    cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)
    child = cinema.family.child
    blurred = blur(cinema, persons=(child,))
    attest(cinema, blurred, child)
    with pytest.raises(Refused, match="not_available"):
        cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER, rendition_id=blurred)


def test_what_was_shared_without_covers_is_dark_once_there_is_a_blurred_version(cinema: Cinema) -> None:
    share_with_social_worker(cinema.db, cinema.family, cinema.clip.rendition_id)
    cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)
    blur(cinema, persons=(cinema.family.child,))
    with pytest.raises(Refused, match="not_available"):
        cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER)


def test_a_yes_for_the_blurred_version_is_no_yes_for_the_original(cinema: Cinema) -> None:
    child = cinema.family.child
    blurred = blur(cinema, persons=(child,))
    attest(cinema, blurred, child)
    with cinema.db.read() as session:
        facts = vault.facts_for(session, blurred)
    worker = cinema.social_worker
    consent.ask(
        cinema.db,
        actor=cinema.guider.actor,
        rendition=facts,
        purpose=Purpose.SOCIAL_WORKER,
        audience=Audience(person=worker.id),
    )
    for parent in (cinema.family.mother, cinema.family.father):
        asked = consent.questions_for(cinema.db, actor=parent.actor)
        if asked:
            consent.grant(
                cinema.db,
                actor=parent.actor,
                questions=[one.id for one in asked],
                page_version=max(one.page_version for one in asked),
                notice=asked[0].notice.id,
            )
    with cinema.db.begin() as session:  # even if somebody attested the original after all
        cut = vault.facts_for(session, cinema.clip.rendition_id)
        at = cinema.db.clock.now()
        vault.attest(session, cut.id, persons=cut.persons_shown, by=cinema.family.staff.colleague.id, at=at)
    with pytest.raises(Refused, match="not_available"):
        cinema.begin(worker, Purpose.SOCIAL_WORKER)


def test_a_blurred_version_that_nobody_checked_goes_to_nobody_outside_the_family(cinema: Cinema) -> None:
    blurred = blur(cinema, persons=(cinema.family.child,))
    with pytest.raises(Refused, match="not_available"):
        cinema.begin(cinema.social_worker, Purpose.SOCIAL_WORKER, rendition_id=blurred)


def test_until_somebody_checked_it_a_cover_hides_nobody_from_having_a_say(cinema: Cinema) -> None:
    family = cinema.family
    blurred = blur(cinema, persons=(family.child,))
    with cinema.db.read() as session:
        assert vault.facts_for(session, blurred).persons_shown == {family.mother.id, family.father.id, family.child}
        assert vault.persons_listed(session, blurred) == {family.child}
    with pytest.raises(Refused, match="not_available"):  # the father is in it as long as only the guider says he isn't
        cinema.begin(family.mother, Purpose.FAMILY_REVIEW, rendition_id=blurred)
    attest(cinema, blurred, family.child)
    with cinema.db.read() as session:
        assert vault.facts_for(session, blurred).persons_shown == {family.child}
    cinema.begin(family.mother, Purpose.FAMILY_REVIEW, rendition_id=blurred)


def test_a_later_version_ends_the_one_before_and_its_check(cinema: Cinema) -> None:
    first = blur(cinema)
    ask_check(cinema, first)
    cinema.begin(cinema.family.staff.colleague, Purpose.CHECK, rendition_id=first)
    second = blur(cinema, content=b"with another cover")
    with pytest.raises(NotFound):
        redaction.attest(cinema.db, actor=cinema.family.staff.colleague.actor, rendition_id=first, persons=())
    with pytest.raises((NotFound, Refused)):
        cinema.begin(cinema.family.staff.colleague, Purpose.CHECK, rendition_id=first)
    (check,) = redaction.checks_in(
        cinema.db, keystore=cinema.keystore, actor=cinema.guider.actor, case_id=cinema.family.case_id
    )
    assert check.state is CheckState.TAKEN_BACK
    ask_check(cinema, second)


def test_the_version_made_last_is_the_one_that_goes_out_though_the_clock_went_back(
    cinema: Cinema, clock: HandClock
) -> None:
    first = blur(cinema)
    clock.move(timedelta(hours=-1))
    second = blur(cinema, content=b"with another cover")
    with cinema.db.read() as session:
        assert vault.is_current(session, second)
        assert not vault.is_current(session, first)


def test_only_the_latest_version_can_be_checked(cinema: Cinema) -> None:
    first = blur(cinema)
    blur(cinema, content=b"with another cover")
    with pytest.raises(Conflict, match="superseded"):
        ask_check(cinema, cinema.clip.rendition_id)
    with pytest.raises(Conflict, match="film_not_in_use"):
        ask_check(cinema, first)


def test_whoever_cut_the_clip_does_not_check_the_blurred_version_of_another_guider(cinema: Cinema) -> None:
    blurred = blur(cinema)
    colleague = cinema.family.staff.colleague
    with cinema.db.begin() as session:
        session.get_one(ClipRow, cinema.clip.clip_id).author = colleague.id
    with pytest.raises(Refused, match="checker_made_it"):
        ask_check(cinema, blurred)


def hand_over(cinema: Cinema, to: PersonId) -> None:
    identity.change_guider(
        cinema.db,
        keystore=cinema.keystore,
        actor=cinema.family.staff.manager.actor,
        case_id=cinema.family.case_id,
        staff=to,
        reason="A longer leave",
    )


def test_whoever_guided_while_people_were_chosen_does_not_check_what_their_successor_made(cinema: Cinema) -> None:
    colleague, guider = cinema.family.staff.colleague, cinema.guider
    hand_over(cinema, colleague.id)
    hand_over(cinema, guider.id)
    blurred = blur(cinema)
    with pytest.raises(Refused, match="checker_made_it"):
        ask_check(cinema, blurred)


def test_whoever_chose_for_another_clip_of_the_film_does_not_check_the_one_that_begins_from_it(
    cinema: Cinema, clock: HandClock
) -> None:
    for guider in (cinema.family.staff.colleague, cinema.guider):
        clock.move(timedelta(days=1))
        hand_over(cinema, guider.id)
    clock.move(timedelta(days=1))
    with cinema.db.read() as session:
        footage_id = FootageId(session.get_one(ClipRow, cinema.clip.clip_id).footage_id)
    cinema.clip = add_clip(
        cinema.db, cinema.keystore, cinema.store, cinema.family, footage_id, content=b"cut after they had left"
    )
    with pytest.raises(Refused, match="checker_made_it"):
        ask_check(cinema, blur(cinema))


def test_a_checker_who_guides_the_family_by_now_passes_nothing(cinema: Cinema) -> None:
    colleague = cinema.family.staff.colleague
    blurred = blur(cinema, persons=(cinema.family.child,))
    ask_check(cinema, blurred)
    viewing = cinema.begin(colleague, Purpose.CHECK, rendition_id=blurred)
    cinema.play(colleague, viewing.id)
    hand_over(cinema, colleague.id)
    with pytest.raises(Refused, match="checker_made_it"):
        redaction.attest(cinema.db, actor=colleague.actor, rendition_id=blurred, persons=(cinema.family.child,))
    with cinema.db.read() as session:
        assert vault.facts_for(session, blurred).attested_by is None


def test_faces_of_the_footage_are_none_of_a_checkers_business(cinema: Cinema) -> None:
    ask_check(cinema, cinema.clip.rendition_id)
    viewing = cinema.begin(cinema.family.staff.colleague, Purpose.CHECK)
    for read in (
        lambda: vault.read_detections(
            cinema.db,
            keystore=cinema.keystore,
            store=cinema.store,
            actor=cinema.family.staff.colleague.actor,
            viewing_id=viewing.id,
        ),
        lambda: vault.read_picture(
            cinema.db,
            keystore=cinema.keystore,
            store=cinema.store,
            actor=cinema.family.staff.colleague.actor,
            viewing_id=viewing.id,
            picture=vault.Picture.FACES,
        ),
    ):
        with pytest.raises(NotFound):
            read()


def test_at_home_a_clip_stands_once_unless_they_answered_about_an_earlier_version(cinema: Cinema) -> None:
    family = cinema.family
    blurred = blur(cinema, persons=(family.mother.id, family.child))

    def mine(someone: Someone) -> list[tuple[RenditionId, bool]]:
        clips = vault.clips_at_home(cinema.db, keystore=cinema.keystore, actor=someone.actor)
        return [(one.rendition_id, one.is_replaced) for one in clips]

    assert mine(family.mother) == [(blurred, False)]
    assert mine(family.father) == [(cinema.clip.rendition_id, True)]  # he is only in the one without covers


def test_answers_about_an_earlier_version_stay_where_they_can_be_seen(cinema: Cinema) -> None:
    share_with_social_worker(cinema.db, cinema.family, cinema.clip.rendition_id)
    blurred = blur(cinema, persons=(cinema.family.mother.id, cinema.family.child))
    clips = vault.clips_at_home(cinema.db, keystore=cinema.keystore, actor=cinema.family.mother.actor)
    assert {(one.rendition_id, one.is_replaced) for one in clips} == {
        (blurred, False),
        (cinema.clip.rendition_id, True),
    }
    assert {one.decision for one in consent.history(cinema.db, actor=cinema.family.mother.actor)} >= {Decision.GRANT}
