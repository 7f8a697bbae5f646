"""Verification of an export, with nothing but its files and the log's public key.

It recomputes what ``audit.export`` wrote: entries, tiles, every checkpoint, and the details against their commitments.
The MACs of the chains aren't in an export: they are for the time before an entry is sealed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audit.checkpoint import Checkpoint, Verifier, open_checkpoint
from audit.export import LENGTH_BYTES, TILE, TILE_HEIGHT, tile_path, tiles
from audit.leaf import commit
from audit.merkle import HASH_BYTES, Frontier, leaf_hash
from audit.verdict import Fault, Finding, Verdict
from core.errors import Damaged

_GARBAGE = (ValueError, TypeError, LookupError, OSError, AttributeError)


class _Bad(Exception):
    def __init__(self, index: int, fault: Fault, *, until: int | None = None, detail: str = "") -> None:
        super().__init__(detail)
        self.finding = Finding(index, fault, until=until, detail=detail)


def verify_export(folder: Path, *, verifier: Verifier) -> Verdict:
    """Recompute an export.

    Args:
        folder: what ``export`` wrote.
        verifier: the log's public key, from somewhere else than the folder.

    Raises:
        Damaged: the folder has no checkpoint of this log, so there is nothing to verify against.
    """
    try:
        note = (folder / "checkpoint").read_bytes().decode()
    except (OSError, ValueError) as error:
        raise Damaged("checkpoint_missing", "This folder has no checkpoint: it isn't a whole export.") from error
    checkpoint = open_checkpoint(note, verifier=verifier)
    walk = _Walk(folder, verifier, checkpoint)
    try:
        walk.run()
    except _Bad as bad:
        return walk.verdict(bad.finding)
    return walk.verdict(None)


class _Walk:
    def __init__(self, folder: Path, verifier: Verifier, checkpoint: Checkpoint) -> None:
        self._folder = folder
        self._verifier = verifier
        self._checkpoint = checkpoint
        self._frontier = Frontier()
        self._disposed = 0
        self._good: Checkpoint | None = None
        self._details = self._lines("details.jsonl")
        self._gone = self._lines("disposed.jsonl")
        self._signed = self._lines("checkpoints.jsonl")
        self._next_details: dict[str, Any] | None = None
        self._next_gone: dict[str, Any] | None = None
        self._next_signed: dict[str, Any] | None = None

    def verdict(self, finding: Finding | None) -> Verdict:
        return Verdict(self._frontier.size, self._good, self._disposed, 0, finding)

    def run(self) -> None:
        self._next_details, self._next_gone, self._next_signed = (
            next(lines, None) for lines in (self._details, self._gone, self._signed)
        )
        made: dict[int, list[bytes]] = {}
        for number, width in tiles(self._checkpoint.size):
            first = number * TILE
            hashes = self._tile("0", number, width, first, TILE)
            for index, (data, hashed) in enumerate(zip(self._bundle(number, width), hashes, strict=True), first):
                self._entry(index, data, hashed)
                for level, _, inner in self._frontier.append(hashed):
                    if level % TILE_HEIGHT == 0:
                        made.setdefault(level // TILE_HEIGHT, []).append(inner)
                self._check_signed()
        if self._frontier.root() != self._checkpoint.root:
            raise _Bad(self._vouched, Fault.REWRITTEN, until=self._frontier.size)
        if self._good != self._checkpoint:
            raise _Bad(self._vouched, Fault.CHECKPOINT_FORGED, detail="the checkpoints end before the export does")
        if any(rest is not None for rest in (self._next_details, self._next_gone, self._next_signed)):
            raise _Bad(self._frontier.size, Fault.SMUGGLED, detail="there are lines about entries that aren't there")
        self._check_tree(made)

    @property
    def _vouched(self) -> int:
        return self._good.size if self._good else 0

    def _entry(self, index: int, data: bytes, hashed: bytes) -> None:
        if self._next_gone is not None and self._next_gone.get("index") == index:
            self._next_gone = next(self._gone, None)
            self._disposed += 1
            if data:
                raise _Bad(index, Fault.ENTRY_EDITED, detail="it is disposed of, and there")
            return
        if not data:
            raise _Bad(index, Fault.ENTRY_DROPPED, detail="it is gone, and no certificate says why")
        if leaf_hash(data) != hashed:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="it isn't what its leaf was made from")
        try:
            commitment = json.loads(data)["details"]
            honest = commitment is None or self._opens(index, commitment)
        except _GARBAGE as error:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="its details can't be read") from error
        if not honest:
            raise _Bad(index, Fault.ENTRY_EDITED, detail="its details aren't those it was written with")

    def _opens(self, index: int, commitment: str) -> bool:
        line = self._next_details
        if line is None or line["index"] != index:
            return False
        self._next_details = next(self._details, None)
        return commit(line["details"], salt=bytes.fromhex(line["salt"])) == commitment

    def _check_signed(self) -> None:
        size, line = self._frontier.size, self._next_signed
        if line is None or line.get("size") != size:
            return
        try:
            checkpoint = open_checkpoint(line["note"], verifier=self._verifier)
        except (Damaged, *_GARBAGE) as error:
            raise _Bad(self._vouched, Fault.CHECKPOINT_FORGED, until=size) from error
        if checkpoint.size != size:
            raise _Bad(self._vouched, Fault.CHECKPOINT_FORGED, until=size)
        if checkpoint.root != self._frontier.root():
            raise _Bad(self._vouched, Fault.REWRITTEN, until=size)
        self._good, self._next_signed = checkpoint, next(self._signed, None)

    def _check_tree(self, made: dict[int, list[bytes]]) -> None:
        for level, expected in made.items():
            span = TILE ** (level + 1)
            for number, width in tiles(len(expected)):
                found = self._tile(str(level), number, width, number * span, span)
                if found != expected[number * TILE : number * TILE + width]:
                    raise _Bad(number * span, Fault.HASH_EDITED, until=(number + 1) * span)

    def _tile(self, level: str, number: int, width: int, first: int, span: int) -> list[bytes]:
        try:
            data = (self._folder / tile_path(level, number, width=width)).read_bytes()
        except OSError as error:
            raise _Bad(first, Fault.ENTRY_DROPPED, until=first + span, detail="a tile is missing") from error
        if len(data) != width * HASH_BYTES:
            raise _Bad(first, Fault.HASH_EDITED, until=first + span)
        return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]

    def _bundle(self, number: int, width: int) -> list[bytes]:
        first = number * TILE
        try:
            data = (self._folder / tile_path("entries", number, width=width)).read_bytes()
        except OSError as error:
            raise _Bad(first, Fault.ENTRY_DROPPED, until=first + width, detail="a bundle is missing") from error
        entries, at = [], 0
        while at < len(data):
            length = int.from_bytes(data[at : at + LENGTH_BYTES])
            at += LENGTH_BYTES
            entries.append(data[at : at + length])
            at += length
        if len(entries) != width or at != len(data):
            raise _Bad(first, Fault.ENTRY_EDITED, until=first + width, detail="a bundle can't be read")
        return entries

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        try:
            with (self._folder / name).open("rb") as file:
                for raw in file:
                    line = json.loads(raw)
                    yield line if isinstance(line, dict) else {}
        except (OSError, ValueError) as error:
            raise _Bad(self._frontier.size, Fault.ENTRY_EDITED, detail=f"{name} can't be read") from error
