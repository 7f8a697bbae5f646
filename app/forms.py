"""Forms: read after the policy has decided, bounded, and turned into values with sentences for what can't be used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeVar

from fastapi import Depends
from starlette.requests import Request

from core.errors import Invalid, TooLarge
from core.ids import well_formed
from core.secret import Secret

MAX_BODY_BYTES = 256 * 1024
MAX_FIELDS = 400
MAX_TEXT = 500
_MOST_DIGITS = 12
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

Choice = TypeVar("Choice", bound=StrEnum)


class Form:
    """The fields of a posted form.

    Args:
        fields: name to values, in order.
    """

    def __init__(self, fields: Mapping[str, list[str]]) -> None:
        self._fields = fields

    def texts(self, name: str) -> list[str]:
        """All values of a repeated field, cleaned."""
        return [self._clean(name, value) for value in self._fields.get(name, [])]

    def has(self, name: str) -> bool:
        """Whether the form had this field at all, filled in or not."""
        return name in self._fields

    def shown(self) -> dict[str, object]:
        """What was typed, to be shown again: lists of repeated fields, texts of the others. Never secrets."""
        secret = {"current", "password", "password_again", "passcode", "passcode_again", "code"}
        repeated = {"present", "goals", "persons", "roles", "on_caseload_of"}
        return {
            name: values if name in repeated or name.endswith("-child") else values[-1]
            for name, values in self._fields.items()
            if name not in secret and values
        }

    def optional(self, name: str, *, most: int = MAX_TEXT) -> str:
        """One value, or an empty text.

        Raises:
            Invalid: too long, with characters that hide, or said twice in different ways.
        """
        values = self._fields.get(name, [])
        if not values:
            return ""
        if len(set(values)) > 1:
            raise Invalid("said_twice", "That form said two things in one field. Please fill it in again.", field=name)
        return self._clean(name, values[-1], most=most)

    def text(self, name: str, *, called: str, most: int = MAX_TEXT) -> str:
        """One value that must be there.

        Args:
            name: of the field.
            called: what the page calls it, as in "a title".
            most: characters at most.

        Raises:
            Invalid: it is missing or too long.
        """
        value = self.optional(name, most=most)
        if not value:
            raise Invalid("missing", f"Enter {called}.", field=name)
        return value

    def secret(self, name: str, *, called: str, most: int = MAX_TEXT) -> Secret[str]:
        """A password, passcode or code exactly as it was typed: untrimmed, so that one text counts and no other.

        Raises:
            Invalid: it is missing, too long, said twice in different ways, or has characters that hide.
        """
        values = self._fields.get(name, [])
        self.optional(name, most=most)
        if not values or not values[-1]:
            raise Invalid("missing", f"Enter {called}.", field=name)
        return Secret(values[-1])

    def id(self, name: str, *, called: str) -> str:
        """An identifier that a page put there."""
        value = self.text(name, called=called)
        if not well_formed(value):
            raise Invalid("not_a_choice", f"Choose {called} from the list.", field=name)
        return value

    def choice(self, name: str, kind: type[Choice], *, called: str) -> Choice:
        """One of a set of choices."""
        value = self.text(name, called=called)
        try:
            return kind(value)
        except ValueError:
            raise Invalid("not_a_choice", f"Choose {called} from the list.", field=name) from None

    def number(self, name: str, *, called: str, least: int = 0, most: int = 2**31) -> int:
        """A whole number within bounds."""
        value = self.text(name, called=called)
        if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS and least <= int(value) <= most):
            raise Invalid("not_a_number", f"Enter {called} as a number from {least} to {most}.", field=name)
        return int(value)

    def day(self, name: str, *, called: str) -> date:
        """A date, from one field (2026-11-22) or from the three of the design system (``name-day`` and so on)."""
        parts = [self.optional(f"{name}-{part}", most=4) for part in ("year", "month", "day")]
        text = self.optional(name) or "-".join(part.zfill(2) for part in parts if part)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise Invalid("not_a_date", f"Enter {called} as a date, like 27 3 2019.", field=name) from None

    def optional_day(self, name: str, *, called: str) -> date | None:
        """As ``day``, or nothing where all of it was left empty."""
        names = (name, f"{name}-day", f"{name}-month", f"{name}-year")
        return self.day(name, called=called) if any(self.optional(each) for each in names) else None

    def _clean(self, name: str, value: str, *, most: int = MAX_TEXT) -> str:
        value = value.strip()
        if len(value) > most:
            raise Invalid("too_long", f"That is too long. Use at most {most} characters.", field=name)
        if _CONTROL.search(value):
            raise Invalid("bad_characters", "That has characters we can't use. Please type it again.", field=name)
        return value


def require_same(new: Secret[str], again: Secret[str], *, field: str) -> None:
    """Refuse a new secret that was typed in two ways.

    Raises:
        Invalid: ``passwords_differ``, ``passcodes_differ``.
    """
    if new != again:
        word = field.removesuffix("_again")
        code = f"{word}s_differ"
        raise Invalid(code, f"The two {word}s differ. Type the same one twice.", field=field)


async def read_form(request: Request) -> Form:
    """Read a posted form of at most ``MAX_BODY_BYTES``.

    Raises:
        TooLarge: more than that, or of unstated length.
    """
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
        raise TooLarge("form_too_large", "That is more than this form can take.")
    fields: dict[str, list[str]] = {}
    async with request.form(max_files=0, max_fields=MAX_FIELDS, max_part_size=MAX_BODY_BYTES) as data:
        for name, value in data.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
    return Form(fields)


Posted = Annotated[Form, Depends(read_form)]
"""Stands *after* the policy in a route, so that nothing is read for someone who may not."""
