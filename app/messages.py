"""Messages to people: they say that something waits, and nothing else. No name, no still, no place.

A message is made when it is delivered, so that a code in it never rests in the queue. Where no way of sending is
set up, messages wait; nothing gets round them.
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from core.errors import Invalid, Unavailable
from core.ids import new_id

SMTP_TIMEOUT_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent.

    Attributes:
        to: the safe contact that the person gave.
        subject, text: contentless but for a code.
    """

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)


class Sender(Protocol):
    """A way of sending."""

    def send(self, message: Message) -> None:
        """Send, or raise ``Unavailable``."""
        ...


class Waiting:
    """No way of sending is set up: every message waits."""

    def send(self, message: Message) -> None:
        """Refuse."""
        del message
        raise Unavailable("messages_not_set_up", "Messages can't be sent yet: VAULT_MESSAGES is not set.")


class Spool:
    """Writes each message to a folder, one file each: for trying out, and for a mail room that prints them.

    Args:
        folder: must exist and be readable by its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> None:
        """Write it whole or not at all."""
        name = new_id()
        mail = _email(message, sender="vig-vault@localhost")
        part = self._folder / f".{name}"
        try:
            part.touch(mode=0o600)
            part.write_bytes(mail.as_bytes())
            part.replace(self._folder / f"{name}.eml")
        except OSError:
            raise Unavailable("messages_down", "Messages can't be sent just now.") from None


class Smtp:
    """Hands messages to a mail server over STARTTLS with a checked certificate.

    Args:
        host: its name.
        port: usually 587.
        sender: the sender's address.
    """

    def __init__(self, host: str, port: int, *, sender: str) -> None:
        self._host, self._port, self._sender = host, port, sender

    def send(self, message: Message) -> None:
        """Send it, encrypted on the way."""
        try:
            with smtplib.SMTP(self._host, self._port, timeout=SMTP_TIMEOUT_SECONDS) as server:
                server.starttls(context=ssl.create_default_context())
                server.send_message(_email(message, sender=self._sender))
        except (OSError, smtplib.SMTPException):
            raise Unavailable("messages_down", "Messages can't be sent just now.") from None


def sender_for(address: str, *, sender: str) -> Sender:
    """The way of sending that a setting names.

    Raises:
        Invalid: it names none that we know.
    """
    parts = urlsplit(address)
    if not address:
        return Waiting()
    if parts.scheme == "spool":
        return Spool(Path(parts.path))
    if parts.scheme == "smtp" and parts.hostname:
        return Smtp(parts.hostname, parts.port or 587, sender=sender)
    raise Invalid("setting_invalid", "VAULT_MESSAGES must be smtp://host:port, spool:/folder or empty.")


def _email(message: Message, *, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, message.to, message.subject
    mail.set_content(message.text)
    return mail
