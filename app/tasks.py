"""What waits for a member of staff, for their first page."""

from __future__ import annotations

from typing import Any

from app import pages
from app.service import Service
from identity import Actor


def tasks_of(service: Service, actor: Actor) -> dict[str, Any]:
    """Tasks and areas of ``staff_home.html``."""
    del service
    visitor = pages.staff_visitor("", roles=actor.roles)
    areas = [{"title": link.text, "href": link.href, "text": _AREAS.get(link.href, "")} for link in visitor.navigation]
    return {"tasks": [], "areas": areas}


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
