"""`redact`: blur everybody in a film file who isn't chosen. No store is needed."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from app import plainfilm
from app.cli import application, say
from app.plainfilm import Existing, Progress, Sealing
from core.errors import Invalid
from media.covers import CoverShape, CoverStyle
from media.detections import Detections
from media.launcher import self_test

_PARTS = 1000
_ENDED = 143


@application.command()
def redact(
    film: Annotated[Path, typer.Argument(metavar="IN", help="The film (MP4, MOV or WebM).")],
    out: Annotated[Path | None, typer.Argument(metavar="OUT", help="Where the redacted film goes (MP4).")] = None,
    *,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="TRACK", help="Who stays visible: a number of --list, or several with commas."),
    ] = None,
    only_list: Annotated[bool, typer.Option("--list", help="Print who is in the film, and make nothing.")] = False,
    sheet: Annotated[
        Path | None, typer.Option(help="Write one picture of everybody, in the order of --list (JPEG).")
    ] = None,
    detections: Annotated[
        Path | None, typer.Option(help="Where faces are: read if the file is there, else written.")
    ] = None,
    solid: Annotated[bool, typer.Option("--solid", help="One colour instead of a blur.")] = False,
    box: Annotated[bool, typer.Option("--box", help="Boxes instead of ellipses.")] = False,
    mute: Annotated[list[str] | None, typer.Option(metavar="A-B", help="No sound from A to B (1:05-1:12.5).")] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="X,Y,W,H@A-B", help="Cover a place too, in pixels; or X,Y,W,H@A;X,Y,W,H@B to move."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")] = False,
) -> None:
    """Blur everybody in a film file who isn't chosen; works without a store, and without a network.

    First --list --sheet people.jpg, then OUT with --keep. Who isn't kept is covered; nobody is kept by default. Voices,
    clothes, rooms, reflections and the way somebody walks are not covered: look at the result before you give it away.
    """
    if (out is None) != only_list:
        raise Invalid("redact_what", "Name the film and where the result goes, or the film and --list.", field="out")
    existing = Existing.IS_REPLACED if force else Existing.STAYS
    for place in (out, sheet):
        if place is not None:
            plainfilm.check_place(place, existing=existing)
    begun = time.monotonic()
    folder = out.parent if out else Path(tempfile.gettempdir())
    with _tidy_when_ended(), ThreadPoolExecutor(1) as beside, plainfilm.sealed_copy(film, folder=folder) as sealed:
        beside.submit(self_test)  # whoever starts the first job waits for it, and hears of it if it failed
        if detections is None or not detections.exists():
            beside.submit(_load)
        found, numbered = _found(sealed, detections=detections, folder=folder)
        from app import redactor  # noqa: PLC0415 - numpy is loaded while children try the sandbox

        followed = redactor.followed(found)
        numbering = redactor.numbering(followed, found=found)
        if detections is not None and numbered is None:
            kept = plainfilm.kept_with(sealed, found, numbering=numbering)
            plainfilm.put(iter([kept]), place=detections, existing=Existing.STAYS)
        elif keep and numbered not in {None, numbering}:
            raise _renumbered()
        persons = redactor.people(followed, fps=found.fps)
        style, shape = CoverStyle.SOLID if solid else CoverStyle.BLUR, CoverShape.BOX if box else CoverShape.ELLIPSE
        chosen = redactor.choices(
            found, keep=keep or [], mute=mute or [], regions=region or [], style=style, shape=shape
        )
        if out is not None:
            job = redactor.planned(found, followed=followed, chosen=chosen)
            with _shown("Covering") as on_progress:
                redactor.write_redacted(sealed, job=job, out=out, existing=existing, on_progress=on_progress)
        if sheet is not None and persons:
            redactor.write_sheet(sealed, persons=persons, out=sheet, existing=existing)
    lines = list(redactor.words(persons, found=found, chosen=chosen))
    if out is not None:
        lines.append(f"{out}: everybody else is covered. Look at it before you give it away: voices aren't changed.")
    values = redactor.values(persons, found=found, chosen=chosen)
    say("\n".join(lines), as_json=as_json, out=out, seconds=round(time.monotonic() - begun, 2), **values)


def _load() -> None:
    from app import redactor  # noqa: F401, PLC0415 - it takes numpy; there is time while faces are sought


def _found(sealed: Sealing, *, detections: Path | None, folder: Path) -> tuple[Detections, str | None]:
    """What was found, and who was which number in it if that was before."""
    if detections is not None and detections.exists():
        return plainfilm.found_before(sealed, detections.read_bytes())
    if detections is not None:
        plainfilm.check_place(detections, existing=Existing.STAYS)
    with _shown("Looking for faces") as on_progress:
        return plainfilm.look(sealed, folder=folder, on_progress=on_progress), None


def _renumbered() -> Invalid:
    sentence = "Another version of this program numbered these people. Remove the detections, and print the list again."
    return Invalid("people_renumbered", sentence, field="keep")


@contextmanager
def _shown(label: str) -> Iterator[Progress]:
    """A bar with the time left on the terminal, where there is one."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with typer.progressbar(length=_PARTS, label=label, file=sys.stderr) as bar:
        yield lambda parts: bar.update(max(0, parts - bar.pos))
        bar.update(_PARTS - bar.pos)


@contextmanager
def _tidy_when_ended() -> Iterator[None]:
    """Being told to end (SIGTERM) goes the same way out as Ctrl-C, on which everything is tidied up."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise SystemExit(_ENDED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
