"""Keeps film sealed and reads it back only with a permit."""

from __future__ import annotations

from vault.clips import CUT, cut, cut_clip, set_persons_shown
from vault.deposits import (
    FINISH,
    Bounds,
    Upload,
    begin_deposit,
    cancel_deposit,
    complete_deposit,
    expire_upload,
    stale_uploads,
    unfinished_uploads,
    upload,
)
from vault.disk import DiskStore
from vault.disposal import begin_destroying, destroyed, keys_gone, keys_of, names_of, resume_use, stop_use
from vault.finishing import finish
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
    objects_of,
    persons_in,
    record_for_disposal,
    records_for_disposal,
    renditions_in,
    totals,
)
from vault.renditions import attest, facts_for
from vault.streaming import Reading, ViewingCut, read_range
from vault.tidying import tidy
from vault.viewings import Viewing

__all__ = [
    "CUT",
    "FINISH",
    "PART_SIZE",
    "Bounds",
    "ClipState",
    "Copy",
    "DiskStore",
    "FootageState",
    "ObjectKind",
    "ObjectState",
    "ObjectStore",
    "Picture",
    "Reading",
    "Record",
    "RecordKind",
    "RecordObject",
    "Treatment",
    "Upload",
    "UploadState",
    "Viewing",
    "ViewingCut",
    "attest",
    "begin_deposit",
    "begin_destroying",
    "begin_viewing",
    "cancel_deposit",
    "case_of_clip",
    "complete_deposit",
    "copies_outside",
    "cut",
    "cut_clip",
    "destroyed",
    "end_viewing",
    "expire_upload",
    "facts_for",
    "finish",
    "is_left",
    "keys_gone",
    "keys_of",
    "names_of",
    "objects_of",
    "persons_in",
    "read_picture",
    "read_range",
    "receive_part",
    "record_for_disposal",
    "records_for_disposal",
    "renditions_in",
    "resume_use",
    "set_persons_shown",
    "stale_uploads",
    "stop_use",
    "tidy",
    "totals",
    "unfinished_uploads",
    "upload",
]
