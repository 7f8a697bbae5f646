"""Keeps film sealed and reads it back only with a permit."""

from __future__ import annotations

from vault.addresses import Address, Scheme, open_store
from vault.at_home import HomeClip, Watched, clips_at_home, watched_by_professionals
from vault.attention import Attention, attention, clips_there
from vault.catalogue import (
    Clip,
    Footage,
    Progress,
    RenditionLine,
    StripGrid,
    clip,
    clips_of,
    footage,
    footage_of,
    record_phone_copy_removed,
)
from vault.clips import CUT, cut, cut_clip, set_persons_shown
from vault.deposits import FINISH, begin_deposit, cancel_deposit, complete_deposit
from vault.disk import DiskStore
from vault.disposal import begin_destroying, destroyed, keys_gone, keys_of, names_of, resume_use, stop_use
from vault.findings import WORDS, Finding, Leftover, Report, Trouble
from vault.finishing import finish
from vault.fsck import Progress as Comparing
from vault.fsck import fsck
from vault.judging import Depth
from vault.leave import Leave, follow
from vault.models import ClipState, FootageState, ObjectKind, ObjectState, Treatment, UploadState
from vault.objects import ObjectStore
from vault.playback import Picture, begin_viewing, end_viewing, read_picture
from vault.receiving import PART_SIZE, receive_part
from vault.records import (
    Copy,
    Record,
    RecordKind,
    RecordObject,
    case_of_clip,
    copies_outside,
    is_left,
    leaving,
    objects_of,
    persons_in,
    record_for_disposal,
    records_for_disposal,
    renditions_in,
    totals,
)
from vault.renditions import attest, facts_for, void
from vault.showings import Showing, title_of, watchable
from vault.streaming import Reading, ViewingCut, read_range
from vault.tidying import Tidied, tidy
from vault.underway import Upload, resumable_upload, unfinished_uploads, upload
from vault.uploads import Bounds, expire_upload, stale_uploads
from vault.viewings import Viewing, has_watched_whole
from vault.workshop import RUNNERS, give_up

__all__ = [
    "CUT",
    "FINISH",
    "PART_SIZE",
    "RUNNERS",
    "WORDS",
    "Address",
    "Attention",
    "Bounds",
    "Clip",
    "ClipState",
    "Comparing",
    "Copy",
    "Depth",
    "DiskStore",
    "Finding",
    "Footage",
    "FootageState",
    "HomeClip",
    "Leave",
    "Leftover",
    "ObjectKind",
    "ObjectState",
    "ObjectStore",
    "Picture",
    "Progress",
    "Reading",
    "Record",
    "RecordKind",
    "RecordObject",
    "RenditionLine",
    "Report",
    "Scheme",
    "Showing",
    "StripGrid",
    "Tidied",
    "Treatment",
    "Trouble",
    "Upload",
    "UploadState",
    "Viewing",
    "ViewingCut",
    "Watched",
    "attention",
    "attest",
    "begin_deposit",
    "begin_destroying",
    "begin_viewing",
    "cancel_deposit",
    "case_of_clip",
    "clip",
    "clips_at_home",
    "clips_of",
    "clips_there",
    "complete_deposit",
    "copies_outside",
    "cut",
    "cut_clip",
    "destroyed",
    "end_viewing",
    "expire_upload",
    "facts_for",
    "finish",
    "follow",
    "footage",
    "footage_of",
    "fsck",
    "give_up",
    "has_watched_whole",
    "is_left",
    "keys_gone",
    "keys_of",
    "leaving",
    "names_of",
    "objects_of",
    "open_store",
    "persons_in",
    "read_picture",
    "read_range",
    "receive_part",
    "record_for_disposal",
    "record_phone_copy_removed",
    "records_for_disposal",
    "renditions_in",
    "resumable_upload",
    "resume_use",
    "set_persons_shown",
    "stale_uploads",
    "stop_use",
    "tidy",
    "title_of",
    "totals",
    "unfinished_uploads",
    "upload",
    "void",
    "watchable",
    "watched_by_professionals",
]
