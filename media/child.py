"""Where every child begins: the layers first, then the one thing it is for.

``media.spawn`` starts it with an empty environment, in a session of its own, with nothing open but what it needs.
What is imported below the layers is imported under them.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import core  # noqa: F401 - found now: the folder above it can't be listed any more under Landlock
from media.sandbox import Cage, NoLayer, Role, enter

NO_LAYER = 77
"""Exit status of a child that couldn't put a layer on; standard error says why, which only the self-test reads."""


def main(config: dict[str, Any]) -> None:
    """Enter the sandbox and do what the role says; never returns.

    Args:
        config: ``role``, ``parent``, ``landlock``, ``calls``, ``readable``, ``executable``, ``fds``, and for
            the encoder and the detector ``command``. Nothing in it is secret; keys come over the line.
    """
    fds: dict[str, int] = config["fds"]
    cage = Cage(
        landlock=config["landlock"],
        calls=config["calls"],
        readable=tuple(config["readable"]),
        executable=tuple(config["executable"]),
    )
    try:
        enter(cage, parent=config["parent"], keep=fds.values())
    except NoLayer as reason:
        os.write(2, str(reason).encode())
        os._exit(NO_LAYER)
    match Role(config["role"]):
        case Role.ENCODE:
            command: list[str] = config["command"]
            os.execve(command[0], command, {})  # noqa: S606 - no shell is wanted, and the layers leave it no other program of use
        case Role.DECODE:
            from media import decode  # noqa: PLC0415 - only this role pays for it, and under the layers

            decode.main(fds)
        case Role.DETECT:
            from media import detect  # noqa: PLC0415 - likewise

            detect.main(fds, words=config["command"][0])
        case Role.FINISH:
            from media import finish  # noqa: PLC0415 - likewise

            finish.main(fds)
        case Role.TEST:
            from media import attempts  # noqa: PLC0415 - likewise

            attempts.main(fds)
    sys.stdout.flush()
    os._exit(0)
