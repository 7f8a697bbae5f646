# What type checkers see: the whole room.
from redaction.whole import *  # noqa: F403 - each name stands there once
