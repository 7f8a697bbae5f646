"""The machine: Python and its libraries, the kernel, the walls around film, limits, swap, the clock's discipline."""

from __future__ import annotations

import ctypes
import platform
import re
import resource
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from app.doctor.findings import Finding, fault, fine, left_out, warning
from media import launcher

OLDEST_KERNEL = (5, 13)
FEWEST_FILES = 1024
LEAST_MEMORY_BYTES = 2 * 2**30
_LOCKS = (
    Path(__file__).resolve().parents[2] / "requirements.lock",
    Path(sys.prefix) / "share" / "vig-vault" / "requirements.lock",
)
"""In a checkout; where a wheel puts it."""
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
_REQUIRED = re.compile(r"^[A-Za-z0-9._-]+")
_SWAPS, _DEVICES = Path("/proc/swaps"), Path("/sys/block")
_TIME_ERROR = 5
_TIMEX_BYTES = 208


def python() -> Iterator[Finding]:
    """The interpreter."""
    said = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}."
    if sys.maxsize < 2**32 or platform.system() != "Linux":
        yield fault("python", said, "Use a 64-bit Linux.")
    else:
        yield fine("python", said)


def libraries() -> Iterator[Finding]:
    """The libraries, against the lock that pins each by its hash."""
    lock = next((path for path in _LOCKS if path.exists()), None)
    if lock is None:
        yield left_out("libraries", "The lock isn't here, so the libraries' versions can't be compared.")
        return
    pinned: dict[str, set[str]] = {}  # several versions where the lock tells Pythons or machines apart
    for name, version in _PIN.findall(lock.read_text(encoding="utf-8")):
        pinned.setdefault(_plain(name), set()).add(version)
    there = {_plain(one.metadata["Name"]): one.version for one in metadata.distributions()}
    needed = {_plain(found[0]) for one in _requirements() if "extra ==" not in one and (found := _REQUIRED.match(one))}
    missing = sorted(needed - set(there))
    other = sorted(name for name, versions in pinned.items() if name in there and there[name] not in versions)
    unpinned = sorted(needed - set(pinned))
    if missing or other or unpinned:
        names = ", ".join([*missing, *other, *unpinned])
        advice = "Install again: pip install --require-hashes -r requirements.lock"
        yield fault("libraries", f"Not as the lock has them: {names}.", advice)
        return
    count = len(set(there) & set(pinned))
    yield fine("libraries", f"{count} libraries have the versions that the lock pins by hash.")


def kernel() -> Iterator[Finding]:
    """The kernel's age."""
    numbers = [int(number) for number in re.findall(r"\d+", platform.release())[:2]]
    said = f"Linux {platform.release()}."
    if tuple(numbers) < OLDEST_KERNEL:
        yield warning("kernel", said, "Landlock needs Linux 5.13 or newer.")
    else:
        yield fine("kernel", said)


def sandbox() -> Iterator[Finding]:
    """The walls around film: children really try what each must refuse."""
    found = launcher.layers()
    for one in found.findings:
        name = f"sandbox_{one.layer.value}"
        if one.state is launcher.State.HELD:
            yield fine(name, f"{one.layer.value} refused everything that it must.")
        else:
            yield warning(name, f"{one.layer.value} doesn't hold: {one.why}.", "The other layers carry its weight.")
    if found.hold:
        yield fine("sandbox", "Films may be opened here: a child behind all of it could do nothing that it mustn't.")
    else:
        managed = f" A child managed: {', '.join(found.allowed)}." if found.allowed else ""
        advice = "Install libseccomp2, and bubblewrap or a kernel with Landlock. Until then films wait, sealed."
        yield fault("sandbox", f"No film can be opened here.{managed}", advice)


def detector() -> Iterator[Finding]:
    """What finds faces: the build puts it into the package."""
    if launcher.can_detect():
        yield fine("detector", "Faces can be found here: the detector's model is there.")
    else:
        advice = "Install the package again: its build fetches the model. In a checkout: make assets."
        yield fault("detector", "The face detector's model is missing, so no film can be looked through.", advice)


def dumps() -> Iterator[Finding]:
    """Core dumps: the service forbids its own; the machine's pattern is told."""
    if resource.getrlimit(resource.RLIMIT_CORE)[0] == 0:
        yield fine("core_dumps", "Core dumps are off.")
    else:
        yield fine("core_dumps", "Core dumps are on for this shell; the service forbids its own.")


def swap(*, swaps: Path = _SWAPS, devices: Path = _DEVICES) -> Iterator[Finding]:
    """Swap: what was in memory could come to lie on a disk, keys and film in clear.

    Args:
        swaps: the kernel's list of what it swaps to.
        devices: where it describes block devices, by name.
    """
    lines = _text(str(swaps)).splitlines()[1:]
    disks = [Path(line.split()[0]) for line in lines if not line.startswith("/dev/zram")]
    kinds = [_text(str(devices / disk.resolve().name / "dm" / "uuid")) for disk in disks]
    if not disks:
        yield fine("swap", "There is no swap on a disk.")
    elif all(kind.startswith("CRYPT-") for kind in kinds):
        yield fine("swap", "Swap is on, and encrypted.")
    elif all(kinds):  # a volume of the kernel's own, which may lie on an encrypted one
        yield warning("swap", "Swap is on, perhaps encrypted.", "Make sure that it is encrypted, or switch it off.")
    else:
        advice = "Switch it off, or encrypt it, and overwrite what was swapped out."
        yield fault("swap", "Swap is on and in clear: keys and film in memory reach the disk.", advice)


def limits() -> Iterator[Finding]:
    """Open files and memory."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files < FEWEST_FILES and files != resource.RLIM_INFINITY:
        yield warning("open_files", f"At most {files} files may be open.", f"Allow {FEWEST_FILES} or more.")
    else:
        yield fine("open_files", f"{files} files may be open.")
    most = _text("/sys/fs/cgroup/memory.max").strip()
    if most.isdecimal() and int(most) < LEAST_MEMORY_BYTES:
        advice = "Allow 2 GiB: opening the keyring takes 256 MiB, a film more."
        yield warning("memory", f"This process may use {int(most) // 2**20} MiB.", advice)
    else:
        yield fine("memory", "Memory isn't limited below what a film needs.")


def clock_discipline() -> Iterator[Finding]:
    """Whether the kernel says that something keeps its clock right."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        yield left_out("clock_kept", "The kernel doesn't say whether its clock is kept right.")
    elif state == _TIME_ERROR:
        advice = "Set up NTP (chrony, systemd-timesyncd); in a container its host keeps the time."
        yield warning("clock_kept", "Nothing keeps this machine's clock right.", advice)
    else:
        yield fine("clock_kept", "The clock is kept right.")


def _requirements() -> list[str]:
    try:
        return metadata.requires("vig-vault") or []
    except metadata.PackageNotFoundError:  # run from a checkout that isn't installed
        return []


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
