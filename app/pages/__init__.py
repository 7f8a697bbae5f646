"""Pages: templates, and the one way to render them.

Each template states in its first comment what it wants to be given. Values are plain (dicts, lists, or frozen
dataclasses); ids are strings; times are zone-aware and shown in London time. A name that a template prints and wasn't
given raises, so a misspelt context is found by the first request rather than shown as a gap.

No page has inline script or style (``app.headers`` says so to the browser). Forms post to the address they
were shown at unless the template says otherwise, so every form page has a GET and a POST at one address.
"""

from __future__ import annotations

from app.pages.qr import qr
from app.pages.rendering import STATIC, Notice, NoticeKind, Problem, render
from app.pages.visitor import Link, Visitor, VisitorKind, family_visitor, staff_visitor

__all__ = [
    "STATIC",
    "Link",
    "Notice",
    "NoticeKind",
    "Problem",
    "Visitor",
    "VisitorKind",
    "family_visitor",
    "qr",
    "render",
    "staff_visitor",
]
