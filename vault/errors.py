"""What this room has to say when something can't be done: one function for each code, the sentence beside it.

No sentence names a person, a title, a file or a place.
"""

from __future__ import annotations

from core.errors import Conflict, Damaged, Invalid, OutOfRoom, Refused, TooLarge, Unavailable


def bad_object_name() -> Invalid:
    """Something other than an id was given as an object's name."""
    return Invalid("bad_object_name", "That is not the name of a stored object.")


def object_missing() -> Damaged:
    """The database knows an object that the store doesn't have."""
    return Damaged("object_missing", "This film can't be read from where it is stored. Please tell your administrator.")


def store_unavailable() -> Unavailable:
    """The store failed in a way that may pass."""
    return Unavailable("store_unavailable", "The film store doesn't answer just now. Please try again.")


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


def conflict_of_interest() -> Refused:
    """The guider holds the family on their own caseload."""
    return Refused(
        "conflict_of_interest", "This family is on your own caseload, so you can't be their guider. Tell your manager."
    )


def case_closed() -> Refused:
    """The work has ended."""
    return Refused("case_closed", "The work with this family has ended, so nothing can be added.")


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


def upload_ended() -> Conflict:
    """The upload takes nothing more."""
    return Conflict("upload_ended", "This deposit has ended. Begin a new one.")


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
