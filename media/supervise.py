"""One job's three children and what the parent does for them, in one loop of one thread.

The parent serves ciphertext, keeps and passes on ciphertext, watches the clock, and kills. It never parses film.
"""

from __future__ import annotations

import os
import secrets
import selectors
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path

from core.secret import Secret
from core.segments import KEY_SIZE
from media import detector, encode, spawn
from media.jobs import MP4, Bounds, Detect, Job, Redact, Sink, Source
from media.orders import DecodeOrder, FinishOrder, Output, Seal, Shape, media_type_of
from media.refusals import CANCELLED, OUTPUT_UNEXPECTED, PROCESS_FAILED, PROCESS_HUNG, refuse
from media.sandbox import Role
from media.spawn import Child, Walls
from media.spool import Spool
from media.wire import BrokenLine, Kind, Message, length_asked

_LOOK = 0.25
_PIPE = 1 << 20
_MOST_THREADS = 4
_LEAST_OUTPUT = 64 << 20
_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Made:
    """What a job made: what the frames looked like, how many there are, and the sealed output."""

    shape: Shape
    frames: int
    output: Output


class Supervisor:
    """Carries out one job.

    Args:
        job: what to do.
        walls: the layers that its children stand behind.
        source: the sealed film.
        sink: where the sealed output goes.
        bounds: what is allowed.
        on_progress: told parts of a thousand.
        cancelled: asked several times a second whether to stop.
        spool: folder for the sealed temporary file (it has no name, and its key dies with this object).
    """

    def __init__(
        self,
        job: Job,
        *,
        walls: Walls,
        source: Source,
        sink: Sink,
        bounds: Bounds,
        on_progress: Callable[[int], object],
        cancelled: Callable[[], bool],
        spool: Path | None,
    ) -> None:
        self._job = job
        self._walls = walls
        self._source = source
        self._sink = sink
        self._bounds = bounds
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._media_type = media_type_of(job)
        self._maker = Role.DETECT if isinstance(job, Detect) else Role.ENCODE
        self._plan = job.covers.to_bytes() if isinstance(job, Redact) else b""
        self._stack = ExitStack()
        self._kept = self._stack.enter_context(Spool(spool))
        self._selector = self._stack.enter_context(selectors.DefaultSelector())
        self._kept_size = 0
        self._given_size = 0
        self._given_start = b""
        self._shape: Shape | None = None
        self._decoded: int | None = None
        self._finished: int | None = None
        self._output: Output | None = None
        self._gone = False
        self._ended: set[Role] = set()
        self._children: dict[Role, Child] = {}
        self._pipes: dict[str, int] = {}
        self._threads = min(_MOST_THREADS, os.cpu_count() or 1)
        self._heard = self._looked = time.monotonic()
        self._deadline = self._heard + bounds.grace.total_seconds()

    def carry_out(self) -> Made:
        """Run the job to its end; whatever happens, no child outlives this call.

        Raises:
            VaultError: see ``media.refusals``.
        """
        try:
            with self._stack:
                self._begin()
                while self._output is None or len(self._ended) < len(self._children):
                    self._step()
        except BrokenLine:
            refuse(PROCESS_FAILED)
        finally:
            for child in self._children.values():
                child.kill()
            for name in list(self._pipes):
                self._close(name)
        if self._shape is None or self._finished is None or self._output is None:
            refuse(PROCESS_FAILED)
        self._check(self._output)
        return Made(self._shape, self._finished, self._output)

    # Beginning

    def _begin(self) -> None:
        for name in ("picture", "sound", "encoded"):
            self._pipes[f"{name}-out"], self._pipes[f"{name}-in"] = os.pipe()
        with suppress(PermissionError):  # a user without privileges may have so much in pipes and no more; it is slower
            fcntl(self._pipes["picture-in"], F_SETPIPE_SZ, _PIPE)
        source, order = self._source, Seal(self._source.key, self._source.associated_data)
        decoder = self._start(Role.DECODE, {"picture": "picture-in", "sound": "sound-in"})
        words = DecodeOrder(self._job, source.size, source.header, order, self._bounds, self._threads).words()
        _tell(decoder, **words)
        spawn.ffmpeg()  # finding it takes a while, the first time; it is needed as soon as the decoder has looked

    def _start(
        self, role: Role, fds: dict[str, str], *, out: int | None = None, command: tuple[str, ...] = ()
    ) -> Child:
        given = {name: self._pipes[pipe] for name, pipe in fds.items()}
        child = spawn.start(role, walls=self._walls, fds=given, out=out, command=command)
        self._children[role] = child
        self._selector.register(child.ended, selectors.EVENT_READ, (role, "ended"))
        if child.line:
            self._selector.register(child.line.end, selectors.EVENT_READ, (role, "line"))
        for pipe in fds.values():
            self._close(pipe)
        return child

    def _close(self, pipe: str) -> None:
        os.close(self._pipes.pop(pipe))

    def _begin_encoding(self, shape: Shape) -> None:
        """Start the other two, now that there is something for them: most films that are refused never come so far."""
        self._shape = shape
        self._deadline += shape.seconds * self._bounds.pace
        picture, sound, program = self._pipes["picture-out"], self._pipes["sound-out"], spawn.ffmpeg()
        fds = {"picture": "picture-out"}
        command: tuple[str, ...]
        if isinstance(self._job, Detect):
            command = (detector.Order.of(shape, job=self._job, threads=self._threads).text(),)
        elif self._media_type != MP4:
            command = encode.picture_command(shape, program=program, picture=picture)
        else:
            command = encode.film_command(
                shape, program=program, picture=picture, sound=sound, threads=os.cpu_count() or 1
            )
            fds |= {"sound": "sound-out"} if shape.channels else {}
        self._start(self._maker, fds, out=self._pipes["encoded-in"], command=command)
        self._close("encoded-in")
        self._start(Role.FINISH, {"encoded": "encoded-out"})
        spool = Seal(Secret(secrets.token_bytes(KEY_SIZE)), b"media spool")
        sink = Seal(self._sink.key, self._sink.associated_data)
        _tell(self._children[Role.FINISH], **FinishOrder(shape, spool, sink, self._media_type).words())

    # The loop

    def _step(self) -> None:
        for key, _ in self._selector.select(_LOOK):
            role, what = key.data
            if what == "line":
                self._hear(self._children[role])
            else:
                self._see_end(role)
        now = time.monotonic()
        if now - self._looked >= _LOOK:
            self._looked = now
            if self._cancelled():
                refuse(CANCELLED)
        if now > self._deadline or now - self._heard > self._bounds.stall.total_seconds():
            refuse(PROCESS_HUNG)

    def _hear(self, child: Child) -> None:
        line = child.line
        if line is None:
            return
        try:
            message = line.receive()
        except BrokenLine:
            if self._is_done(child.role):
                self._selector.unregister(line.end)
                return
            raise
        self._heard = time.monotonic()
        if message.kind is Kind.FAIL:
            refuse(message.payload.decode("ascii", "replace"))
        if child.role is Role.DECODE:
            self._serve_decoder(child, message)
        else:
            self._serve_finisher(child, message)

    def _is_done(self, role: Role) -> bool:
        return (self._decoded if role is Role.DECODE else self._output) is not None

    def _serve_decoder(self, child: Child, message: Message) -> None:
        match message.kind:
            case Kind.READ:
                length = min(length_asked(message), max(0, self._source.size - message.number))
                _send(child, self._source.read(message.number, length) if length else b"")
            case Kind.PLAN if self._shape is None:
                _send(child, self._plan[message.number :][: length_asked(message)])
            case Kind.SHAPE if self._shape is None:
                self._begin_encoding(Shape.of(message.words(), bounds=self._bounds))
            case Kind.PROGRESS:
                self._on_progress(min(_PARTS - 1, message.number))
            case Kind.DONE if self._decoded is None and self._shape:
                self._decoded = message.number
                self._let_go()
            case _:
                raise BrokenLine

    def _serve_finisher(self, child: Child, message: Message) -> None:
        match message.kind:
            case Kind.KEEP if self._finished is None:
                self._kept_size += len(message.payload)
                if self._kept_size > self._most_output():
                    refuse(OUTPUT_UNEXPECTED)
                self._kept.keep(message.payload)
            case Kind.KEPT if self._finished is None:
                self._finished = message.number
                self._let_go()
            case Kind.READ if self._gone:
                _send(child, self._kept.read(message.number, length_asked(message)))
            case Kind.GIVE if self._gone and self._output is None:
                self._given_size += len(message.payload)
                if self._given_size > self._most_output():
                    refuse(OUTPUT_UNEXPECTED)
                self._given_start = self._given_start or message.payload[: len(self._source.header)]
                self._sink.write(message.payload)
            case Kind.DONE if self._gone and self._output is None:
                self._output = Output.of(message.words())
            case _:
                raise BrokenLine

    def _see_end(self, role: Role) -> None:
        child = self._children[role]
        if child.line and not self._is_done(role):
            self._hear(child)  # its last words may still lie on the line; if there are none, it has failed
            return
        self._selector.unregister(child.ended)
        self._ended.add(role)
        if child.process.wait() != 0:
            refuse(PROCESS_FAILED)
        self._let_go()

    def _let_go(self) -> None:
        """The output may leave once all three agree: decoded to the end, encoded without fault, and looked at."""
        if self._gone or None in {self._decoded, self._finished} or self._maker not in self._ended:
            return
        if self._decoded != self._finished or self._frames_planned() not in {None, self._finished}:
            refuse(OUTPUT_UNEXPECTED)
        self._gone = True
        line = self._children[Role.FINISH].line
        if line:
            line.send(Kind.GO)

    def _frames_planned(self) -> int | None:
        return len(self._job.covers) if isinstance(self._job, Redact) else None

    def _most_output(self) -> int:
        frames = self._decoded or (self._shape.frames if self._shape else 0)
        seconds = float(frames / self._shape.rate) if self._shape else 0
        if not seconds:
            seconds = self._bounds.duration.total_seconds()
        return int(_LEAST_OUTPUT + 2 * seconds * encode.MOST_BITS_PER_SECOND / 8)

    def _check(self, output: Output) -> None:
        if output.sealed.ciphertext_size != self._given_size or output.sealed.header != self._given_start:
            refuse(OUTPUT_UNEXPECTED)


def _tell(child: Child, **words: object) -> None:
    if child.line:
        child.line.tell(Kind.ORDER, **words)


def _send(child: Child, data: bytes) -> None:
    if child.line:
        child.line.send(Kind.DATA, payload=data)
