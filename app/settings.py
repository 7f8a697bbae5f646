"""Every setting, read in one place: the environment variables that start with ``VAULT_``.

There is no default secret and no secret in the environment: a passphrase is named by the file that holds it. Each field
below is one setting; its ``doc`` is what ``vig-vault settings`` and ``docs/operations.md`` show.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import Invalid

PREFIX = "VAULT_"


def _setting(doc: str, default: Any = MISSING) -> Any:
    return field(metadata={"doc": doc}) if default is MISSING else field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """What one process runs with. Silent: an address of a database may hold a password."""

    store: Path = _setting("Folder of the store: sealed objects, and the databases unless they are elsewhere.")
    objects: str = _setting(
        "Where sealed objects lie: a folder, `s3://bucket/prefix`, `az://container/prefix` or `gs://bucket/prefix`. "
        "Empty: in the store.",
        "",
    )
    objects_credentials: Path | None = _setting(
        "File (mode 0600) with that store's credentials. Empty: the platform's own, as the machine's role.", None
    )
    objects_also: str = _setting(
        "A second such place, while objects move: what the first hasn't got is read from there.", ""
    )
    objects_also_credentials: Path | None = _setting("File (mode 0600) with that one's credentials.", None)
    objects_spool: Path | None = _setting(
        "Local folder for sealed bytes that a job puts aside. Empty: in the store.", None
    )
    database_url: str = _setting("Address of the main database. Empty: SQLite in the store.", "")
    keys_url: str = _setting("Address of the key database. Empty: SQLite in the store.", "")
    workflows_url: str = _setting("Address of the job engine's database. Empty: SQLite in the store.", "")
    root: str = _setting("Name of the root key that opens the keyring: see *Roots*.", "local:")
    passphrase_file: Path | None = _setting(
        "File (mode 0600) with what opens the root: the keyring's passphrase, a token's PIN, or a key service's token.",
        None,
    )
    recovery_place: tuple[Path, ...] = _setting(
        "Second registered place of the key capsule, or several with colons between. Empty: in the store.", ()
    )
    witness: Path | None = _setting("File outside the store that checkpoints and narrowing events go to.", None)
    listen: str = _setting("Address and port that the server listens on.", "127.0.0.1:8443")
    origin: str = _setting("Address that people type, as in https://vault.example.gov.uk. Empty: from `listen`.", "")
    behind_proxy: bool = _setting("Yes, if a proxy on this host or network ends TLS.", False)
    tls_certificate: Path | None = _setting("Certificate chain (PEM).", None)
    tls_key: Path | None = _setting("Private key of the certificate (PEM).", None)
    messages: str = _setting(
        "Where messages go: `smtp://host:port` (STARTTLS), `spool:/folder`, or empty: they wait.", ""
    )
    messages_from: str = _setting("Sender's address on messages.", "vig-vault@localhost")
    authority: str = _setting("Name of the authority that runs the service.", "Your council")
    exit_address: str = _setting(
        "Where *Exit this page* leads: a site that says nothing about whoever opened it.",
        "https://www.bbc.co.uk/weather",
    )
    help_phone: str = _setting("Telephone number for help, shown on the pages that help.", "")
    max_upload_bytes: int = _setting("Largest film that may be deposited.", 40 * 2**30)
    breach_list: Path | None = _setting(
        "File of SHA-1 hashes of breached passwords, sorted, one a line. Empty: only the likeliest words are refused.",
        None,
    )
    pr_mode: str = _setting("`one_and_notice` or `all`: see docs/consent.md.", "one_and_notice")
    pr_notice: timedelta = _setting("Days that other holders of parental responsibility have to answer.", timedelta(7))
    sweep_hour: int = _setting("Hour of the day (Europe/London) of the nightly sweep.", 2)
    scrub_rate: int = _setting(
        "MiB a second that a worker may read to compare every stored object with its hash. 0: not by itself.", 4
    )
    scrub_every: timedelta = _setting("Days from the end of one such reading to the next.", timedelta(30))
    demo_clock: Path | None = _setting("Only for `vig-vault demo`: a file with seconds to add to the clock.", None)

    def __post_init__(self) -> None:
        """Refuse what can't work."""
        host_and_port(self.listen)
        if not is_web_address(self.exit_address):
            raise _bad("exit_address", "an address that begins with https://")

    @property
    def public_origin(self) -> str:
        """Scheme, host and port that people's browsers see."""
        if self.origin:
            return self.origin.rstrip("/")
        return f"{'https' if self.tls_certificate else 'http'}://{self.listen}"

    def address_of(self, name: str) -> str:
        """SQLAlchemy address of ``database``, ``keys`` or ``workflows``."""
        given = str(getattr(self, f"{name}_url"))
        return given or f"sqlite:///{self.store / f'{name}.db'}"

    @property
    def objects_address(self) -> str:
        """Where new objects go."""
        return self.objects or str((self.store / "objects").absolute())

    @property
    def places(self) -> tuple[Path, ...]:
        """Registered places of the key capsule, the live one first."""
        return (self.store / "keyring", *(self.recovery_place or [self.store / "keyring-recovery"]))


def host_and_port(listen: str) -> tuple[str, int]:
    """Split ``listen``.

    Raises:
        Invalid: not an address and a port.
    """
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port
        raise _bad("listen", "an address and a port, as in 127.0.0.1:8443")
    return host.strip("[]"), int(port)


def is_web_address(text: str) -> bool:
    """Whether it is a plain ``https`` address of another site."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and text.isprintable() and " " not in text


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_environment(environment: Mapping[str, str], **given: Any) -> Settings:
    """Read the settings.

    Args:
        environment: usually ``os.environ``.
        given: what a command line option said; it wins.

    Raises:
        Invalid: a setting is unknown, missing or can't be read; the sentence names it.
    """
    known = {f.name: f for f in fields(Settings)}
    read: dict[str, Any] = {}
    for key, text in environment.items():
        if not key.startswith(PREFIX) or not text:
            continue
        name = key.removeprefix(PREFIX).lower()
        if name not in known:
            raise Invalid("setting_unknown", f"There is no setting {key}. `vig-vault settings` lists them.")
        read[name] = _parse(name, text, kind=str(known[name].type))
    read |= {name: value for name, value in given.items() if value is not None}
    if "store" not in read:
        raise Invalid("setting_missing", f"Say where the store is: --store, or {PREFIX}STORE.")
    return Settings(**read)


def described() -> list[tuple[str, str, str]]:
    """Name, default and explanation of each setting."""
    return [
        (f"{PREFIX}{f.name.upper()}", "" if f.default in {MISSING, None, ()} else str(f.default), f.metadata["doc"])
        for f in fields(Settings)
    ]


def _parse(name: str, text: str, *, kind: str) -> Any:
    try:
        if "tuple" in kind:
            return tuple(Path(one) for one in text.split(":") if one)
        if "Path" in kind:
            return Path(text)
        if kind == "int":
            return int(text)
        if kind == "timedelta":
            return timedelta(days=float(text))
    except (ValueError, OverflowError):
        raise _bad(name, "a number") from None
    if kind == "bool":
        if text.lower() not in {"yes", "no", "true", "false", "1", "0"}:
            raise _bad(name, "yes or no")
        return text.lower() in {"yes", "true", "1"}
    return text


def _bad(name: str, wanted: str) -> Invalid:
    return Invalid("setting_invalid", f"{PREFIX}{name.upper()} must be {wanted}.")
