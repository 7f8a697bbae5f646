"""How fast films are redacted, against deface 1.5.0 and against decoding and encoding alone.

Every peer is a whole process, from its start to its end, on the same file, one after the other in each run:

* *floor*: ffmpeg decodes the file and encodes it with our settings and threads, sound too.
* *first*: `vig-vault redact IN OUT`: everybody is found and covered.
* *again*: the same with `--detections FILE` of an earlier run: what a second export with other choices costs.
* *deface*, *scaled*: deface as it comes, and with `--scale 640x360`. It drops the sound; ours keeps it. It isn't among
  our dependencies: `pip install deface==1.5.0` into any environment and name its program with `--deface`.

Times are medians over the runs, in seconds; the ratios at the end are of the clip on which we did worst. `cpu` is
processor time over the floor's, which a busy machine disturbs less. Each clip is measured at 720 and 1,080 lines, made
from it first (never enlarged), and played over and over up to `--seconds`. Our children give way to other processes
(nice 10), so all others are started with nice 10 as well. Memory is the proportional share (PSS) of the whole tree of
processes, looked at five times a second; what lies sealed on the disk meanwhile doesn't count.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
    command.add_argument("--seconds", type=float, default=30, help="how long each clip is played (default 30)")
    command.add_argument("--runs", type=int, default=3, help="times that each peer runs (default 3)")
    command.add_argument("--lines", type=int, nargs="*", default=_LINES, help="heights to measure at (720 1080)")
    command.add_argument("--deface", default="deface", help="its program; an empty word leaves it out")
    command.add_argument(
        "--long", type=float, nargs="*", default=(10, 600), metavar="SECONDS", help="lengths for memory (10 600)"
    )


def run(asked: argparse.Namespace) -> None:
    deface = shutil.which(asked.deface) if asked.deface else None
    if asked.deface and not deface:
        sys.exit(f"{asked.deface} isn't there: pip install deface==1.5.0, or --deface ''")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spent: dict[str, dict[str, list[Spent]]] = {}
        for clip in (*asked.clips, made_clip(folder / "astronaut.mp4", seconds=min(asked.seconds, 10))):
            for film, lines in _sized(clip, folder=folder, seconds=asked.seconds, heights=asked.lines):
                title = f"{clip.stem}.{lines}p"
                spent[title] = _interleaved(_peers(film, folder=folder, deface=deface), runs=asked.runs)
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


def _peers(film: Path, *, folder: Path, deface: str | None) -> dict[str, list[str]]:
    detections = folder / f"{film.stem}.found"
    peers = {
        "floor": [*_NICE, *floor_command(film, folder / "floor.mp4")],
        "first": _ours(film, folder / "first.mp4"),
        "again": _ours(film, folder / "again.mp4", "--detections", str(detections)),
    }
    timed(_ours(film, folder / "found.mp4", "--detections", str(detections)))
    if deface:
        peers["deface"] = [*_NICE, deface, str(film), "-o", str(folder / "deface.mp4")]
        peers["scaled"] = [*_NICE, deface, str(film), "--scale", "640x360", "-o", str(folder / "scaled.mp4")]
    return peers


def _ours(film: Path, out: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "app", "redact", str(film), str(out), "--force", *more]


def _interleaved(peers: dict[str, list[str]], *, runs: int) -> dict[str, list[Spent]]:
    spent: defaultdict[str, list[Spent]] = defaultdict(list)
    for _ in range(runs):
        for name, command in peers.items():
            spent[name].append(timed(command))
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
