from __future__ import annotations

from pathlib import Path

import pytest

from openpy.cli.options import HELP, SHORT, Options, UsageError, parse_options, parse_socket
from openpy.script.syntax import SocketId


def test_without_options_the_script_lies_in_the_working_directory() -> None:
    options = parse_options([])
    assert options == Options(file=Path("openser.cfg"))


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        ("-f x.cfg", "file", Path("x.cfg")),
        ("--control /run/x.sock", "control", "/run/x.sock"),
        ("--control /run/x.sock", "control_is_wanted", True),
        ("--no-control", "control", ""),
        ("--control x --no-control", "control_is_wanted", False),
        ("-A FLAG=1=2 -A OTHER", "definitions", [("FLAG", "1=2"), ("OTHER", "")]),
        ("-c", "check", True),
        ("-C", "check", True),
        ("--check", "check", True),
        ("-P /run/x.pid", "pid_file", Path("/run/x.pid")),
        ("-w /var", "workdir", "/var"),
        ("-t /srv", "chroot", "/srv"),
        ("-u nobody", "user", "nobody"),
        ("-g nogroup", "group", "nogroup"),
        ("-d", "louder", 1),
        ("-ddd", "louder", 3),
        ("-T", "disable_tcp", True),
        ("-v", "check_via", True),
        ("--allow-exec", "allow_exec", True),
        ("--daemon", "daemon", True),
        ("--guide", "guide", True),
        ("--format json", "format", "json"),
        ("--format=github", "format", "github"),
        ("-c", "format", "text"),
        ("--log-format json", "json_log", True),
        ("--log-format=classic", "json_log", False),
        ("-V", "version", True),
        ("--version", "version", True),
        ("-h", "help", True),
        ("--help", "help", True),
    ],
)
def test_each_option(arguments: str, field: str, value: object) -> None:
    assert getattr(parse_options(arguments.split()), field) == value


def test_options_may_be_bundled() -> None:
    options = parse_options(["-DDEf", "x.cfg"])
    assert options.file == Path("x.cfg")
    assert not options.daemon
    options = parse_options(["-cTddfx.cfg"])
    assert (options.check, options.disable_tcp, options.louder, options.file) == (
        True,
        True,
        2,
        Path("x.cfg"),
    )


def test_the_sizing_options_of_1_3_are_accepted_without_effect() -> None:
    line = "-b 1 -m 64 -n 4 -N 4 -r -R -D -E -S -W poll -G /run/pgid"
    assert parse_options(line.split()) == parse_options([])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1", SocketId(None, "127.0.0.1", None)),
        ("127.0.0.1:5070", SocketId(None, "127.0.0.1", 5070)),
        ("udp:127.0.0.1:5070", SocketId("udp", "127.0.0.1", 5070)),
        ("TCP:host.example", SocketId("tcp", "host.example", None)),
        ("eth0:5070", SocketId(None, "eth0", 5070)),
        ("[::1]", SocketId(None, "[::1]", None)),
        ("udp:[::1]:5070", SocketId("udp", "[::1]", 5070)),
        ("::1", SocketId(None, "::1", None)),
        ("tls:h:5061", SocketId("tls", "h", 5061)),
    ],
)
def test_sockets(text: str, expected: SocketId) -> None:
    assert parse_socket(text) == expected
    assert parse_options(["-l", text, "-l", "10.0.0.1"]).listen == [
        expected,
        SocketId(None, "10.0.0.1", None),
    ]


@pytest.mark.parametrize("text", ["", "udp:", "host:port", "host:99999", "[::1]x", ":5060", "udp:[::1]5060"])
def test_what_is_no_socket(text: str) -> None:
    with pytest.raises(UsageError, match="address"):
        parse_options(["-l", text])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("-z", "Unknown option `-z`"),
        ("--nonsense", "Unknown option `-nonsense`"),
        ("-i x", "Unknown option `-i`"),
        ("-x y", "Unknown option `-x`"),
        ("-f", "requires argument"),
        ("-A 1=2", "write NAME or NAME=value"),
        ("--log-format xml", "classic or json"),
        ("--format xml", 'text, json, github, not "xml"'),
        ("x.cfg", "is no option; the script is given with -f"),
    ],
)
def test_what_cannot_be_used(arguments: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        parse_options(arguments.split())


def test_the_help_names_every_option_of_1_3() -> None:
    for letter in SHORT.replace(":", ""):
        if letter not in "ix":  # which 1.3 lists and aborts on
            assert f"-{letter}" in HELP, letter
