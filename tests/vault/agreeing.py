"""People saying yes, by the real use cases."""

from __future__ import annotations

import consent
from consent import Audience, Decision, FilmingAnswer, How, Purpose
from core.db import Database
from core.ids import PersonId, RenditionId
from keys import KeyStore
from tests.families import Family
from vault import attest, facts_for


def agree_to_filming(db: Database, keystore: KeyStore, family: Family) -> None:
    """Mother, father and, by the mother and by their own sign, the child."""
    consent.publish_notices(db)
    said = [
        (family.mother.id, family.mother.id, How.WITNESSED_TABLET),
        (family.father.id, family.father.id, How.WITNESSED_TABLET),
        (family.child, family.mother.id, How.WITNESSED_TABLET),
        (family.child, family.father.id, How.WITNESSED_TABLET),
        (family.child, family.child, How.OBSERVED),
    ]
    consent.record_filming(
        db,
        keystore=keystore,
        actor=family.staff.guider.actor,
        case_id=family.case_id,
        answers=[FilmingAnswer(person, by, Decision.GRANT, how) for person, by, how in said],
    )


def share_with_social_worker(db: Database, family: Family, rendition_id: RenditionId) -> None:
    """A colleague attests who is shown, both parents are asked and say yes, for themselves and for the child."""
    with db.begin() as session:
        facts = facts_for(session, rendition_id)
        attest(session, rendition_id, persons=facts.persons_shown, by=family.staff.colleague.id, at=db.clock.now())
    with db.read() as session:
        facts = facts_for(session, rendition_id)
    consent.ask(
        db,
        actor=family.staff.guider.actor,
        rendition=facts,
        purpose=Purpose.SOCIAL_WORKER,
        audience=Audience(person=PersonId(family.staff.social_worker.id)),
    )
    for parent in (family.mother, family.father):
        asked = [one for one in consent.questions_for(db, actor=parent.actor) if one.purpose is Purpose.SOCIAL_WORKER]
        consent.grant(
            db,
            actor=parent.actor,
            questions=[one.id for one in asked],
            page_version=max(one.page_version for one in asked),
            notice=asked[0].notice.id,
        )
