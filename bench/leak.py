"""How many faces that had to be blurred can still be recognised in what comes out: ours and deface, on the same films.

Every labelled film in a folder, and harder films made from them, go through both programs as anybody would start them.
What comes out is decoded and compared with the original by its pixels (bench/leak_measure.py says how), at each face
that somebody labelled by hand (bench/leak_labels). A *leak* is a labelled face in a labelled frame that isn't covered;
a person is leaked where one of theirs is. It ends with 1 where ours leaks more than deface on any film, or any person.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from PIL import Image, ImageDraw

from bench.leak_clips import clips, found_in, is_harder, made_by
from bench.leak_films import Clip, Moment, moments
from bench.leak_kept import Kept, keep, tracks_of
from bench.leak_measure import COVERED, OPEN, Box, blurred_elsewhere, lost_share

LABELS = Path(__file__).parent / "leak_labels"
PEERS = ("deface", "ours")
OURS = (sys.executable, "-m", "app", "redact")
"""That of this checkout; the measurement runs in it."""
KEPT = 3
SCALED = ("--scale", "640x360")
PROGRAMS = ("deface", "deface_scaled", "none", "ours")
"""Each with what it does by itself, and deface looking at small pictures. None blurs nothing: all must leak, or the
measure is blind."""


@dataclass(slots=True)
class Score:
    """What one program did to one film.

    Attributes:
        leaks: by person, the frames in which they aren't covered.
        open: by person, those of them in which hardly anything of their face is.
        scored: by person, the frames in which they could be.
        kinds: of each person.
        elsewhere: cells blurred though no face is near, and all that might have been.
        off_time: frames whose picture stood elsewhere in the output than its time would have it.
    """

    leaks: dict[str, list[int]] = field(default_factory=dict)
    open: dict[str, list[int]] = field(default_factory=dict)
    scored: dict[str, list[int]] = field(default_factory=dict)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    elsewhere: tuple[int, int] = (0, 0)
    off_time: int = 0

    @property
    def leaked(self) -> int:
        """Pairs of a face and a frame in which it isn't covered."""
        return sum(map(len, self.leaks.values()))

    @property
    def faces(self) -> int:
        """All such pairs that count."""
        return sum(map(len, self.scored.values()))

    @property
    def people_leaked(self) -> int:
        """How many people aren't covered somewhere."""
        return sum(map(bool, self.leaks.values()))

    @property
    def longest_run(self) -> int:
        """How many labelled frames of one person on end."""
        return max((_longest_run(self.leaks[name], self.scored[name]) for name in self.leaks), default=0)


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, help="where the labelled films lie")
    command.add_argument("--labels", type=Path, default=LABELS, help="a folder of labels in JSON")
    command.add_argument("--program", choices=PROGRAMS, action="append", help="only this one; may be said twice")
    command.add_argument("--only", help="only films with this in their name")
    command.add_argument("--plain", action="store_true", help="without the harder films that are made of them")
    command.add_argument("--everybody", action="store_true", help="keep everybody in turn, in the harder films too")
    command.add_argument("--deface", default="deface", help="its program: pip install deface==1.5.0 anywhere")
    command.add_argument("--stay", type=Path, help="a folder in which films and what was found in them stay")
    command.add_argument("--pictures", type=Path, help="a folder for pictures of what leaked; outside the repository")


def run(asked: argparse.Namespace) -> None:
    scores: dict[str, dict[str, Score]] = {}
    kept: list[Kept] = []
    with tempfile.TemporaryDirectory(prefix="vig-bench") as name:
        folder = asked.stay or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for clip in clips(asked, folder):
            if asked.only and asked.only not in clip.name:
                continue
            scores[clip.name] = {}
            for program in asked.program or PEERS:
                shown = moments(clip, made(clip, program=program, deface=asked.deface, folder=folder))
                score = scored(clip, shown)
                scores[clip.name][program] = score
                report(f"leak.{clip.name}.{program}", [score])
                say_who(score, clip=clip, program=program)
                if asked.pictures:
                    draw_leaks(score, clip, shown, asked.pictures, program=program)
                if program == "ours":
                    kept += kept_ones(clip, asked=asked, folder=folder)
    if not scores:
        sys.exit("no labelled film there")
    for program in asked.program or PEERS:
        report(f"leak.{program}", [of_clip[program] for of_clip in scores.values()])
    if kept:
        report_kept("leak.kept", kept)
    sys.exit(not good(scores) or any(one.leaked for one in kept))


