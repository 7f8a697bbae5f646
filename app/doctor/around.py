"""What stands around the store: settings, certificate, proxy, secrets in files, the way messages go."""

from __future__ import annotations

import os
import smtplib
import ssl
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from app import running
from app.doctor.findings import Finding, fault, fine, left_out, warning
from app.messages import sender_for
from app.service import consent_policy
from app.settings import PREFIX, Settings, host_and_port, is_loopback
from core.errors import VaultError
from keys import read_private
from retention import load

SOON = timedelta(days=30)
_SMTP_PATIENCE_SECONDS = 5


def settings(read: Settings, *, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the settings fit together."""
    consent_policy(read)
    sender_for(read.messages, sender=read.messages_from)
    running.check_transport(read)
    misfits = list(_misfits(read, environment=environment))
    yield from misfits or [fine("settings", "The settings can be read and fit together.")]


def secret_files(read: Settings) -> Iterator[Finding]:
    """Files that only the service may read."""
    named = {"passphrase": read.passphrase_file, "tls_key": read.tls_key}
    for name, path in named.items():
        if path is None:
            continue
        try:
            is_open = stat.S_IMODE(path.stat().st_mode) & 0o077 and not _is_credential(path)
        except OSError:
            yield fault(f"{name}_file", "The file isn't there, or can't be reached.", "Look at the setting.")
            continue
        if is_open:
            yield fault(f"{name}_file", "Others may read this file.", f"chmod 600 {path}")
        elif not os.access(path, os.R_OK):
            yield fault(f"{name}_file", "This program may not read the file.", "Make its user the file's owner.")
        else:
            yield fine(f"{name}_file", "Only its owner may read the file.")
    if read.passphrase_file is None:
        yield warning("passphrase_file", "No file is named: each start asks for it.", f"Set {PREFIX}PASSPHRASE_FILE.")
    elif _lies_in(read.passphrase_file, read.store):
        yield fault("passphrase_place", "The passphrase lies with what it locks.", "Move it out of the store.")


def certificate(read: Settings, *, at: datetime) -> Iterator[Finding]:
    """The certificate that browsers see, where this program ends TLS."""
    if read.tls_certificate is None or read.tls_key is None:
        yield left_out("certificate", "TLS ends elsewhere, or isn't used.")
        return
    first = x509.load_pem_x509_certificates(read.tls_certificate.read_bytes())[0]
    key = load_pem_private_key(read.tls_key.read_bytes(), password=None)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ends = f"It ends on {first.not_valid_after_utc:%d %B %Y}."
    if key.public_key().public_bytes(*form) != first.public_key().public_bytes(*form):
        yield fault("certificate", "Certificate and key don't belong together.", "Name the right pair.")
    elif not first.not_valid_before_utc <= at.astimezone(UTC) < first.not_valid_after_utc:
        yield fault("certificate", f"The certificate doesn't hold today. {ends}", "Renew it, then start again.")
    elif first.not_valid_after_utc - at < SOON:
        yield warning("certificate", ends, "Renew it, then start again.")
    else:
        yield fine("certificate", f"The certificate holds. {ends}")


def messages(read: Settings, *, is_online: bool) -> Iterator[Finding]:
    """Whether messages can leave; none is sent."""
    parts = urlsplit(read.messages)
    if not read.messages:
        yield warning("messages", "No way of sending is set up: messages wait.", f"Set {PREFIX}MESSAGES.")
    elif parts.scheme == "spool":
        yield from _spool(Path(parts.path))
    elif not is_online:
        yield left_out("messages", "The mail server wasn't asked.")
    else:
        yield from _smtp(parts.hostname or "", parts.port or 587)


def schedule() -> Iterator[Finding]:
    """What is kept how long."""
    read = load()
    yield fine("schedule", f"The retention schedule can be read: {len(read.rules)} classes of records.")


def _misfits(read: Settings, *, environment: Mapping[str, str]) -> Iterator[Finding]:
    host, _ = host_and_port(read.listen)
    if read.demo_clock is not None:
        yield fault("settings", "The demonstration's clock is set.", f"Unset {PREFIX}DEMO_CLOCK.")
    if not read.public_origin.startswith("https://") and not is_loopback(urlsplit(read.public_origin).hostname or ""):
        yield fault("settings", "People would come by http, in clear.", f"Set {PREFIX}ORIGIN to an https address.")
    if read.behind_proxy:
        trusted = environment.get("FORWARDED_ALLOW_IPS", "")
        advice = "Set FORWARDED_ALLOW_IPS to the proxy's address."
        if "*" in trusted:
            yield fault("settings", "Anybody may say what address they come from.", advice)
        if not read.origin:
            yield fault("settings", "Behind a proxy the address that people type isn't known.", f"Set {PREFIX}ORIGIN.")
        if not trusted and not is_loopback(host):
            yield warning("settings", "A proxy on another host isn't believed: all count as one address.", advice)
    for name in ("database", "keys", "workflows"):
        if _has_password(str(getattr(read, f"{name}_url"))):
            advice = "Leave it out, and name a file: …?passfile=/run/secrets/…"
            yield warning("settings", f"{PREFIX}{name.upper()}_URL holds a password.", advice)


def _spool(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        yield fault("messages", "The folder for messages isn't there or takes none.", f"mkdir -m 700 {folder}")
    elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
        yield fault("messages", "Others can read the messages, which hold codes.", f"chmod 700 {folder}")
    else:
        yield warning("messages", "Messages go to a folder.", "Somebody must hand them out; or name a mail server.")


def _smtp(host: str, port: int) -> Iterator[Finding]:
    try:
        with smtplib.SMTP(host, port, timeout=_SMTP_PATIENCE_SECONDS) as server:
            server.starttls(context=ssl.create_default_context())
            server.noop()
    except ssl.SSLError:
        yield fault("messages", "The mail server's certificate can't be trusted.", "Name it as its certificate does.")
    except smtplib.SMTPNotSupportedError:
        yield fault("messages", "The mail server doesn't encrypt (STARTTLS).", "Use another: nothing goes in clear.")
    except (OSError, smtplib.SMTPException):
        yield fault("messages", "The mail server doesn't answer.", "Look at it, at the address and at the network.")
    else:
        yield fine("messages", "The mail server answers, encrypted and with a trusted certificate.")


def _has_password(address: str) -> bool:
    try:
        return bool(address) and bool(make_url(address).password)
    except ArgumentError:
        return False


def _is_credential(path: Path) -> bool:
    """Whether it is one that systemd gave to this unit alone, whatever its mode looks like."""
    try:
        read_private(path)
    except VaultError:
        return False
    return True


def _lies_in(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
