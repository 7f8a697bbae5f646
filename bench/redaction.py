"""How fast films are redacted, against deface 1.5.0 and against decoding and encoding alone.

Every peer is a whole process, from its start to its end, on the same file, one after the other in each run:

* *floor*: ffmpeg decodes the file and encodes it with our settings and threads, sound too.
* *first*: `vig-vault redact IN OUT --detections FILE`: everybody is found and covered, and what was found is kept.
* *again*: the same once more: what a second export with other choices costs.
* *deface*, *scaled*: deface as it comes, and with `--scale 640x360`. It drops the sound; ours keeps it. It isn't among
  our dependencies: `pip install deface==1.5.0 onnxruntime` into any environment (with onnxruntime it is faster than
  without, which would flatter us) and name its program with `--deface`.

Times are medians over the runs, in seconds; the ratios at the end are of the clip on which we did worst. `cpu` is
processor time over the floor's, which a busy machine disturbs less. Each clip is measured at 720 and 1,080 lines, made
from it first (never enlarged), and played over and over up to `--seconds`. Our children give way to other processes
(nice 10), so all others are started with nice 10 as well. Python's bytecode is made first, as it is where the package
is installed. Memory is the proportional share (PSS) of the whole tree of processes, looked at five times a second; what
lies sealed on the disk meanwhile doesn't count.

deface takes so long that it gets the beginning of each film only: once uncounted, since its first start reads it from
a disk, then once so much of it as `--deface-seconds` says, and once a third of that. From the two follow what it takes
to start and what each further second of film costs it, and from these its time for the whole film (`deface_s`,
`scaled_s`). It looks at each frame alike, so a longer film takes it longer in proportion. `--deface-seconds 0` lets it
do all of each film in every run. With one clip given and all else as it comes,
everything takes about eight minutes on two free cores.
"""

from __future__ import annotations

import argparse
import compileall
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import psutil
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image
from skimage import data

from bench.redaction_floor import floor_command

