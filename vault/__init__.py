"""Keeps film sealed and reads it back only with a permit."""

from __future__ import annotations

from vault.disk import DiskStore
from vault.objects import ObjectStore

__all__ = ["DiskStore", "ObjectStore"]
