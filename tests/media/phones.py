"""The variants of film that phones, cameras and messengers make, each as a name and a way to make it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial

from tests.media import chart
from tests.media.chart import AAC, H264, HEIGHT, HEVC, TONE, WIDTH, again, film, plain

HD = ("-vf", "scale=out_color_matrix=bt709", "-colorspace", "bt709")
NTSC = Fraction(30000, 1001)
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "20", "-b:v", "0")
AV1 = ("-c:v", "libsvtav1", "-preset", "12", "-crf", "20", "-svtav1-params", "lp=1")
OPUS = ("-c:a", "libopus")
FRAGMENTS = ("-movflags", "+frag_keyframe+empty_moov")


@dataclass(frozen=True, slots=True)
class Variant:
    """A film and what must become of it.

    Attributes:
        make: gives the film.
        size: of the working copy.
        rate: of the working copy.
        numbers: of its pictures, in order.
        near: by how much a number may be off (where pictures are dropped or doubled).
        tone: when it sounds, in seconds; nothing for a film without sound.
        colours: whether the four colours must have come through.
    """

    make: Callable[[], bytes]
    size: tuple[int, int] = (WIDTH, HEIGHT)
    rate: Fraction = Fraction(30)
    numbers: Sequence[int] = range(30)
    near: int = 0
    tone: tuple[float, float] | None = TONE
    colours: bool = field(default=True)


def turned(degrees: int, filters: str, *more: str) -> bytes:
    """Stored as the sensor stands, with a display matrix that puts it upright."""
    stored = film("-vf", filters, *H264, *AAC)
    return again(stored, "-c", "copy", before=("-display_rotation", str(degrees), *more))


def mirrored() -> bytes:
    """As some front cameras store it: mirrored, with a display matrix that says so."""
    stored = film("-vf", "hflip", *H264, *AAC)
    return again(stored, "-c", "copy", before=("-display_hflip",))


def in_the_dark(full_speed: str) -> bytes:
    """Variable frame rate: only every third picture was taken but for some of them."""
    choice = ("-vf", f"select='{full_speed}+not(mod(n,3))'", "-fps_mode", "vfr")
    return film(*choice, *H264, *AAC, suffix=".mov")


def two_microphones() -> bytes:
    """Two tracks of sound; the tone is in the first, the second is noise."""
    noise = ("-f", "lavfi", "-t", "1", "-i", "anoisesrc=r=48000:a=0.5")
    arguments = ("-map", "1:v", "-map", "1:a", "-map", "0:a", "-c:v", "copy", *AAC)
    return again(plain(), *arguments, before=noise)


def unknown_microphone() -> bytes:
    """A track of sound that we can't read, and after it one that we can."""
    noise = ("-f", "lavfi", "-t", "1", "-i", "anoisesrc=r=48000:a=0.5")
    arguments = ("-map", "1:v", "-map", "0:a", "-map", "1:a", "-c", "copy", "-c:a:0", "ac3")
    return again(plain(), *arguments, before=noise)


def previewed() -> bytes:
    """A small preview of another kind lies before the film itself."""
    preview = ("-filter:v:0", "scale=80:60:out_range=pc,format=yuvj420p", "-c:v:0", "mjpeg", "-disposition:v:0", "0")
    return again(plain(), "-map", "0:v", "-map", "0:v", "-map", "0:a", "-c", "copy", *preview)


def shifted(kind: str, seconds: float) -> bytes:
    """One track begins later than the other."""
    source, other = ("0:v", "1:a") if kind == "sound" else ("1:v", "0:a")
    return twice(plain(), "-map", source, "-map", other, "-c", "copy", second=("-itsoffset", str(seconds)))


def copied(*arguments: str) -> bytes:
    """The plain film in another wrapping."""
    return again(plain(), "-c", "copy", *arguments)


def twice(source: bytes, *arguments: str, second: tuple[str, ...]) -> bytes:
    """Another film from the same film opened twice, the second time with other arguments."""
    with chart.on_disk(source) as path:
        return chart.run("-i", path, *second, "-i", path, *arguments, suffix=".mp4")


def from_the_middle() -> bytes:
    """Trimmed on the phone without encoding anew: an edit list hides the ten pictures before."""
    whole = film(*H264, "-g", "30", *AAC, frames=40)
    return again(whole, "-c", "copy", before=("-ss", str(10 / 30)))


def two_sizes() -> bytes:
    """A messenger's film that changes its size on the way."""
    first = film(*H264, "-an", "-frames:v", "15", suffix=".h264")
    rest = film(*H264, "-an", "-vf", "select='gte(n,15)',scale=320:240", "-fps_mode", "vfr", suffix=".h264")
    return again(first + rest, "-c", "copy", before=("-r", "30", "-f", "h264"))


def interlaced() -> bytes:
    """As camcorders store it: 60 moments a second, two woven into each picture."""
    return film(
        *("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct"), *H264, *AAC, rate=60, frames=60
    )


def fragments(rate: int, samples: int) -> bytes:
    """As browsers and some phones record: in fragments, the first picture held for the padding of the sound."""
    whole = film(*H264, *AAC, "-ar", str(samples), rate=rate, frames=rate)
    return again(whole, "-c", "copy", *FRAGMENTS)


def at_rate(rate: Fraction | int) -> bytes:
    """A second at so many pictures a second."""
    return film(*H264, *AAC, rate=rate, frames=round(rate))


