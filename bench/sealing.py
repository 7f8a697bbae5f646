"""How fast the object format seals and opens, against a plain copy, Tink's own library and age.

On a memory-backed file, so that no disk hides the cipher. In each round everybody works once, one after the other,
each in a fresh process and on a fresh target file; a ratio is the median over the rounds of (their seconds / our
seconds), so higher is faster. Where several sizes are asked for, a figure is the worst of them.

Right before each piece of work, uncounted, as much memory as its file will take is touched and given back. On a virtual
machine the first touch of a page costs more than any cipher, and a host takes back what is free for some seconds: with
files of some GiB whoever came first would pay for everybody, and whoever came later would by chance.

* *plain copy*: one thread that reads into one buffer of 256 KiB and writes it, without a library.
* *ours*: as the product works, with a second thread that writes (sealing) or reads (opening), which wants a second core
  that is free; ``alone``: on one thread.
* *tink*: the ``tink`` package, with the same parameters, so the same bytes, used as the example that comes with it uses
  it (files with Python's buffer, pieces of 1 MiB); ``tuned_tink``: fed as we feed ourselves. *age*: the command, to one
  X25519 recipient, counted with its start.
* ``random_64k_over_pread``: the median time of a 64 KiB read anywhere in the plaintext through an open reader, over
  that of ``pread`` on the plaintext (lower is better). Each opens and authenticates all of every segment that it
  touches; nothing is kept from one read to the next. ``random_64k_mean_over_pread`` is the same of the means: a quarter
  of the reads touch two segments. ``random_64k_bare_over_pread``: what it can't be less than, a bare ``preadv`` of one
  segment and OpenSSL's AES-GCM over it, without the format.
* ``peak_mib``: the most memory that a process of ours held, the interpreter and its libraries included.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.sealing_work import PIECE, bare_of, reader_of

READ_SIZE = 64 * 1024
_RANDOM_TURNS = 40
_RANDOM_AT_ONCE = 50
_UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_NAMES = {"seal": "encrypt", "open": "decrypt"}


def size_of(text: str) -> int:
    """Bytes, of "512MiB" and the like."""
    return int(text[:-3]) * _UNITS[text[-3:]]


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--size", action="append", help="of the film, such as 512MiB or 4GiB; may be said twice")
    command.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="memory-backed; takes three such files")  # noqa: S108 - it is the point
    command.add_argument("--rounds", type=int, default=7)


def run(asked: argparse.Namespace) -> None:
    found = [_one_size(text, asked) for text in asked.size or ["512MiB"]]
    for name in dict.fromkeys(name for one in found for name in one):
        values = [one[name] for one in found if name in one]
        worst = max(values) if name.startswith(("random", "peak")) else min(values)
        print(f"sealing.{name}: {worst:.2f}")


def _one_size(text: str, asked: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=asked.folder, prefix="vig-vault-bench-") as folder:
        place = _Place(Path(folder), size_of(text))
        for _ in range(asked.rounds):
            place.round()
        figures = place.figures()
        figures |= place.random_reads()
    for name, value in figures.items() if len(asked.size or ()) > 1 else ():
        print(f"sealing.{text}.{name}: {value:.2f}")
    return figures


@dataclass(slots=True)
class _Place:
    """A film, what was made of it, and how long everything took."""

    folder: Path
    size: int
    seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    peak_kib: int = 0
    age: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        piece = os.urandom(2**20)
        with self.film.open("wb") as film:
            for start in range(0, self.size, len(piece)):
                film.write(piece[: self.size - start])
        program, keygen = shutil.which("age"), shutil.which("age-keygen")
        if program and keygen:
            made = subprocess.run([keygen, "-o", self.folder / "age.key"], capture_output=True, text=True, check=True)
            self.age = (program, made.stderr.split()[-1])

    @property
    def film(self) -> Path:
        return self.folder / "film"

    def round(self) -> None:
        """Everybody once."""
        for who in ("copy", "ours", "alone", "tink", "tuned"):
            sealed = self.folder / "sealed"
            self._work(who, "seal", self.film, sealed)
            self._work(who, "open", sealed, self.folder / "opened")
            sealed.unlink()
        if self.age:
            program, recipient = self.age
            sealed, opened = self.folder / "sealed", self.folder / "opened"
            self._timed("age", "seal", [program, "-r", recipient, "-o", sealed, self.film])
            self._timed("age", "open", [program, "-d", "-i", self.folder / "age.key", "-o", opened, sealed])
            sealed.unlink()
            opened.unlink()

    def figures(self) -> dict[str, float]:
        """The medians of the ratios."""
        found = {}
        for act, name in _NAMES.items():
            ours = self.seconds["ours", act]
            alone = self.seconds["alone", act]
            for who, called in (("copy", "plain_copy"), ("tink", "tink"), ("tuned", "tuned_tink"), ("age", "age")):
                if theirs := self.seconds.get((who, act)):
                    found[f"{name}_over_{called}"] = _ratio(theirs, ours)
            found[f"{name}_alone_over_plain_copy"] = _ratio(self.seconds["copy", act], alone)
            found[f"{name}_mib_s"] = self.size / 2**20 / statistics.median(ours)
        return found | {"peak_mib": self.peak_kib / 1024}

    def random_reads(self) -> dict[str, float]:
        """Reads of 64 KiB at random places, ours and plain ones by turns."""
        sealed = self.folder / "sealed"
        self._run("ours", "seal", self.film, sealed)
        with self.film.open("rb", buffering=0) as film, sealed.open("rb", buffering=0) as ciphertext:
            reader, handle, bare = reader_of(ciphertext.fileno()), film.fileno(), bare_of(ciphertext.fileno())
            ours: list[float] = []
            plain: list[float] = []
            least: list[float] = []
            for _ in range(_RANDOM_TURNS):
                plain += self._reads(lambda at: os.pread(handle, READ_SIZE, at))
                ours += self._reads(lambda at: reader.read(at, at + READ_SIZE))
                least += self._reads(bare)
        return {
            "random_64k_bare_over_pread": statistics.median(least) / statistics.median(plain),
            "random_64k_over_pread": statistics.median(ours) / statistics.median(plain),
            "random_64k_mean_over_pread": statistics.mean(ours) / statistics.mean(plain),
            "random_64k_us": statistics.median(ours) * 1e6,
        }

    def _reads(self, read: Callable[[int], object]) -> list[float]:
        found = []
        for _ in range(_RANDOM_AT_ONCE):
            at = random.randrange(max(1, self.size - READ_SIZE))  # noqa: S311 - no secret
            begun = time.perf_counter()
            read(at)
            found.append(time.perf_counter() - begun)
        return found

    def _work(self, who: str, act: str, source: Path, target: Path) -> None:
        self._touch()
        seconds, peak_kib = self._run(who, act, source, target)
        self.seconds[who, act].append(seconds)
        if who == "ours":
            self.peak_kib = max(self.peak_kib, peak_kib)
        if act == "open":
            _check_same(self.film, target)
            target.unlink()

    def _touch(self) -> None:
        """Have as much memory at hand as a target will take."""
        spare, piece = self.folder / "spare", bytes(2**20)
        with spare.open("wb") as file:
            for start in range(0, self.size, len(piece)):
                file.write(piece[: self.size - start])
        spare.unlink()

    def _run(self, who: str, act: str, source: Path, target: Path) -> tuple[float, int]:
        words = [sys.executable, "-m", "bench.sealing_work", who, act, str(source), str(target)]
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        return told["seconds"], told["peak_kib"]

    def _timed(self, who: str, act: str, words: list[str | Path]) -> None:
        self._touch()
        begun = time.perf_counter()
        subprocess.run(words, capture_output=True, check=True)
        self.seconds[who, act].append(time.perf_counter() - begun)


def _ratio(theirs: list[float], ours: list[float]) -> float:
    """The median over the rounds: the two of one round met the same machine."""
    return statistics.median(their / our for their, our in zip(theirs, ours, strict=True))


def _check_same(film: Path, opened: Path) -> None:
    """The last piece is enough to see that the work was done: that it is done right is what the tests are for."""
    with film.open("rb") as one, opened.open("rb") as other:
        for handle in (one, other):
            handle.seek(-min(PIECE, film.stat().st_size), os.SEEK_END)
        if one.read() != other.read():
            message = "what was opened isn't the film"
            raise RuntimeError(message)
