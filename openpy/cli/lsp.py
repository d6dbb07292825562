"""`openpy lsp`: the language server for scripts, on stdin and stdout (docs/editors.md).

Exit status: 0 the editor said so; 1 it left without a word; 255 the server cannot be started.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec

STOPPED, FAILED = 0, 255


def main(arguments: Sequence[str]) -> int:
    """Run the server; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="openpy lsp",
        description="Serve an editor: mistakes while typing, completion, hover, names, layout. "
        "It is started by the editor (docs/editors.md).",
    )
    parser.add_argument(
        "--stdio", action="store_true", help="accepted: there is no other way to speak with it"
    )
    parser.parse_args(arguments)
    if find_spec("pygls") is None:
        print('openpy lsp needs pygls: pip install "openpy[lsp]"', file=sys.stderr)
        return FAILED
    from openpy.editor.server import serve

    serve()
    return STOPPED
