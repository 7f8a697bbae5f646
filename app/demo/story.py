"""The main job, step by step over HTTP, as the README tells it. Each step either holds or raises ``Unexpected``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.demo.client import find
from app.demo.ending import Ending
from app.demo.opening import Opening
from app.demo.people import code_from
from app.demo.scene import CHILD, CONTACTS, FATHER, MOTHER, SIBLING, STAFF, TITLE
from app.demo.sharing import Sharing

__all__ = ["CHILD", "CONTACTS", "FATHER", "MOTHER", "SIBLING", "STAFF", "TITLE", "NewInvitation", "Story"]


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """A link, and the code that went to the person's own phone."""

    address: str
    code: str


class Story(Opening, Sharing, Ending):
    """All chapters in order. Args as in ``Scene``."""

    __slots__ = ()

    @property
    def steps(self) -> list[tuple[str, Callable[[], str]]]:
        """What happens, in order: a sentence, and what does it (which returns a remark)."""
        return [
            ("A store is made and the first administrator signs in", self.make_store),
            ("A manager opens a case; a guider with the family on their caseload is refused", self.open_case),
            ("The family agrees to be filmed", self.agree_to_filming),
            ("The guider deposits the film, through a lost signal and a power cut", self.deposit),
            ("The film is made ready in a sandbox", self.wait_until_ready),
            ("The guider cuts a clip to the frame and says who can be seen", self.cut),
            ("A bystander is covered by hand, and a version is made that shows nothing there", self.blur),
            ("A colleague off the case checks who can be recognised", self.check),
            ("Guider and parents watch together", self.watch_together),
            ("The social worker sees nothing yet, not even the title", self.nothing_before_consent),
            ("The family is asked, each parent on their own phone", self.ask),
            ("Mother and father say yes, one question a page, each with a receipt", self.answer),
            ("The social worker watches, with seeking; a conference can't", self.watch),
            ("The father stops sharing while the social worker watches", self.withdraw),
            ("The clock moves on; what is due is shown, and the brake halts it", self.retain),
            ("A second look, the officer approves, keys are gone, certificates made", self.destroy),
            ("Every step is in the audit log, which an outsider can verify", self.audit),
        ]

    def new_invitations(self) -> dict[str, NewInvitation]:
        """Fresh invitations for whoever looks around afterwards: the parents' devices were the demonstration's."""
        guider = self.staff["guider"]
        guider.sign_in()
        made = {}
        for name in (self.cast.mother, self.cast.father):
            page = guider.browser.submit(
                f"/families/{self.case}/invitations", {"person": self.people[name]}, status=200
            )
            link = find(r"(http[^\s<\"]+/invitation/[^\s<\"]+)", page)
            made[name] = NewInvitation(link, code_from(self.served.messages, to=self.cast.contacts[name]))
        return made
