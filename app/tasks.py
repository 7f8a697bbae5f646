"""What waits for a member of staff, for their first page."""

from __future__ import annotations

from typing import Any

import redaction
import retention
from app import pages
from app.service import Service
from app.shared_page import showings
from app.unfinished import unfinished
from identity import Actor, Role

_AREAS = {
    "/families": "People, visits, film and clips",
    "/checks": "Clips that wait for a second look",
    "/shared": "What families let you watch",
    "/caseload": "Who works with which family",
    "/records": "Alarms and figures",
    "/audit": "Who did what, and why",
    "/retention": "What is due to go",
    "/holds": "What must stay",
    "/certificates": "Proof of what is gone",
    "/accounts": "Who may sign in",
}
_WATCHERS = frozenset({Role.SOCIAL_WORKER, Role.CHAIR, Role.REFERRER, Role.TRAINER, Role.RESEARCHER, Role.LEGAL})


def tasks_of(service: Service, actor: Actor) -> dict[str, Any]:
    """Tasks and areas of ``staff_home.html``."""
    visitor = pages.staff_visitor("", roles=actor.roles)
    areas = [{"title": link.text, "href": link.href, "text": _AREAS.get(link.href, "")} for link in visitor.navigation]
    return {"tasks": _tasks(service, actor), "areas": areas}


def _tasks(service: Service, actor: Actor) -> list[dict[str, str]]:
    tasks = []
    if Role.GUIDER in actor.roles:
        begun = unfinished(service, actor)
        if begun:
            tasks.append(_task("Finish sending film", "/uploads", f"{len(begun)} unfinished", "yellow"))
    checks = redaction.checks_for(service.db, keystore=service.keystore, actor=actor)
    if checks:
        tasks.append(_task("Check who can be recognised", "/checks", f"{len(checks)} waiting", "yellow"))
    if actor.roles & _WATCHERS:
        shared = showings(service, actor)
        if shared:
            tasks.append(_task("Watch what families share with you", "/shared", f"{len(shared)} to watch", "blue"))
    if Role.IG_OFFICER in actor.roles:
        health = retention.health(service.db)
        if health.clock_leapt:
            tasks.append(_task("Say whether the clock is right", "/retention", "Stopped", "red"))
        if health.halted:
            tasks.append(_task("A sweep asks you", "/retention", "Stopped", "red"))
    return tasks


def _task(title: str, href: str, status: str, colour: str) -> dict[str, str]:
    return {"title": title, "href": href, "hint": "", "status": status, "colour": colour}