VARIANTS: dict[str, Variant] = {
    "as it comes": Variant(plain),
    "turned a quarter left": Variant(partial(turned, 90, "transpose=clock")),
    "turned a quarter right": Variant(partial(turned, -90, "transpose=cclock")),
    "upside down": Variant(partial(turned, 180, "hflip,vflip")),
    "mirrored": Variant(mirrored),
    "mirrored and turned": Variant(partial(turned, 90, "hflip,transpose=clock", "-display_hflip")),
    "poor light, variable rate": Variant(partial(in_the_dark, "lt(n,10)+gte(n,20)"), near=2),
    "hardly any light": Variant(partial(in_the_dark, "lt(n,6)+gte(n,29)"), near=2),
    "HEVC in MOV": Variant(partial(film, *HEVC, *AAC, suffix=".mov")),
    "HEVC of ten bits, ordinary range": Variant(partial(film, *HEVC, "-pix_fmt", "yuv420p10le", *AAC, suffix=".mov")),
    "VP9 in WebM": Variant(partial(film, *VP9, *OPUS, suffix=".webm")),
    "AV1 in WebM": Variant(partial(film, *AV1, *OPUS, suffix=".webm")),
    "AV1 in MP4": Variant(partial(film, *AV1, *AAC)),
    "no sound": Variant(partial(film, *H264, "-an"), tone=None),
    "sound as PCM in MOV": Variant(partial(film, *H264, "-c:a", "pcm_s16le", suffix=".mov")),
    "sound at 44.1 kHz around the listener": Variant(partial(film, *H264, *AAC, "-ar", "44100", "-ac", "6")),
    "odd size": Variant(partial(film, *VP9, *OPUS, size=(321, 241), suffix=".webm"), size=(320, 240)),
    "pixels that aren't square": Variant(partial(film, "-vf", "setsar=4/3", *H264, *AAC), size=(214, 120)),
    "larger than 1080p": Variant(
        partial(film, *HD, *H264, "-an", size=(2560, 1920), frames=4), size=(1440, 1080), numbers=range(4), tone=None
    ),
    "larger than 1080p, upright": Variant(
        partial(film, *HD, *H264, "-an", size=(1440, 2560), frames=4), size=(1080, 1920), numbers=range(4), tone=None
    ),
    "size that changes": Variant(two_sizes, tone=None),
    "one picture": Variant(partial(film, *H264, "-an", "-frames:v", "1"), numbers=range(1), tone=None),
    "one picture for half a minute": Variant(
        partial(film, *H264, *AAC, rate=Fraction(1, 30), frames=1), rate=Fraction(5), numbers=[0] * 150
    ),
    "pictures ten seconds apart": Variant(
        partial(film, *H264, *AAC, rate=Fraction(1, 10), frames=3),
        rate=Fraction(5),
        numbers=[0] * 50 + [1] * 50 + [2] * 50,
    ),
    "two tracks of sound": Variant(two_microphones),
    "a track of sound that nobody knows": Variant(unknown_microphone),
    "a preview before it": Variant(previewed),
    "H.264 in Matroska": Variant(partial(film, *H264, *AAC, suffix=".mkv")),
    "sound begins late": Variant(partial(shifted, "sound", 0.2), tone=(0.6, 0.9)),
    "pictures begin late": Variant(partial(shifted, "picture", 0.2), tone=(0.2, 0.5)),
    "sound ends early": Variant(partial(film, "-af", "atrim=end=0.75", *H264, *AAC)),
    "sound goes on": Variant(partial(film, "-frames:v", "25", *H264, *AAC), numbers=range(25)),
    "fragments": Variant(partial(fragments, 30, 48_000)),
    "fragments at 25 pictures, 44.1 kHz": Variant(partial(fragments, 25, 44_100), rate=Fraction(25), numbers=range(25)),
    "fragments at 60 pictures, 16 kHz": Variant(partial(fragments, 60, 16_000), rate=Fraction(60), numbers=range(60)),
    "fragments with edit lists": Variant(partial(copied, "-movflags", "+frag_keyframe+delay_moov+default_base_moof")),
    "index first": Variant(partial(copied, "-movflags", "+faststart")),
    "edit list": Variant(from_the_middle, numbers=range(10, 40), tone=(TONE[0] - 1 / 3, TONE[1] - 1 / 3)),
    "order of showing that begins below zero": Variant(partial(copied, "-movflags", "+negative_cts_offsets")),
    "time that begins below zero": Variant(
        partial(copied, "-avoid_negative_ts", "disabled", "-output_ts_offset", "-0.5"),
        numbers=range(15, 30),
        tone=(0, 0.2),
    ),
    "time that begins after an hour": Variant(partial(film, *VP9, *OPUS, "-output_ts_offset", "3600", suffix=".webm")),
    "many B-frames": Variant(partial(film, *H264, "-bf", "7", "-b_strategy", "0", "-refs", "4", *AAC)),
    "interlaced": Variant(interlaced, numbers=range(0, 60, 2)),
    "full range": Variant(
        partial(film, "-vf", "scale=out_range=pc", *H264, "-pix_fmt", "yuvj420p", "-color_range", "pc", *AAC)
    ),
    "colours of HD in a small film": Variant(partial(film, *HD, *H264, *AAC)),
    **{
        f"{name} pictures a second": Variant(partial(at_rate, rate), rate=Fraction(rate), numbers=range(round(rate)))
        for name, rate in {
            "23.976": Fraction(24000, 1001),
            "24": 24,
            "25": 25,
            "29.97": NTSC,
            "50": 50,
            "59.94": Fraction(60000, 1001),
            "60": 60,
        }.items()
    },
    "120 pictures a second": Variant(partial(at_rate, 120), rate=Fraction(60), numbers=range(0, 120, 2), near=1),
}
