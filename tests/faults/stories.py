"""The stories of the crash drill, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.faults.blurring import Blurring
from tests.faults.consenting import Consenting
from tests.faults.cutting import Cutting
from tests.faults.depositing import Depositing
from tests.faults.destroying import Destroying
from tests.faults.drill import Story
from tests.faults.putting import Putting
from tests.faults.rolling import Rolling
from tests.faults.upgrading import Upgrading

STORIES: Mapping[str, Callable[[], Story]] = {
    "an object": Putting,
    "a deposit": Depositing,
    "a clip": Cutting,
    "a blurred version": Blurring,
    "a grant and a withdrawal": Consenting,
    "a disposal": Destroying,
    "an upgrade": Upgrading,
    "a roll of the epoch": Rolling,
}
