"""Every way a media job can end badly: stable codes, and the sentences that people read.

A child names only a *code*; words never come out of a sandbox.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NoReturn

from core.errors import Conflict, Invalid, OutOfRoom, TooLarge, Unavailable, VaultError
from core.segments import damaged
from media.jobs import COVERS_UNFIT

PROCESS_FAILED = "media_process_failed"
PROCESS_HUNG = "media_process_hung"
SANDBOX_MISSING = "media_sandbox_missing"
MODEL_MISSING = "media_model_missing"
OUTPUT_UNEXPECTED = "media_output_unexpected"
CANCELLED = "media_cancelled"
OBJECT_DAMAGED = "object_damaged"
COVERS_UNFIT_CODE = "covers_unfit"

_INVALID = {
    "not_a_film": "This file isn't a film that we can read. Choose the video as the phone saved it (MP4 or MOV).",
    "film_truncated": "A part of this film is missing. Copy it from the phone again.",
    "film_unreadable": "This film is damaged, so it can't be read. Copy it from the phone again.",
    "film_empty": "There are no pictures in this film.",
    "film_without_picture": "This is a sound recording. Choose a film.",
    "film_codec_unknown": "The pictures of this film are stored in a way that we can't read. Save it as MP4 (H.264).",
    "sound_codec_unknown": "The sound of this film is stored in a way that we can't read. Save it as MP4 (H.264, AAC).",
    "film_too_many_tracks": "This film has too many tracks. Choose the video as the phone saved it.",
    "beyond_end": "That is after the end of the film.",
    COVERS_UNFIT_CODE: COVERS_UNFIT,
}
_TOO_LARGE = {
    "film_too_long": "This film is longer than three hours. Cut it on the phone and send it in parts.",
    "film_too_large": "The pictures of this film are larger than 4K. Save it at 4K or 1080p.",
}
_UNAVAILABLE = {
    PROCESS_FAILED: "The film couldn't be worked on just now. We will try again.",
    PROCESS_HUNG: "Working on the film took too long. We will try again.",
    OUTPUT_UNEXPECTED: "What was made of the film didn't pass its check. We will try again.",
    SANDBOX_MISSING: "Films can't be worked on here: the protection around it is missing. Tell your administrator.",
    MODEL_MISSING: "Faces can't be found here: a part of the program is missing. Tell your administrator.",
}
AGAIN = timedelta(minutes=1)


class Unfit(Exception):
    """Inside a child: this film, or this output, won't do.

    Args:
        code: one of this module's.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def error_for(code: str) -> VaultError:
    """The error that a code stands for; a code that isn't ours says that a child misbehaves."""
    if code in _INVALID:
        return Invalid(code, _INVALID[code])
    if code in _TOO_LARGE:
        return TooLarge(code, _TOO_LARGE[code])
    if code == OBJECT_DAMAGED:
        return damaged()
    if code == CANCELLED:
        return Conflict(code, "This work was stopped.")
    code = code if code in _UNAVAILABLE else PROCESS_FAILED
    return Unavailable(code, _UNAVAILABLE[code], retry_after=AGAIN)


def no_room() -> OutOfRoom:
    """The disk for temporary ciphertext is full."""
    sentence = "There is no room left to work on films. Tell your administrator; nothing is lost."
    return OutOfRoom("media_no_room", sentence, retry_after=AGAIN)


def refuse(code: str) -> NoReturn:
    """Raise the error that a code stands for."""
    raise error_for(code)
