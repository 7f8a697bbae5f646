"""``python -m bench COMMAND``: one command for each figure; ``COMMAND --help`` says what it measures."""

from __future__ import annotations

import argparse
import sys

from bench import audit_search, cutoff, deposit, keys, leak, redaction, sealing, serving

COMMANDS = {
    "cutoff": cutoff,
    "audit-search": audit_search,
    "sealing": sealing,
    "keys": keys,
    "redaction": redaction,
    "leak": leak,
    "serving": serving,
    "deposit": deposit,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        said = str(module.__doc__)
        command = commands.add_parser(name, help=said.splitlines()[0], description=said)
        module.add_options(command)
        command.set_defaults(run=module.run)
    asked = parser.parse_args(sys.argv[1:])
    asked.run(asked)


if __name__ == "__main__":
    main()
