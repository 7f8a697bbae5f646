"""The schedule is data: read from TOML, checked whole, and known by its hash.

A schedule that can't be read or leaves a record class out is refused at start: a sweep under half a schedule would
keep what should go, silently.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from core.errors import Invalid
from retention.terms import Act, Brake, Period, RecordClass, ReviewBy, Rule, Schedule, Term, Trigger, When

_PERIOD = re.compile(r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?(?:T(?P<hours>\d+)H)?")
_RULE_KEYS = {"class", "latest_of", "never_past", "act", "review", "notice", "source", "words"}
_MOST_SHARE = 1.0


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of authority that the file has rules for."""

    name: str
    title: str


def built_in() -> str:
    """The text of the schedule that comes with the product."""
    return resources.files("retention").joinpath("schedule.toml").read_text(encoding="utf-8")


def load(text: str | None = None, *, profile: str | None = None) -> Schedule:
    """Read a schedule.

    Args:
        text: TOML, as in ``schedule.toml``; the built-in one if left out.
        profile: name of the kind of authority; the file's default if left out.

    Raises:
        Invalid: ``schedule_invalid``, saying which rule and what about it.
    """
    try:
        document = tomllib.loads(built_in() if text is None else text)
    except tomllib.TOMLDecodeError as error:
        raise _invalid(because=f"it isn't TOML ({error})") from error
    name = profile or _text(document, "default", of="the file")
    rules = {rule.record_class: rule for rule in _rules(document, name)}
    missing = sorted(record_class.value for record_class in RecordClass if record_class not in rules)
    if missing:
        raise _invalid(because=f"profile {name!r} has no rule for {', '.join(missing)}")
    brake = _brake(document.get("brake"))
    release = _text(document, "release", of="the file")
    return Schedule(profile=name, release=release, version=_hash(name, rules, brake), rules=rules, brake=brake)


def profiles(text: str | None = None) -> tuple[Profile, ...]:
    """The kinds of authority that a schedule has rules for."""
    document = tomllib.loads(built_in() if text is None else text)
    return tuple(Profile(name, str(table.get("title", name))) for name, table in document.get("profile", {}).items())


def period(text: str) -> Period:
    """Read a period in the ISO 8601 form ``P1Y2M3DT4H`` (weeks and minutes aren't used here).

    Raises:
        Invalid: ``schedule_invalid``.
    """
    found = _PERIOD.fullmatch(text)
    if found is None or not any(found.groups()):
        raise _invalid(because=f"{text!r} isn't a period such as P28D or P2M")
    years, months, days, hours = (int(group or 0) for group in found.groups())
    return Period(months=12 * years + months, days=days, hours=hours)


def _rules(document: Mapping[str, Any], name: str, *, below: tuple[str, ...] = ()) -> list[Rule]:
    table = _table(document.get("profile"), of="the file").get(name)
    if table is None or name in below:
        raise _invalid(because=f"there is no profile {name!r}" if table is None else f"profile {name!r} extends itself")
    table = _table(table, of=name)
    inherited = _rules(document, str(table["extends"]), below=(*below, name)) if "extends" in table else []
    own = [_rule(rule, row) for rule, row in _table(table.get("rule"), of=name).items()]
    classes = [rule.record_class for rule in own]
    if len(set(classes)) != len(classes):
        raise _invalid(because=f"profile {name!r} has two rules for one record class")
    return [*inherited, *own]


def _rule(name: str, row: Any) -> Rule:
    row = _table(row, of=name)
    strange = sorted(set(row) - _RULE_KEYS)
    if strange:
        raise _invalid(because=f"rule {name!r} has {', '.join(strange)}, which means nothing")
    try:
        rule = Rule(
            name=name,
            record_class=RecordClass(row.get("class", "")),
            latest_of=tuple(_term(term, of=name) for term in row.get("latest_of", ())),
            never_past=tuple(_term(term, of=name) for term in row.get("never_past", ())),
            act=Act(row.get("act", "")),
            review=ReviewBy(row.get("review", "nobody")),
            notice=period(row["notice"]) if "notice" in row else Period(),
            source=_text(row, "source", of=name),
            words=_text(row, "words", of=name),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise _invalid(because=f"rule {name!r}: {error}") from error
    if bool(rule.latest_of) == (rule.act is Act.KEEP):
        raise _invalid(because=f"rule {name!r} must say when, unless it keeps for good")
    if (rule.review is ReviewBy.NOTICE) == (rule.notice == Period()):
        raise _invalid(because=f"rule {name!r} must say how long its notice is, if it gives one")
    return rule


def _term(term: Any, *, of: str) -> Term:
    row = _table(term, of=of)
    return Term(Trigger(row.get("trigger", "")), period(str(row.get("period", ""))), When(row.get("when", "always")))


def _brake(row: Any) -> Brake:
    table = _table(row, of="the brake")
    share, floor = table.get("share"), table.get("floor_records")
    if not isinstance(share, float) or not 0 < share <= _MOST_SHARE or not isinstance(floor, int) or floor < 0:
        raise _invalid(because="the brake needs a share above 0 and at most 1.0, and a floor of records")
    return Brake(share=share, floor_records=floor)


def _hash(profile: str, rules: Mapping[RecordClass, Rule], brake: Brake) -> str:
    body = {
        "profile": profile,
        "brake": [brake.share, brake.floor_records],
        "rules": {record_class.value: asdict(rules[record_class]) for record_class in RecordClass},
    }
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _table(value: Any, *, of: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _invalid(because=f"{of!r} must be a table")
    return value


def _text(row: Mapping[str, Any], key: str, *, of: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value:
        raise _invalid(because=f"{of!r} needs {key!r}")
    return value


def _invalid(*, because: str) -> Invalid:
    return Invalid("schedule_invalid", f"The retention schedule can't be used: {because}.")
