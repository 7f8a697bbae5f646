from __future__ import annotations

from tests.vault.conftest import cinema, family, store, visit

__all__ = ["cinema", "family", "store", "visit"]
