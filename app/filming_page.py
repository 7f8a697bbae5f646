"""Agreeing to be filmed, and the visits at which people are, as their pages show them to the guider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import identity
from app.family_people import about, filming_of, names_of, title_of
from app.forms import Form
from app.service import Service
from consent import Decision, FilmingAnswer, How
from core.clock import day_in_england
from core.errors import Invalid
from core.ids import CaseId, PersonId
from identity import Actor, CaseView


def filming_context(service: Service, actor: Actor, *, case_id: CaseId) -> dict[str, Any]:
    """Everything of ``filming.html``."""
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    missing = filming_of(service, view)
    return {
        "case": {"id": case_id, "title": title_of(view)},
        "people": [
            {
                "id": one.id,
                "name": one.name,
                "about": about(one, at=day_in_england(service.db.clock.now())),
                "is_child": one.is_child,
                "said": "yes" if missing is not None and one.id not in missing else "",
            }
            for one in view.members
        ],
    }


def filming_answers(view: CaseView, form: Form, *, how: How, reference: str | None) -> list[FilmingAnswer]:
    """The answers of a posted filming agreement: each person's own, a holder's for a child, and the child's assent.

    Raises:
        Invalid: nobody was answered for, or no holder is known for a child.
    """
    answers: list[FilmingAnswer] = []
    yes_no = {"yes": Decision.GRANT, "no": Decision.REFUSE}
    for one in view.members:
        said = yes_no.get(form.optional(f"filming-{one.id}"))
        if said is None:
            continue
        speakers = [holder for holder, _ in one.holders] if one.is_child else [one.id]
        if not speakers:
            raise Invalid("no_holder", "Say first who has parental responsibility for them.", field=f"filming-{one.id}")
        answers += [
            FilmingAnswer(person=one.id, said_by=speaker, decision=said, how=how, scan_reference=reference)
            for speaker in speakers
        ]
        assent = form.optional(f"assent-{one.id}")
        if one.is_child and assent in {"yes", "no", "too_young"}:
            shown = Decision.REFUSE if assent == "no" else Decision.GRANT
            answers.append(FilmingAnswer(person=one.id, said_by=one.id, decision=shown, how=How.OBSERVED))
    if not answers:
        raise Invalid("missing", "Say for at least one person whether they agree.", field="how")
    return answers


def visit_context(service: Service, actor: Actor, *, case_id: CaseId) -> dict[str, Any]:
    """Everything of ``visit_new.html``."""
    view = identity.case_view(service.db, keystore=service.keystore, actor=actor, case_id=case_id)
    people = [{"id": one.id, "name": one.name} for one in view.members]
    return {"case": {"id": case_id, "title": title_of(view)}, "people": people}


def not_agreed(service: Service, view: CaseView, *, people: Iterable[PersonId]) -> list[str]:
    """Who of these people hasn't agreed to be filmed, by name."""
    return names_of(view, set(people) & (filming_of(service, view) or {}).keys())
