"""The command line of openpy: every option of the 1.3 binary, also bundled (`-DDEf FILE`), and a few long ones."""

from __future__ import annotations

import argparse
import getopt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openpy.cli.findings import FORMATS
from openpy.engine.socketids import read_socket
from openpy.script.environment import ArgumentError
from openpy.script.syntax import SocketId

SHORT = "A:f:cCm:b:l:n:N:rRvdDETSVhw:t:u:g:P:G:i:x:W:"
LONG = [
    *("allow-exec", "check", "control=", "daemon", "format=", "guide", "help", "log-format=", "no-control"),
    "version",
]

CONTROL = "openpyctl.sock"

HELP = """usage: openpy [options]
  -f FILE          script (default: openser.cfg in the working directory)
  -c, --check      check the script and stop (-C does the same)
  --format FORMAT  how to tell what is wrong with it: text (default), json or github
  -l [PROTO:]ADDR[:PORT]  listen there too: udp, tcp, tls, ws or wss; without, udp and tcp (repeatable)
  -P FILE          write the process id to FILE
  -w DIR  -t DIR   working directory, root directory
  -u USER -g GROUP run as
  -A NAME[=VALUE]  define a name, as #!define does (repeatable)
  -d               log more (repeatable)
  -T               no TCP
  -v               check the first Via of replies
  --allow-exec     let the script run programs (module exec)
  --control FILE   socket for openpyctl (default: openpyctl.sock in the working directory)
  --no-control     no such socket
  --daemon         run in the background (whatever `fork` says, openpy stays in the foreground)
  --log-format FORMAT  classic (default) or json
  --guide          print what to try next
  -V, --version    version
  -h, --help       this text
Accepted as in 1.3, without effect: -b -D -E -G -m -n -N -r -R -S -W
Exit status: 0 stopped by a signal; 255 bad script, parameter, database or socket."""


class UsageError(Exception):
    """A command line that cannot be used; the text says why."""


@dataclass(slots=True)
class Options:
    """What the command line asked for."""

    file: Path = Path("openser.cfg")
    definitions: list[tuple[str, str]] = field(default_factory=list)
    check: bool = False
    format: str = "text"
    listen: list[SocketId] = field(default_factory=list)
    pid_file: Path | None = None
    control: str = CONTROL
    """The path of the control socket; "": there is none."""
    control_is_wanted: bool = False
    """Whether it was asked for: then there is no start without it."""
    workdir: str = ""
    chroot: str = ""
    user: str = ""
    group: str = ""
    louder: int = 0
    disable_tcp: bool = False
    check_via: bool = False
    allow_exec: bool = False
    daemon: bool = False
    guide: bool = False
    json_log: bool = False
    version: bool = False
    help: bool = False


def parse_options(arguments: Sequence[str]) -> Options:
    """Read the command line; raises UsageError."""
    try:
        pairs, rest = getopt.gnu_getopt(list(arguments), SHORT, LONG)
    except getopt.GetoptError as error:
        raise UsageError(
            f"Unknown option `-{error.opt}`" if "recognized" in error.msg else error.msg
        ) from None
    if rest:
        raise UsageError(f'"{rest[0]}" is no option; the script is given with -f')
    options = Options()
    for name, value in pairs:
        _apply(options, name, value)
    return options


def _apply(options: Options, name: str, value: str) -> None:
    match name:
        case "-f":
            options.file = Path(value)
        case "-A":
            options.definitions.append(parse_definition(value))
        case "-c" | "-C" | "--check":
            options.check = True
        case "--format":
            if value not in FORMATS:
                raise UsageError(f'--format is {", ".join(FORMATS)}, not "{value}"')
            options.format = value
        case "-l":
            options.listen.append(parse_socket(value))
        case "-P":
            options.pid_file = Path(value)
        case "-w":
            options.workdir = value
        case "-t":
            options.chroot = value
        case "-u":
            options.user = value
        case "-g":
            options.group = value
        case "-d":
            options.louder += 1
        case "-T":
            options.disable_tcp = True
        case "-v":
            options.check_via = True
        case "--allow-exec":
            options.allow_exec = True
        case "--control":
            options.control, options.control_is_wanted = value, True
        case "--no-control":
            options.control, options.control_is_wanted = "", False
        case "--daemon":
            options.daemon = True
        case "--guide":
            options.guide = True
        case "--log-format":
            if value not in ("classic", "json"):
                raise UsageError(f'--log-format is classic or json, not "{value}"')
            options.json_log = value == "json"
        case "-V" | "--version":
            options.version = True
        case "-h" | "--help":
            options.help = True
        case "-i" | "-x":
            raise UsageError(f"Unknown option `{name}`")
        case _:
            pass  # 1.3's sizing and process options: accepted, without effect


def parse_definition(text: str) -> tuple[str, str]:
    """Take `NAME[=value]` apart; raises UsageError."""
    name, _, value = text.partition("=")
    if not (name.isascii() and name.isidentifier()):
        raise UsageError(f"-A {text}: write NAME or NAME=value")
    return name, value


def add_definitions(parser: argparse.ArgumentParser) -> None:
    """Declare -A for a command with a parser of its own; its values are in `definitions`."""
    parser.add_argument(
        "-A",
        dest="definitions",
        action="append",
        default=[],
        type=_definition,
        metavar="NAME[=VALUE]",
        help="define a name, as for openpy itself (repeatable)",
    )


def _definition(text: str) -> tuple[str, str]:
    try:
        return parse_definition(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_socket(text: str) -> SocketId:
    """Take `[proto:]host[:port]` apart; raises UsageError."""
    try:
        return read_socket(text)
    except ArgumentError:
        raise UsageError(f"-l {text}: write [udp:|tcp:|tls:|ws:|wss:]address[:port]") from None
