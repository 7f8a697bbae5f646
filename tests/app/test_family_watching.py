"""Watching at home, and who else watched: professionals only, and nothing that the family mustn't be told yet."""

from __future__ import annotations

from datetime import timedelta

import consent
import identity
from app.service import Service
from consent import Action, LawfulBasis, Purpose
from core.ids import VisitId
from tests.app.asking import ask, save_all
from tests.app.browser import main_of
from tests.app.conftest import ClientFor
from tests.families import Family
from tests.vault.agreeing import share_with_social_worker
from tests.vault.scene import TITLE, Clip
from vault import attest, begin_viewing, facts_for, set_persons_shown

WORDS = "Words enough to say why this is needed, and why no more than this is shown."


def watched(service: Service, family: Family, clip: Clip) -> None:
    begin_viewing(
        service.db,
        actor=family.staff.social_worker.actor,
        rendition_id=clip.rendition_id,
        purpose=Purpose.SOCIAL_WORKER,
        action=Action.STREAM,
    )


def test_a_parent_watches_at_home_once_the_other_said_yes_to_them(
    service: Service, family: Family, clip: Clip, client_for: ClientFor
) -> None:
    ask(service, family, clip, (Purpose.FAMILY_REVIEW, family.mother), (Purpose.FAMILY_REVIEW, family.father))
    mother, father = client_for(family.mother.token), client_for(family.father.token)
    address = f"/your-clips/{clip.rendition_id}"
    refused = mother.get(address)
    assert refused.status_code == 403
    assert TITLE not in refused.text
    assert f"{address}/questions" in refused.text
    assert mother.code(address) == (403, "not_available")
    save_all(father, clip.rendition_id)
    page = mother.get(address).text
    assert 'data-film="/media/' in page
    assert "Answer the questions" in page
    father.post("/your-clips/stop-all")
    assert mother.get(address).content == refused.content


def test_who_watched_lists_professionals_and_never_family(
    service: Service, family: Family, clip: Clip, client_for: ClientFor
) -> None:
    mother = client_for(family.mother.token)
    assert "Nobody has watched your clips yet" in mother.get("/who-watched").text
    share_with_social_worker(service.db, family, clip.rendition_id)
    ask(service, family, clip, (Purpose.FAMILY_REVIEW, family.father))
    save_all(mother, clip.rendition_id)
    assert client_for(family.father.token).get(f"/your-clips/{clip.rendition_id}").status_code == 200
    watched(service, family, clip)
    page = main_of(mother.get("/who-watched").text)
    assert "Sam Okafor" in page
    assert "Social worker" in page
    assert TITLE in page
    assert "Father" not in page
    assert "Showing" not in page
    assert mother.get("/who-watched?page=2").status_code == 200


def test_what_was_shown_by_law_is_listed_only_when_the_family_may_be_told(
    service: Service, family: Family, clip: Clip, client_for: ClientFor
) -> None:
    at, staff = service.db.clock.now(), family.staff
    with service.db.begin() as session:
        persons = facts_for(session, clip.rendition_id).persons_shown
        attest(session, clip.rendition_id, persons=persons, by=staff.colleague.id, at=at)
    with service.db.read() as session:
        facts = facts_for(session, clip.rendition_id)
    mother = client_for(family.mother.token)
    before = [mother.get(path).content for path in ("/your-clips", "/who-watched")]
    for told in (None, at):
        proposed = consent.propose_override(
            service.db,
            keystore=service.keystore,
            actor=staff.manager.actor,
            rendition=facts,
            recipient=staff.social_worker.id,
            basis=LawfulBasis.SECTION_47,
            necessity=WORDS,
            proportionality=WORDS,
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            tell_family_on=told,
            not_told_because=None if told else WORDS,
        )
        consent.approve_override(service.db, actor=staff.officer.actor, override=proposed)
        if told is None:
            watched(service, family, clip)
            assert [mother.get(path).content for path in ("/your-clips", "/who-watched")] == before
            consent.end_override(service.db, actor=staff.officer.actor, override=proposed)
            service.db.clock.move(timedelta(minutes=1))  # type: ignore[attr-defined]  # the hand clock
    watched(service, family, clip)
    assert "By law, Sam Okafor could watch this" in mother.get("/your-clips").text
    page = mother.get("/who-watched").text
    assert page.count("Shown by law") == 1


def test_a_holder_who_is_not_in_the_film_learns_nothing_of_it_until_they_are_asked(
    service: Service, family: Family, clip: Clip, visit: VisitId, client_for: ClientFor
) -> None:
    shown = [family.mother.id, family.child]
    set_persons_shown(service.db, actor=family.staff.guider.actor, rendition_id=clip.rendition_id, persons=shown)
    father, mother = client_for(family.father.token), client_for(family.mother.token)
    ask(service, family, clip, (Purpose.SOCIAL_WORKER, family.staff.social_worker))
    save_all(mother, clip.rendition_id)
    assert TITLE not in father.get("/your-clips").text
    assert father.code(f"/your-clips/{clip.rendition_id}") == (404, "not_found")
    with service.db.read() as session:
        facts = facts_for(session, clip.rendition_id)
    consent.safe_to_ask(service.db, actor=family.staff.guider.actor, rendition=facts, person=family.father.id)
    ask(service, family, clip, (Purpose.SOCIAL_WORKER, family.staff.social_worker))
    page = main_of(father.get("/your-clips").text)
    assert TITLE in page
    assert "You answer for Kit Example" in page
    with service.db.read() as session:
        filmed = identity.visit(session, visit).visited_on
    assert f'datetime="{filmed.isoformat()}"' in mother.get("/your-clips").text
    assert "Filmed" not in page
