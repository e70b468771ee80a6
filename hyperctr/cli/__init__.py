"""The command `hyperctr`: doctor, data, train, predict, pool, evaluate, runs, sweep, report.

Exit codes: 0 done; 1 ran and failed; 2 input or arguments are wrong (message on stderr, no traceback).
Heavy modules are imported inside the commands, so that `hyperctr --help` answers at once.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import warnings
from collections.abc import Sequence

from hyperctr import __version__
from hyperctr.cli import data, pool, runs, sweep, train
from hyperctr.cli.parser import Parser
from hyperctr.errors import HyperCTRError
from hyperctr.runtime import first_process

GROUPS = (data, train, pool, runs, sweep)  # in the order in which --help shows them
FULL = (errno.ENOSPC, errno.EDQUOT)


def build_parser() -> Parser:
    """Return the parser of all commands.

    >>> build_parser().parse_args(["train", "planted", "--set", "epochs=3", "seed=1"]).settings
    ['epochs=3', 'seed=1']
    """
    parser = Parser(prog="hyperctr", description="Click-through rate prediction with multi-modal hypergraphs.")
    parser.add_argument("--version", action="version", version=f"hyperctr {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add_commands(commands)
    return parser


def _warn(message: Warning | str, *_: object, **__: object) -> None:
    """Show a warning as one line, without the line of source code that raised it."""
    if first_process():  # the others say the same
        print(f"warning: {message}", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    >>> main(["data", "chek"])  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    SystemExit: 2
    """
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("hyperctr").setLevel(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            options, unknown = build_parser().parse_known_args(arguments)
            if unknown:
                options.parser.refuse(unknown)
            code: int = options.run(options)
            sys.stdout.flush()
    except BrokenPipeError:  # `hyperctr runs | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains again when it ends
        return 0
    except HyperCTRError as error:
        print(f"hyperctr: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = error.filename or "the disk"
        print(f"hyperctr: {error.strerror}: {where}; make room and run it again", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hyperctr: stopped", file=sys.stderr)
        return 130
    return code
