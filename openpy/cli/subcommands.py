"""The subcommands of openpy: its first argument may be one of these, where 1.3 knows options only.

Each is a module here with `main(arguments) -> exit status`; it is imported when it is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple


class Subcommand(NamedTuple):
    """Its module, and what it does in a few words."""

    module: str
    help: str


SUBCOMMANDS = {
    "explain": Subcommand("openpy.cli.explain", "show what a script does with a message, line by line"),
    "fmt": Subcommand("openpy.cli.fmt", "give scripts one layout"),
    "lsp": Subcommand("openpy.cli.lsp", "serve an editor: the language server, on stdin and stdout"),
    "rule": Subcommand("openpy.cli.rule", "explain a code that a check tells, such as E501"),
    "test": Subcommand("openpy.cli.test", "run the tests of scripts in a folder"),
}


def run(name: str, arguments: Sequence[str]) -> int:
    """Run a subcommand; its exit status."""
    status: int = import_module(SUBCOMMANDS[name].module).main(arguments)
    return status


def listed() -> str:
    """All of them, a line each, as `openpy -h` shows them."""
    return "\n".join(f"  openpy {name:<8} {command.help}" for name, command in SUBCOMMANDS.items())