def made(clip: Clip, *, program: str, deface: str, folder: Path) -> Path:
    """What a program makes of a film; somebody else's isn't made again."""
    out = made_by(program, clip, folder)
    if program.startswith("deface") and out.exists():
        return out
    words = {
        "deface": [deface, str(clip.path), "-o", str(out)],
        "deface_scaled": [deface, str(clip.path), "-o", str(out), *SCALED],
        "none": ["cp", str(clip.path), str(out)],
        "ours": [*OURS, str(clip.path), str(out), "--force", "--detections", str(found_in(clip, folder))],
    }
    done = subprocess.run(words[program], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        out.unlink(missing_ok=True)
        sys.exit(f"{program} failed on {clip.name}: {done.stderr[-2000:]}")
    return out


def scored(clip: Clip, shown: Sequence[Moment]) -> Score:
    """Look at every labelled face of a film."""
    score = Score(kinds={person.name: person.kinds for person in clip.people})
    blurred, whole = 0, 0
    for person in clip.people:
        score.leaks[person.name], score.open[person.name], score.scored[person.name] = [], [], []
    for moment in shown:
        score.off_time += moment.off != 0
        boxes: list[Box] = []
        for person in clip.people:
            box = person.faces.get(moment.frame)
            if box is None:
                near = min(person.faces, key=lambda frame: abs(frame - moment.frame), default=None)
                if moment.frame in person.slight and near is not None:
                    boxes.append(person.faces[near].grown(1))
                continue
            boxes.append(box)
            share = lost_share(moment.before, moment.after, box)
            if share is None:
                continue
            score.scored[person.name].append(moment.frame)
            if share < COVERED:
                score.leaks[person.name].append(moment.frame)
            if share < OPEN:
                score.open[person.name].append(moment.frame)
        some, most = blurred_elsewhere(moment.before, moment.after, boxes)
        blurred, whole = blurred + some, whole + most
    score.elsewhere = blurred, whole
    return score


def report(name: str, scores: Sequence[Score]) -> None:
    """Print what came out."""
    faces, leaked = sum(one.faces for one in scores), sum(one.leaked for one in scores)
    blurred, whole = (sum(one.elsewhere[index] for one in scores) for index in (0, 1))
    print(f"{name}.face_frames: {faces}")
    print(f"{name}.face_frames_leaked: {leaked}")
    print(f"{name}.face_frames_open: {sum(len(frames) for one in scores for frames in one.open.values())}")
    print(f"{name}.rate_percent: {100 * leaked / max(1, faces):.2f}")
    print(f"{name}.people: {sum(bool(frames) for one in scores for frames in one.scored.values())}")
    print(f"{name}.people_leaked: {sum(one.people_leaked for one in scores)}")
    print(f"{name}.longest_run: {max(one.longest_run for one in scores)}")
    print(f"{name}.blurred_elsewhere_percent: {100 * blurred / max(1, whole):.2f}")
    print(f"{name}.frames_off_time: {sum(one.off_time for one in scores)}", flush=True)
    if len(scores) > 1:
        kinds: Counter[str] = Counter()
        for one in scores:
            for who, frames in one.leaks.items():
                kinds.update({kind: len(frames) for kind in one.kinds[who]})
        for kind, count in sorted(kinds.items()):
            print(f"{name}.{kind}.face_frames_leaked: {count}")


def say_who(score: Score, *, clip: Clip, program: str) -> None:
    """Say on the side who was leaked, and when."""
    for name, frames in score.leaks.items():
        if frames:
            sys.stderr.write(f"{clip.name}, {program}: {name} in {', '.join(map(str, frames))}\n")


def good(scores: dict[str, dict[str, Score]]) -> bool:
    """Whether ours leaks nobody, and nowhere more than deface."""
    return all(
        of_clip["ours"].people_leaked == 0
        and all(of_clip["ours"].leaked <= of_clip[peer].leaked for peer in of_clip if peer.startswith("deface"))
        for of_clip in scores.values()
        if "ours" in of_clip
    )


def kept_ones(clip: Clip, *, asked: argparse.Namespace, folder: Path) -> list[Kept]:
    """Keep each of the people of whom most is to be seen, one at a time; say how many there are to choose from."""
    seen_most = sorted((person for person in clip.people if person.faces), key=lambda person: -len(person.faces))
    found = found_in(clip, folder)
    report_listed(f"leak.{clip.name}.list", tracks_of(clip, found), people=len(seen_most))
    if not asked.everybody:  # the films as they are; it takes long enough
        seen_most = [] if is_harder(clip, folder) else seen_most[:KEPT]
    done = []
    for person in seen_most:
        one = keep(clip, person, command=OURS, found=found, folder=folder)
        report_kept(f"leak.{clip.name}.kept.{person.name.replace(' ', '_')}", [one])
        sys.stderr.write(f"{clip.name}, kept {person.name}: blurred over in {one.blurred}, leaked {one.leaked}\n")
        done.append(one)
    return done


def report_listed(name: str, listed: Mapping[str | None, Sequence[int]], *, people: int) -> None:
    """Print how many entries a guider chooses from, against how many people are labelled."""
    on_labels = [numbers for who, numbers in listed.items() if who is not None]
    print(f"{name}.people: {people}")
    print(f"{name}.entries: {sum(map(len, listed.values()))}")
    print(f"{name}.entries_of_people: {sum(map(len, on_labels))}")
    print(f"{name}.most_for_one: {max(map(len, on_labels), default=0)}", flush=True)


def report_kept(name: str, kept: Sequence[Kept]) -> None:
    """Print what came of keeping people."""
    faces, blurred = sum(one.faces for one in kept), sum(len(one.blurred) for one in kept)
    print(f"{name}.face_frames: {faces}")
    print(f"{name}.blurred_over: {blurred}")
    print(f"{name}.blurred_over_percent: {100 * blurred / max(1, faces):.2f}")
    print(f"{name}.others_leaked: {sum(len(one.leaked) for one in kept)}", flush=True)


def draw_leaks(score: Score, clip: Clip, shown: Sequence[Moment], folder: Path, *, program: str) -> None:
    """Keep a picture of each face that leaked, before and after."""
    folder.mkdir(parents=True, exist_ok=True)
    by_frame = {moment.frame: moment for moment in shown}
    for person in clip.people:
        for frame in score.leaks[person.name]:
            box = person.faces[frame].grown(1)
            area = tuple(round(at) for at in (box.x, box.y, box.x + box.width, box.y + box.height))
            both = Image.new("L", (600, 300))
            for place, picture in enumerate((by_frame[frame].before, by_frame[frame].after)):
                both.paste(Image.fromarray(picture).crop(area).resize((300, 300)), (300 * place, 0))
            ImageDraw.Draw(both).text((4, 4), f"{clip.name} {program} {person.name} {frame}", fill=255)
            both.save(folder / f"{clip.name}-{program}-{person.name.replace(' ', '_')}-{frame}.png")


def _longest_run(frames: Sequence[int], among: Sequence[int]) -> int:
    longest, places = 0, [among.index(frame) for frame in frames]
    run = 0
    for place, (before, now) in enumerate(pairwise([-2, *places])):
        run = run + 1 if place and now == before + 1 else 1
        longest = max(longest, run)
    return longest
