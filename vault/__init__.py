"""Keeps film sealed and reads it back only with a permit."""

from __future__ import annotations

from vault.addresses import Address, Peek, Scheme, open_store, peek
from vault.at_home import HomeClip, Watched, clips_at_home, watched_by_professionals
from vault.attention import Attention, attention, clips_there
from vault.belongings import Copy, RecordObject, copies_outside, objects_of
from vault.both import BothStores
from vault.catalogue import (
    Clip,
    Footage,
    RenditionLine,
    StripGrid,
    clip,
    clips_of,
    footage,
    footage_of,
    record_phone_copy_removed,
)
from vault.choices import (
    Choices,
    ChosenBeside,
    ClipSpan,
    choices_of,
    chosen_beside,
    clip_at_work,
    clip_to_choose_in,
    keep_choices,
)
from vault.clips import CUT, cut, cut_clip, set_persons_shown
from vault.deposits import FINISH, begin_deposit, cancel_deposit, complete_deposit
from vault.detecting import DETECT, Looking, People, detect, look_for_people, looking, stills_mark, stop_looking
from vault.disk import DiskStore
from vault.disposal import begin_destroying, destroyed, keys_gone, keys_of, names_of, resume_use, stop_use, stopped_in
from vault.findings import WORDS, Finding, Leftover, Report, Trouble
from vault.finishing import finish
from vault.fsck import Progress as Comparing
from vault.fsck import fsck
from vault.judging import Depth
from vault.known import KnownStore, look_at
from vault.leave import Leave, follow
from vault.lifting import Lifting, StoppedWork, lift_quarantines
from vault.manifests import look_here_of, manifest_of
from vault.models import ClipState, FootageState, ObjectKind, ObjectState, Treatment, UploadState
from vault.moving import Moved, Next, move
from vault.objects import ObjectStore
from vault.pace import MIB, Pace
from vault.playback import Picture, begin_viewing, end_viewing, read_detections, read_picture
from vault.progress import Progress
from vault.receiving import PART_SIZE, receive_part
from vault.records import (
    Record,
    RecordKind,
    case_of_clip,
    is_left,
    leaving,
    persons_in,
    record_for_disposal,
    records_for_disposal,
    totals,
)
from vault.redacting import REDACT, Order, Planned, post_redaction, redact, stop_redaction
from vault.renditions import attest, facts_for, void
from vault.renditions import persons_shown as persons_listed
from vault.replaced import (
    Replaced,
    ReplacedSearch,
    begin_erasing,
    begin_erasing_search,
    erased,
    replaced_searches,
    replaced_versions,
    search_erased,
)
from vault.scrub import Claim, Scrubbed, last_scrub, scrub
from vault.showings import Showing, title_of, watchable
from vault.streaming import Reading, ViewingCut, read_range
from vault.tidying import Tidied, destroy_again, tidy
from vault.underway import Upload, resumable_upload, unfinished_uploads, upload
from vault.uploads import Bounds, expire_upload, stale_uploads
from vault.versions import current, is_current, makers_of
from vault.viewings import Viewing
from vault.watched import has_watched_whole
from vault.whereabouts import NOT_OURS, recognise, seen_in
from vault.workshop import RUNNERS, Runner, give_up

__all__ = [
    "CUT",
    "DETECT",
    "FINISH",
    "MIB",
    "NOT_OURS",
    "PART_SIZE",
    "REDACT",
    "RUNNERS",
    "WORDS",
    "Address",
    "Attention",
    "BothStores",
    "Bounds",
    "Choices",
    "ChosenBeside",
    "Claim",
    "Clip",
    "ClipSpan",
    "ClipState",
    "Comparing",
    "Copy",
    "Depth",
    "DiskStore",
    "Finding",
    "Footage",
    "FootageState",
    "HomeClip",
    "KnownStore",
    "Leave",
    "Leftover",
    "Lifting",
    "Looking",
    "Moved",
    "Next",
    "ObjectKind",
    "ObjectState",
    "ObjectStore",
    "Order",
    "Pace",
    "Peek",
    "People",
    "Picture",
    "Planned",
    "Progress",
    "Reading",
    "Record",
    "RecordKind",
    "RecordObject",
    "RenditionLine",
    "Replaced",
    "ReplacedSearch",
    "Report",
    "Runner",
    "Scheme",
    "Scrubbed",
    "Showing",
    "StoppedWork",
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
    "begin_erasing",
    "begin_erasing_search",
    "begin_viewing",
    "cancel_deposit",
    "case_of_clip",
    "choices_of",
    "chosen_beside",
    "clip",
    "clip_at_work",
    "clip_to_choose_in",
    "clips_at_home",
    "clips_of",
    "clips_there",
    "complete_deposit",
    "copies_outside",
    "current",
    "cut",
    "cut_clip",
    "destroy_again",
    "destroyed",
    "detect",
    "end_viewing",
    "erased",
    "expire_upload",
    "facts_for",
    "finish",
    "follow",
    "footage",
    "footage_of",
    "fsck",
    "give_up",
    "has_watched_whole",
    "is_current",
    "is_left",
    "keep_choices",
    "keys_gone",
    "keys_of",
    "last_scrub",
    "leaving",
    "lift_quarantines",
    "look_at",
    "look_for_people",
    "look_here_of",
    "looking",
    "makers_of",
    "manifest_of",
    "move",
    "names_of",
    "objects_of",
    "open_store",
    "peek",
    "persons_in",
    "persons_listed",
    "post_redaction",
    "read_detections",
    "read_picture",
    "read_range",
    "receive_part",
    "recognise",
    "record_for_disposal",
    "record_phone_copy_removed",
    "records_for_disposal",
    "redact",
    "replaced_searches",
    "replaced_versions",
    "resumable_upload",
    "resume_use",
    "scrub",
    "search_erased",
    "seen_in",
    "set_persons_shown",
    "stale_uploads",
    "stills_mark",
    "stop_looking",
    "stop_redaction",
    "stop_use",
    "stopped_in",
    "tidy",
    "title_of",
    "totals",
    "unfinished_uploads",
    "upload",
    "void",
    "watchable",
    "watched_by_professionals",
]
