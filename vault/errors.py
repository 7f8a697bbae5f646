"""What this room has to say when something can't be done: one function for each code, the sentence beside it.

No sentence names a person, a title, a file or a place.
"""

from __future__ import annotations

import consent
from core.errors import Conflict, Damaged, Gone, Invalid, NotSignedIn, OutOfRoom, Refused, TooLarge, Unavailable


def bad_object_name() -> Invalid:
    """Something other than an id was given as an object's name."""
    return Invalid("bad_object_name", "That is not the name of a stored object.")


def object_missing() -> Damaged:
    """The database knows an object that the store doesn't have."""
    return Damaged("object_missing", "This film can't be read from where it is stored. Please tell your administrator.")


def store_unavailable() -> Unavailable:
    """The store failed in a way that may pass."""
    return Unavailable("store_unavailable", "The film store doesn't answer just now. Please try again.")


def store_denied() -> Unavailable:
    """A store elsewhere doesn't take the service's credentials, or they may not do this."""
    return Unavailable("store_denied", "The film store doesn't let the service in. Please tell your administrator.")


def object_exists() -> Conflict:
    """A name is given once."""
    return Conflict("object_exists", "Something is stored under that name already. It was left as it is.")


def store_full() -> OutOfRoom:
    """No room left."""
    return OutOfRoom("store_full", "The server has run out of room. What had arrived before is safe.")


def store_read_only() -> Unavailable:
    """A sync failed: nothing new is taken until the service starts again."""
    return Unavailable(
        "store_read_only", "The film store has a fault and takes nothing new. What had arrived before is safe."
    )


def not_the_guider() -> Refused:
    """On the case, but not as its guider."""
    return Refused("not_the_guider", "Only this family's guider can do that.")


def signed_out() -> NotSignedIn:
    """The session ended while something long went on."""
    return NotSignedIn("session_ended", "You have been signed out. Sign in again, and the deposit goes on.")


def empty_film() -> Invalid:
    """No bytes are announced."""
    return Invalid("empty_film", "This film is empty. Choose the film that you made at the visit.")


def film_too_large() -> TooLarge:
    """Over the bound of one deposit."""
    return TooLarge("film_too_large", "This film is larger than the service takes. Deposit it in shorter pieces.")


def bad_checksum() -> Invalid:
    """Not a SHA-256 in hexadecimal."""
    return Invalid("bad_checksum", "That checksum can't be read. Try to deposit the film again.")


def unknown_visit() -> Invalid:
    """No such visit in this case."""
    return Invalid("unknown_visit", "Choose the visit at which this film was made.", field="visit")


def not_a_film() -> Invalid:
    """The first bytes belong to something else."""
    return Invalid(
        "not_a_film", "This is not a film, so nothing of it was kept. Choose the film as your phone recorded it."
    )


def wrong_offset() -> Conflict:
    """The sender and the service don't agree how much has arrived."""
    return Conflict("wrong_offset", "Part of this film had arrived already. The deposit goes on from there.")


def upload_ended() -> Gone:
    """The upload was given up, or was none of a film."""
    return Gone("upload_ended", "This deposit has ended. Begin a new one.")


def upload_expired() -> Gone:
    """Nothing came for too long."""
    return Gone(
        "upload_expired",
        "Nothing more of this film came for too long, so what had arrived was erased. Send the film again.",
    )


def upload_whole() -> Conflict:
    """Every byte is here already."""
    return Conflict("upload_whole", "All of this film has arrived already.")


def upload_unfinished() -> Conflict:
    """Not every byte has arrived."""
    return Conflict("upload_unfinished", "This film hasn't arrived whole yet. Let the deposit go on first.")


def too_many_bytes() -> TooLarge:
    """More came than was announced."""
    return TooLarge("too_many_bytes", "More arrived than this film has. Nothing of the rest was kept.")


def checksum_mismatch() -> Invalid:
    """What arrived isn't what was sent (the application answers 460)."""
    return Invalid("checksum_mismatch", "This piece was changed on its way, so it wasn't kept. Sending it again helps.")


