"""`openpy fmt`: scripts in the one layout that docs/editors.md describes.

Exit status: 0 done, 1 with --check a file would change, 2 usage, 255 a file that cannot be read, parsed or written.
"""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from openpy.cli.options import add_definitions
from openpy.script.diagnostics import ScriptError, render
from openpy.script.formatting import format_script
from openpy.script.preprocessor import decode

DONE, WOULD_CHANGE, USAGE, FAILED = 0, 1, 2, 255

STDIN = "-"


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    if STDIN in options.files and len(options.files) > 1:
        print("openpy fmt: - stands for stdin, and alone", file=sys.stderr)
        return USAGE
    results = [_format(file, options) for file in options.files]
    return max(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="openpy fmt",
        description="Give scripts one layout. Only white space changes; what does not parse is left as it is.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        default=["openser.cfg"],
        metavar="FILE",
        help="scripts, which are rewritten; - is stdin, to stdout; default: openser.cfg",
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit status 1 where something would change"
    )
    parser.add_argument("--diff", action="store_true", help="change nothing; show what would change")
    add_definitions(parser)
    return parser


def _format(file: str, options: argparse.Namespace) -> int:
    """Format one file; the exit status that it asks for."""
    path = Path(file)
    try:
        text = decode(sys.stdin.buffer.read() if file == STDIN else path.read_bytes())
        formatted = format_script(text, file, _read, options.definitions)
        if options.diff:
            _write(_difference(file, text, formatted))
        if options.check:
            if text != formatted:
                print(f"would change {file}", file=sys.stderr)
            return WOULD_CHANGE if text != formatted else DONE
        if options.diff:
            return DONE
        if file == STDIN:
            _write(formatted)
        elif text != formatted:
            _replace(path.resolve(), formatted)
            print(f"formatted {file}", file=sys.stderr)
    except ScriptError as error:
        _explain(error, file, text)
        return FAILED
    except OSError as error:
        print(f"openpy fmt: {error.filename}: {error.strerror}", file=sys.stderr)
        return FAILED
    return DONE


def _read(path: str) -> bytes:
    return Path(path).read_bytes()


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
    sys.stdout.buffer.flush()


def _replace(path: Path, text: str) -> None:
    """Put a new text in place of a file at once: nobody ever reads half of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.close()
            shutil.copymode(path, file.name)
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise


def _difference(file: str, before: str, after: str) -> str:
    """What changes, as `patch` takes it."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), file, file, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _explain(error: ScriptError, file: str, text: str) -> None:
    for diagnostic in error.diagnostics:
        name = diagnostic.position.file
        source = text if name == file else decode(_read(name)) if Path(name).is_file() else ""
        sys.stderr.buffer.write(render(diagnostic, source).encode("utf-8", "surrogateescape") + b"\n")
    print(f"{file} is left as it is", file=sys.stderr, flush=True)
