"""Families' pages are read by tired people on a phone: short sentences, short words."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.pages.sample import Sample
from tests.pages.samples import samples
from tests.pages.test_templates import shown

MOST_WORDS = 20
MOST_ON_AVERAGE = 11
MOST_LETTERS = 10
KNOWN = {"accessibility", "birthday", "javascript", "conference", "certificate", "professionals", "protection"}
"""Long words that these readers know from elsewhere, or that name a page."""
HIDDEN = {"script", "style", "title", "dl", "details", "svg"}


class _Text(HTMLParser):
    """The sentences of a page's main part."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._main = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._main += tag == "main"
        self._hidden += tag in HIDDEN
        if tag in {"p", "li", "h1", "h2", "h3", "label", "button", "td", "th", "div", "legend", "br"}:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._main -= tag == "main"
        self._hidden -= tag in HIDDEN

    def handle_data(self, data: str) -> None:
        if self._main and not self._hidden:
            self.pieces.append(data)


def sentences(html: str) -> list[list[str]]:
    """Each sentence as its words, names and numbers left out."""
    looker = _Text()
    looker.feed(html)
    lines = (re.sub(r"\s+", " ", line) for line in "".join(looker.pieces).split("\n"))
    parts = (part for line in lines for part in re.split(r"[.?!:]", line))
    found = (re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?", part) for part in parts)
    return [words for words in found if words]


def is_read_at_home(sample: Sample) -> bool:
    """Families' own pages, and those that say the same to everyone."""
    return sample.name in {"help", "privacy", "accessibility"} or "govuk-exit-this-page__button" in shown(sample)


@pytest.mark.parametrize("sample", [one for one in samples() if is_read_at_home(one)], ids=lambda sample: sample.name)
def test_a_familys_page_is_written_in_short_words_and_sentences(sample: Sample) -> None:
    said = sentences(shown(sample))
    assert [" ".join(words) for words in said if len(words) > MOST_WORDS] == []
    assert sum(len(words) for words in said) / len(said) <= MOST_ON_AVERAGE
    long = {word.lower() for words in said for word in words if len(word) > MOST_LETTERS}
    assert long - KNOWN == set()
