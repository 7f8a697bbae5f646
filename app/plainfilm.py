"""Film in plain files, for those who only want the redactor: sealed as it is read, plain again only as the result.

The film is sealed into a file without a name under a key that lives as long as this process; the media children work
on that, as they do in the service. What comes out lies sealed in another one until it is whole, was looked at and can
take its place; it is written beside that place and moved there in one step, so nobody ever finds half a film.

A film is looked through and covered as it comes from the phone: the decoder puts each frame upright, at a constant
rate and in ordinary colours, as it does for a working copy, so both jobs see the same frames and nothing is encoded
twice.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from core.errors import Conflict, Invalid, OutOfRoom
from core.secret import Secret
from core.segments import KEY_SIZE, Sealed, SegmentReader, SegmentWriter
from media.detections import Detections
from media.launcher import Detect, Job, Result, Sink, Source, run
from media.spool import Spool

_BITE = 1 << 20
_BOUND_TO = b"plain film"
_MARK = b"VVFOUND2"
_HASH_SIZE = 32

Progress = Callable[[int], object]
"""Told parts of a thousand."""


class Existing(Enum):
    """What becomes of a file that already has the name of a result."""

    STAYS = "stays"
    """And the result isn't written."""
    IS_REPLACED = "is replaced"


@dataclass(slots=True)
class Sealing:
    """Something sealed in a file without a name.

    Attributes:
        sha256: of its plaintext, where it was read from a file.
    """

    spool: Spool
    key: Secret[bytes]
    sealed: Sealed | None = None
    sha256: str = ""

    def source(self) -> Source:
        """For a media job that reads it."""
        sealed = self._whole()
        return Source(sealed.ciphertext_size, sealed.header, self.key, _BOUND_TO, self.spool.read)

    def sink(self) -> Sink:
        """For a media job that makes it; say afterwards what was ``sealed``."""
        return Sink(self.key, _BOUND_TO, self.spool.keep)

    def plain(self) -> Iterator[bytes]:
        """Its plaintext, piece by piece.

        Raises:
            Damaged: it isn't what was sealed.
        """
        sealed = self._whole()
        reader = SegmentReader(
            self.key,
            associated_data=_BOUND_TO,
            size=sealed.ciphertext_size,
            header=sealed.header,
            read_at=self.spool.read,
        )
        return reader.segments(0, reader.plain_size)

    def _whole(self) -> Sealed:
        if self.sealed is None:
            message = "nothing is sealed in it yet"
            raise RuntimeError(message)
        return self.sealed


@contextmanager
def empty(folder: Path) -> Iterator[Sealing]:
    """Something to seal into.

    Args:
        folder: where the nameless file lies.

    Raises:
        OutOfRoom: there is no room for it.
    """
    with Spool(folder) as spool:
        yield Sealing(spool, Secret(secrets.token_bytes(KEY_SIZE)))


@contextmanager
def sealed_copy(film: Path, *, folder: Path) -> Iterator[Sealing]:
    """A film, sealed as it is now: what happens to the file meanwhile changes nothing.

    Args:
        film: a plain file.
        folder: where the nameless file lies.

    Raises:
        Invalid: ``input_unreadable``.
        OutOfRoom: there is no room for it.
    """
    with empty(folder) as sealing:
        writer = SegmentWriter(
            sealing.key, associated_data=_BOUND_TO, write=lambda data: sealing.spool.keep(bytes(data))
        )
        hashed = hashlib.sha256()
        try:
            with film.open("rb") as file:
                while bite := file.read(_BITE):
                    hashed.update(bite)
                    writer.write(bite)
        except OSError as error:
            raise Invalid("input_unreadable", f"{film} can't be read: {error.strerror}.") from error
        sealing.sealed, sealing.sha256 = writer.close(), hashed.hexdigest()
        yield sealing


def carry_out(job: Job, film: Sealing, made: Sealing, *, folder: Path, on_progress: Progress) -> Result:
    """Carry out a media job on a film.

    Args:
        job: what to do.
        film: what to do it to.
        made: where the output is sealed.
        folder: where nameless files of ciphertext may lie meanwhile.
        on_progress: told parts of a thousand.
    """
    result = run(job, source=film.source(), sink=made.sink(), on_progress=on_progress, spool=folder)
    made.sealed = result.sealed
    return result


def look(film: Sealing, *, folder: Path, on_progress: Progress) -> Detections:
    """Look for faces."""
    with empty(folder) as made:
        carry_out(Detect(), film, made, folder=folder, on_progress=on_progress)
        return Detections.from_bytes(b"".join(made.plain()))


def kept_with(film: Sealing, found: Detections, *, numbering: str) -> bytes:
    """What was found and who is which number in it, as a file that belongs to this film and to no other."""
    return _MARK + bytes.fromhex(film.sha256) + bytes.fromhex(numbering) + found.to_bytes()


def found_before(film: Sealing, file: bytes) -> tuple[Detections, str]:
    """What was found in a film before, and who was which number then.

    Raises:
        Invalid: ``detections_unfit``: it is no such file, or it belongs to another film or program version.
        Damaged: it can't be read.
    """
    start = len(_MARK) + _HASH_SIZE
    if file[:start] != _MARK + bytes.fromhex(film.sha256):
        sentence = (
            "These detections belong to another film, or to another version of this program. Leave --detections out, "
            "or name another file."
        )
        raise Invalid("detections_unfit", sentence, field="detections")
    return Detections.from_bytes(file[start + _HASH_SIZE :]), file[start : start + _HASH_SIZE].hex()


def check_place(place: Path, *, existing: Existing) -> None:
    """Whether a result may take this place; asked before the work begins.

    Raises:
        Conflict: ``output_exists``.
        Invalid: ``output_unwritable``: there is no such folder, or it is one.
    """
    if place.is_dir() or not place.parent.is_dir() or not os.access(place.parent, os.W_OK):
        raise Invalid("output_unwritable", f"Nothing can be written to {place}.")
    if place.exists() and existing is Existing.STAYS:
        raise Conflict("output_exists", f"{place} is there already. With --force it is replaced.")


def put(pieces: Iterator[bytes], *, place: Path, existing: Existing) -> None:
    """Write a result whole, or not at all.

    Raises:
        Conflict: ``output_exists``: somebody else was faster.
        OutOfRoom: there is no room for it.
    """
    try:
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
            try:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).chmod(0o666 & ~_umask())
                _take_place(Path(file.name), place=place, existing=existing)
            finally:
                with suppress(FileNotFoundError):
                    Path(file.name).unlink()
    except FileExistsError as error:
        raise Conflict("output_exists", f"{place} is there already. With --force it is replaced.") from error
    except OSError as error:
        raise OutOfRoom("output_no_room", f"{place} can't be written: {error.strerror}.") from error


def _take_place(made: Path, *, place: Path, existing: Existing) -> None:
    if existing is Existing.STAYS:
        try:
            place.hardlink_to(made)  # refuses where something is by now
        except FileExistsError:
            raise
        except OSError:  # this disk knows no second name for a file
            if place.exists():
                raise FileExistsError from None
        else:
            return
    made.replace(place)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
