"""Runs openpy for a benchmark, in the foreground, with an empty store: `adapter.py --port PORT --workdir FOLDER`.

The store is a SQLite file in the work folder, or with `--database URL` the tables of that database, which are dropped
and made anew. With `--compiled` it is the build that `make compiled` made.

Any harness can use it that starts a server by a command line and stops it with SIGTERM. It needs nothing but this
repository: the interpreter of its .venv where there is one, else the one that runs this file.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILED = ROOT / "build" / "compiled"
SCRIPT = ROOT / "bench" / "openpy.cfg"
STORE = "openpy.sqlite"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the store and the script, then become openpy."""
    parser = argparse.ArgumentParser(description="Run openpy for a benchmark, with an empty store.")
    parser.add_argument("--port", type=int, required=True, help="UDP and TCP port on 127.0.0.1")
    parser.add_argument("--workdir", type=Path, required=True, help="folder for the script and the store")
    parser.add_argument("--python", default=interpreter(), help="interpreter that runs openpy")
    parser.add_argument("--runner", default="", help="arguments for the interpreter, before -m openpy")
    parser.add_argument("--database", default="", help="URL of an existing database; default: SQLite")
    parser.add_argument("--script", type=Path, default=SCRIPT, help="default: bench/openpy.cfg")
    parser.add_argument("--compiled", action="store_true", help="run the compiled build")
    options = parser.parse_args(arguments)
    root = COMPILED if options.compiled else ROOT
    if not (root / "openpy").is_dir():
        parser.error("there is no compiled build: run `make compiled`")
    workdir: Path = options.workdir.resolve()
    database = options.database or f"sqlite:///{workdir / STORE}"
    script = prepare(options.script, workdir, options.port, database)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")]),
        "PYTHONSAFEPATH": "1",  # an openpy in the current folder is not the one that is meant
    }
    dbctl = [options.python, "-m", "openpy.cli.openpydbctl"]
    for command in (["drop", "--yes", database] if options.database else [], ["create", database]):
        if command:
            subprocess.run([*dbctl, *command], env=environment, check=True, stdout=subprocess.DEVNULL)
    serve = [*shlex.split(options.runner), "-m", "openpy", "-f", str(script)]
    for transport in ("udp", "tcp"):
        serve += ["-l", f"{transport}:127.0.0.1:{options.port}"]
    os.execve(options.python, [options.python, *serve], environment)


def interpreter() -> str:
    """The interpreter of the repository's virtual environment, else our own."""
    own = ROOT / ".venv" / "bin" / "python"
    return str(own) if own.exists() else sys.executable


def prepare(template: Path, workdir: Path, port: int, database: str) -> Path:
    """Remove an earlier store from the work folder and fill the script in; returns where it is."""
    workdir.mkdir(parents=True, exist_ok=True)
    for old in workdir.glob(f"{STORE}*"):
        old.unlink()
    text = template.read_text()
    text = text.replace("sqlite:///openpy.sqlite", database)
    text = text.replace('"sqlite.so"', f'"{database.partition(":")[0]}.so"')
    script = workdir / "openpy.cfg"
    script.write_text(text.replace("127.0.0.1:5060", f"127.0.0.1:{port}"))
    return script


if __name__ == "__main__":
    main()