def film_checksum_mismatch() -> Invalid:
    """The whole isn't what was announced."""
    return Invalid("film_checksum_mismatch", "The film that arrived is not the film that was sent. Deposit it again.")


def not_live() -> Conflict:
    """The rendition was quarantined, withdrawn from use or destroyed."""
    return Conflict("film_not_in_use", "This film is no longer in use, so nothing about it can be changed.")


def list_changed() -> Conflict:
    """Somebody recorded other people since the page was made."""
    return Conflict("persons_changed", "Who is shown was changed since you looked. Look at the film again.")


def footage_not_ready() -> Conflict:
    """There is no working copy to cut from."""
    return Conflict("footage_not_ready", "This film is still being prepared. You can cut it when that is done.")


def clip_end_before_start() -> Invalid:
    """No frame between start and end."""
    return Invalid("clip_end_before_start", "The end of the clip must come after its start.", field="last_frame")


def clip_outside_film() -> Invalid:
    """A frame that the film hasn't got."""
    return Invalid("clip_outside_film", "The clip must lie within the film.", field="last_frame")


def title_needed() -> Invalid:
    """No title, or too long a one."""
    return Invalid("clip_title", "Give the clip a title of 1 to 120 characters.", field="title")


def bad_goals() -> Invalid:
    """Too many goals, or too long ones."""
    return Invalid("clip_goals", "Give a clip at most 10 goals of 1 to 80 characters each.", field="goals")


def persons_unknown() -> Invalid:
    """Someone who isn't in the case."""
    return Invalid("persons_unknown", "Choose from the people of this family and its case.", field="persons")


def film_gone() -> Invalid:
    """What a job works on was destroyed or quarantined before it was through."""
    return Invalid("film_gone", "The film that this was to be made from is no longer there.")


def clip_not_ready() -> Conflict:
    """It is still being cut, or was never cut."""
    return Conflict("clip_not_ready", "This clip is still being cut. Try again in a moment.")


def faces_not_found_yet() -> Conflict:
    """Nobody has looked for faces in the film, or that isn't done."""
    return Conflict("faces_not_found_yet", "First we must look for faces in this film. That isn't done yet.")


def footage_gone() -> Conflict:
    """The footage was destroyed or quarantined: what is left is the clip as it was cut."""
    return Conflict(
        "footage_gone",
        "The film that this clip was cut from is no longer there, so nobody in it can be blurred any more.",
    )


def no_longer_agreed() -> Invalid:
    """While a job waited or worked somebody filmed said no, or whoever asked lost their place. It doesn't say which."""
    return Invalid("no_longer_agreed", "It may not be worked on any more, so nothing was made of it.")


def no_longer_in_use() -> Invalid:
    """The clip's use was stopped, or it is on its way out, while it was worked on."""
    return Invalid("clip_not_in_use", "This clip is no longer in use, so no other version of it is made.")


def choices_too_many() -> TooLarge:
    """More than can be kept."""
    return TooLarge("choices_too_many", "That is more than can be kept for one clip. Make the clip shorter.")


def choices_moved() -> Conflict:
    """Somebody, perhaps the same person in another window, changed them since."""
    return Conflict(
        "choices_moved", "These choices were changed in another window. Here they are as they stand now: look again."
    )


def redaction_under_way() -> Conflict:
    """One at a time."""
    return Conflict("redaction_under_way", "A blurred version is being made already. Wait for it, or stop it first.")


def nothing_under_way() -> Conflict:
    """There is no job to stop."""
    return Conflict("nothing_under_way", "There is nothing to stop any more.")


def not_available() -> Refused:
    """All that a watcher learns, whatever the reason."""
    return Refused("not_available", consent.NEUTRAL_SENTENCE)


def bad_range() -> Invalid:
    """Not a range of this film."""
    return Invalid("bad_range", "That part of the film doesn't exist.")
