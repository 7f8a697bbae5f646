"""A program: gives many slightly spoilt films to the decoder, and prints how each ended.

The decoder's own program runs in a child of its own for each film, behind Landlock and seccomp, as in real life; but it
is forked from a process that has loaded everything already, so that hundreds cost what one costs otherwise.
"""

from __future__ import annotations

import json
import os
import random
import select
import socket
import sys
from pathlib import Path

from media import calls, decode, spawn
from media.jobs import Bounds, Normalise
from media.orders import DecodeOrder, Seal
from media.sandbox import Cage, Role, enter
from media.wire import BrokenLine, Kind, Line, length_asked
from tests.media.shelf import Object

MOST_FLIPS = 12
FINE = "fine"
CAGE = Cage(landlock=True, calls=calls.allowed(), readable=tuple(spawn._readable(Role.DECODE)))


def spoilt(film: bytes, *, seed: int) -> bytes:
    """A film with a few bits turned: half of the time in its first or last kilobytes, where indexes are."""
    chance = random.Random(seed)  # noqa: S311 - the same films every time
    made = bytearray(film)
    edge = min(len(made), 4096)
    spans = [(0, len(made)), (0, len(made)), (0, edge), (len(made) - edge, len(made))]
    for _ in range(chance.randint(1, MOST_FLIPS)):
        first, last = chance.choice(spans)
        made[chance.randrange(first, last)] ^= 1 << chance.randrange(8)
    return bytes(made)


def fate(film: bytes) -> str:
    """What the decoder makes of a film: ``fine``, its code, or ``died`` and how."""
    sealed = Object.of(film)
    mine, its = socket.socketpair()
    picture, its_picture = os.pipe()
    sound, its_sound = os.pipe()
    child = os.fork()
    if child == 0:
        _decode({"line": its.fileno(), "picture": its_picture, "sound": its_sound})
    its.close()
    os.close(its_picture)
    os.close(its_sound)
    mine.settimeout(60)
    try:
        ended = _serve(Line(mine), sealed, drains=[picture, sound])
    except BrokenLine:
        ended = ""
    for fd in (picture, sound):
        os.close(fd)
    mine.close()
    _, status = os.waitpid(child, 0)
    return ended or f"died {os.waitstatus_to_exitcode(status)}"


def _decode(fds: dict[str, int]) -> None:
    enter(CAGE, parent=os.getppid(), keep=fds.values())
    decode.main(fds)
    os._exit(0)


def _serve(line: Line, film: Object, *, drains: list[int]) -> str:
    seal = Seal(film.key, b"object")
    line.tell(Kind.ORDER, **DecodeOrder(Normalise(), len(film.data), film.header, seal, Bounds(), 1).words())
    open_pipes = list(drains)
    while True:
        ready, _, _ = select.select([line.end, *open_pipes], [], [], 60)
        if not ready:
            return "hung"
        for pipe in [pipe for pipe in ready if isinstance(pipe, int)]:
            if not os.read(pipe, 1 << 20):
                open_pipes.remove(pipe)
        if line.end not in ready:
            continue
        message = line.receive()
        match message.kind:
            case Kind.READ:
                line.send(Kind.DATA, payload=film.read(message.number, length_asked(message)))
            case Kind.FAIL:
                return message.payload.decode()
            case Kind.DONE:
                return FINE
            case Kind.SHAPE | Kind.PROGRESS:
                continue
            case _:
                return f"said {message.kind.name}"


def main(folder: Path, *, count: int) -> None:
    """Print, by name of the film and seed, how each ended."""
    fates = {}
    for path in sorted(folder.iterdir()):
        film = path.read_bytes()
        fates |= {f"{path.name} {seed}": fate(spoilt(film, seed=seed)) for seed in range(count)}
    print(json.dumps(fates))  # noqa: T201 - for the test that started it


if __name__ == "__main__":
    main(Path(sys.argv[1]), count=int(sys.argv[2]))