_LINES = (720, 1080)
_LOOK_SECONDS = 0.2
_MIB = 1 << 20
_NICE = ("nice", "-n", "10")


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process, with all that it started, took."""

    seconds: float
    cpu: float
    peak_mib: float


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="films; one is made as well")
    command.add_argument("--seconds", type=float, default=20, help="how long each clip is played (default 20)")
    command.add_argument("--runs", type=int, default=2, help="times that each peer runs (default 2)")
    command.add_argument("--lines", type=int, nargs="*", default=_LINES, help="heights to measure at (720 1080)")
    command.add_argument("--deface", default="deface", help="its program; an empty word leaves it out")
    command.add_argument(
        "--deface-seconds", type=float, default=3, help="how much of each film it does, once; 0 for all (default 3)"
    )
    command.add_argument(
        "--long", type=float, nargs="*", default=(10, 600), metavar="SECONDS", help="lengths for memory (10 600)"
    )


def run(asked: argparse.Namespace) -> None:
    deface = shutil.which(asked.deface) if asked.deface else None
    if asked.deface and not deface:
        sys.exit(f"{asked.deface} isn't there: pip install deface==1.5.0 onnxruntime, or --deface ''")
    for room in ("app", "core", "media", "redaction"):
        compileall.compile_dir(Path(__file__).parents[1] / room, quiet=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spent: dict[str, dict[str, list[Spent]]] = {}
        for clip in (*asked.clips, made_clip(folder / "astronaut.mp4", seconds=min(asked.seconds, 10))):
            for film, lines in _sized(clip, folder=folder, seconds=asked.seconds, heights=asked.lines):
                title = f"{clip.stem}.{lines}p"
                peers = _peers(film, folder=folder)
                if deface and not asked.deface_seconds:
                    peers |= _deface(film, folder=folder, program=deface)
                spent[title] = _interleaved(peers, runs=asked.runs)
                if deface and asked.deface_seconds:
                    spent[title] |= _projected(film, folder=folder, program=deface, seconds=asked.deface_seconds)
                _print_times(title, spent[title])
        _print_ratios(spent)
        for seconds in asked.long:
            film = made_clip(folder / "long.mp4", seconds=seconds, size=(320, 180))
            peak = timed(_ours(film, folder / "long-out.mp4")).peak_mib
            length = f"{seconds / 60:g}min" if seconds >= 60 else f"{seconds:g}s"  # noqa: PLR2004 - a minute
            print(f"redaction.peak_mib.{length}: {peak:.0f}")


def timed(command: list[str]) -> Spent:
    """Run a process to its end.

    Args:
        command: program and arguments.

    Raises:
        CalledProcessError: it failed.
    """
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    peak = 0.0
    while True:
        try:
            _, said = process.communicate(timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            peak = max(peak, _memory(process) / _MIB)
            continue
        break
    seconds = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(seconds, cpu, peak)


def _memory(process: psutil.Process) -> int:
    total = 0
    try:
        tree = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0
    for each in tree:
        try:
            total += each.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total


def made_clip(place: Path, *, seconds: float, size: tuple[int, int] = (1920, 1080)) -> Path:
    """A film as from a phone: somebody moves to and fro before a grainy background, and a tone sounds."""
    width, height = size
    face = place.with_suffix(".png")
    side = height // 2
    Image.fromarray(data.astronaut()[:300, 80:380]).resize((side, side)).save(face)
    move = "x='(W-w)/2+(W-w)/3*sin(t)':y='(H-h)/2+(H-h)/4*cos(t*1.3)'"
    scene = f"[0:v]noise=alls=8:allf=t[grain];[grain][1:v]overlay={move}[out]"
    background = f"gradients=s={width}x{height}:r=30:n=4:speed=0.01:d={seconds}"
    _ffmpeg(
        *("-f", "lavfi", "-i", background, "-i", str(face), "-f", "lavfi", "-i", f"sine=f=440:d={seconds}"),
        *("-filter_complex", scene, "-map", "[out]", "-map", "2:a", "-t", str(seconds)),
        *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", str(place)),
    )
    return place


def _sized(clip: Path, *, folder: Path, seconds: float, heights: list[int]) -> Iterator[tuple[Path, int]]:
    """A clip at each height that it has, long enough."""
    for lines in heights:
        made = folder / f"{clip.stem}-{lines}.mp4"
        scale = f"scale=-2:'min(ih,{lines})'"
        _ffmpeg(
            *("-stream_loop", "-1", "-i", str(clip), "-t", str(seconds), "-vf", scale, "-c:v", "libx264"),
            *("-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", str(made)),
        )
        yield made, lines


@dataclass(frozen=True, slots=True)
class _Peer:
    """One way to redact a film.

    Attributes:
        command: program and arguments.
        without: a file that mustn't be there when it starts.
    """

    command: list[str]
    without: Path | None = None


def _peers(film: Path, *, folder: Path) -> dict[str, _Peer]:
    found = folder / f"{film.stem}.found"
    return {
        "floor": _Peer([*_NICE, *floor_command(film, folder / "floor.mp4")]),
        "first": _Peer(_ours(film, folder / "first.mp4", "--detections", str(found)), without=found),
        "again": _Peer(_ours(film, folder / "again.mp4", "--detections", str(found))),
    }


def _deface(film: Path, *, folder: Path, program: str) -> dict[str, _Peer]:
    command = [*_NICE, program, str(film), "-o"]
    return {
        "deface": _Peer([*command, str(folder / "deface.mp4")]),
        "scaled": _Peer([*command, str(folder / "scaled.mp4"), "--scale", "640x360"]),
    }


def _projected(film: Path, *, folder: Path, program: str, seconds: float) -> dict[str, list[Spent]]:
    """What deface would take for a film, from what it takes for a short piece of it and for a third of that piece."""
    most = length_of(film)
    pieces = [piece_of(film, folder / f"piece{part}.mp4", seconds=min(most, seconds) / part) for part in (3, 1)]
    _interleaved(_deface(pieces[0], folder=folder, program=program), runs=1)  # its first start reads it from a disk
    short, long = (_interleaved(_deface(piece, folder=folder, program=program), runs=1) for piece in pieces)
    lengths = [length_of(piece) for piece in pieces]
    return {name: [projected(short[name][0], long[name][0], lengths=lengths, to=most)] for name in short}


def projected(short: Spent, long: Spent, *, lengths: Sequence[float], to: float) -> Spent:
    """What a film of a length takes, by the straight line through what two shorter ones took."""
    part = (to - lengths[0]) / max(lengths[1] - lengths[0], 1e-9)
    seconds, cpu = ((1 - part) * a + part * b for a, b in ((short.seconds, long.seconds), (short.cpu, long.cpu)))
    return Spent(seconds, cpu, long.peak_mib)


def piece_of(film: Path, place: Path, *, seconds: float) -> Path:
    """The beginning of a film, as it is."""
    _ffmpeg("-i", str(film), "-t", str(seconds), "-c", "copy", str(place))
    return place


def length_of(film: Path) -> float:
    """How long its pictures last, in seconds."""
    with av.open(str(film)) as opened:
        picture = opened.streams.video[0]
        return float((picture.duration or 0) * (picture.time_base or 0))


def _ours(film: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "app", "redact", str(film), str(out), "--force", *more]


def _interleaved(peers: dict[str, _Peer], *, runs: int) -> dict[str, list[Spent]]:
    spent: defaultdict[str, list[Spent]] = defaultdict(list)
    for _ in range(runs):
        for name, peer in peers.items():
            if peer.without:
                peer.without.unlink(missing_ok=True)
            spent[name].append(timed(peer.command))
    return dict(spent)


def _print_times(title: str, spent: dict[str, list[Spent]]) -> None:
    for name, each in spent.items():
        print(f"redaction.{title}.{name}_s: {_seconds(each):.2f}")
    for name in ("first", "again"):
        ratio = statistics.median(one.cpu for one in spent[name]) / statistics.median(one.cpu for one in spent["floor"])
        print(f"redaction.{title}.{name}_cpu_over_floor: {ratio:.2f}")
    sys.stdout.flush()


def _seconds(spent: list[Spent]) -> float:
    return statistics.median(one.seconds for one in spent)


def _print_ratios(spent: dict[str, dict[str, list[Spent]]]) -> None:
    ratios: defaultdict[str, list[float]] = defaultdict(list)
    for title, each in spent.items():
        seconds = {name: _seconds(times) for name, times in each.items()}
        lines = title.rpartition(".")[2]
        ratios["over_floor"].append(-seconds["first"] / seconds["floor"])
        ratios["reexport_over_floor"].append(-seconds["again"] / seconds["floor"])
        if "deface" in seconds:
            ratios[f"{lines}_over_deface"].append(seconds["deface"] / seconds["first"])
            ratios[f"{lines}_over_deface_scaled"].append(seconds["scaled"] / seconds["first"])
    for name, values in ratios.items():
        print(f"redaction.{name}: {abs(min(values)):.2f}")
    peak = max(one.peak_mib for each in spent.values() for name in ("first", "again") for one in each[name])
    print(f"redaction.peak_mib: {peak:.0f}")


def _ffmpeg(*arguments: str) -> None:
    command = [get_ffmpeg_exe(), "-loglevel", "error", "-nostdin", "-y", *arguments]
    subprocess.run(command, check=True, capture_output=True)
