"""Keys for everyone who seals, and their death.

One key per object, wrapped per case, wrapped per epoch; the epoch keys lie in a capsule under the root. What is
destroyed stays destroyed once the epoch has rolled: every copy of the old wrapping, wherever it lies, is then noise.
"""

from keys.bindings import object_binding, part_binding
from keys.capability import Capability, JobCapability
from keys.changes import Change, ChangeKind, Pulse
from keys.custody import RootFacts
from keys.damage import MOST_AT_ONCE, DamagedKey
from keys.fields import RecordKey, RecordOwner, blind_index, open_field, seal_field
from keys.files import read_passphrase_file, read_private
from keys.inventory import KeyLine, KeyStanding
from keys.keystore import KeyStore
from keys.models import KEYS_METADATA, PlaceKind, RollState
from keys.places import Loss, add_recovery, attest_gone, lose, require_known
from keys.recovery import Recovered, keys_in_use, recover
from keys.roll import RollReport
from keys.rooting import RootStanding
from keys.roots import Assurance, Destruction, Root
from keys.roots.choosing import root_from, root_needs
from keys.roots.given import Given, Needs, SecretFile, Typed
from keys.roots.local import Cost, LocalRoot
from keys.standing import Erasure, PlaceStanding, Standing, Survivor, SurvivorKind
from keys.wrap import WrapKind

__all__ = [
    "KEYS_METADATA",
    "MOST_AT_ONCE",
    "Assurance",
    "Capability",
    "Change",
    "ChangeKind",
    "Cost",
    "DamagedKey",
    "Destruction",
    "Erasure",
    "Given",
    "JobCapability",
    "KeyLine",
    "KeyStanding",
    "KeyStore",
    "LocalRoot",
    "Loss",
    "Needs",
    "PlaceKind",
    "PlaceStanding",
    "Pulse",
    "RecordKey",
    "RecordOwner",
    "Recovered",
    "RollReport",
    "RollState",
    "Root",
    "RootFacts",
    "RootStanding",
    "SecretFile",
    "Standing",
    "Survivor",
    "SurvivorKind",
    "Typed",
    "WrapKind",
    "add_recovery",
    "attest_gone",
    "blind_index",
    "keys_in_use",
    "lose",
    "object_binding",
    "open_field",
    "part_binding",
    "read_passphrase_file",
    "read_private",
    "recover",
    "require_known",
    "root_from",
    "root_needs",
    "seal_field",
]
