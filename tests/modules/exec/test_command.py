from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from openpy.script.diagnostics import ScriptError
from tests.engine.kit import request
from tests.modules.exec.kit import bench_with, printed

EVIL = [
    "; touch PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "'; touch PWNED; '",
    '"; touch PWNED; "',
    "&& touch PWNED",
    "| touch PWNED",
    "> PWNED",
    "\\",
    "*",
    "a  b",
    "${HOME}",
    "() { :; }; touch PWNED",
    "-n",
    "é",
]

PLACES = {
    "echo x$hdr(X)": "x{}",
    'echo "x$hdr(X) y"': "x{} y",
    "echo 'x$hdr(X) y'": "x{} y",
    "echo x$(hdr(X))y": "x{}y",
    'echo "it\'s x$hdr(X)"': "it's x{}",
    "echo 'a\"'x$hdr(X)": 'a"x{}',
    'echo "$$(echo "x$hdr(X)")"': "x{}",
    'echo "$$(echo \'y\' "x$hdr(X)" | tail -n 1)"': "x{}",
    'echo "(x$hdr(X))"': "(x{})",
    "(echo x$hdr(X))": "x{}",
    "case a in a) echo x$hdr(X);; esac": "x{}",
    'echo "`echo x$hdr(X)`"': "x{}",
    "echo x\\'$hdr(X)": "x'{}",
    "true; echo x$hdr(X); true": "x{}",
    "cat <<E\nx$hdr(X)\nE\n": 'x"{}"',
}
"""Where a pseudo-variable may stand in a command, and what is then read from its output."""


@pytest.mark.parametrize("value", EVIL)
@pytest.mark.parametrize(("command", "expected"), list(PLACES.items()))
def test_no_value_becomes_a_part_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, expected: str, value: str
) -> None:
    monkeypatch.chdir(tmp_path)
    command = command.replace("echo ", "printf '%s\\n' ")
    quoted = command.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    route = f'exec_avp("{quoted}"); xlog("<$avp(i:1)>");'
    (line,) = printed(tmp_path, route, message=request("OPTIONS", "sip:bob@example.com", f"X: {value}"))
    shown = f" {value}" if value.startswith("()") else value  # an old bash would run it
    assert line == f"<{expected.format(shown)}>"
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize(
    ("command", "output"),
    [
        ("echo $$OPENPY_TEST", "here"),
        ("echo $${OPENPY_TEST}", "here"),
        ("echo $$((1+2))", "3"),
        ("echo $$SIP_SRCIP", "192.0.2.1"),
        ("echo $SIP_SRCIP", "192.0.2.1"),
        ("echo ${SIP_SRCIP}", "192.0.2.1"),
        ("echo '$$SIP_SRCIP'", "$SIP_SRCIP"),
        ("echo $rm-$rU.txt", None),
        ("echo $rm-$(rU).txt", "OPTIONS-bob.txt"),
        ("echo $hdr(None)", "<null>"),
    ],
)
def test_dollars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, output: str | None) -> None:
    monkeypatch.setenv("OPENPY_TEST", "here")
    route = f'exec_avp("{command}"); xlog("$avp(i:1)");'
    if output is None:
        with pytest.raises(ScriptError, match="unknown script variable"):
            printed(tmp_path, route)
    else:
        assert printed(tmp_path, route) == [output]


@pytest.mark.parametrize(
    ("command", "text"),
    [
        ("", "the command is empty"),
        (" ", "the command is empty"),
        (
            "echo $HOME",
            r"unknown script variable; .*what the shell shall expand has \$\$, as in \$\$HOME|\$\$HOME",
        ),
        ("echo $(date)", r"\$\$HOME"),
        ("echo $?", r"\$\$HOME"),
        ("echo \\\\$rU", "a backslash stands before a pseudo-variable"),
    ],
)
def test_what_is_told_when_the_script_is_loaded(tmp_path: Path, command: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        printed(tmp_path, f'exec_msg("{command}");')


def test_the_shell_reads_the_text_of_the_script_only(tmp_path: Path) -> None:
    with bench_with(tmp_path, 'exec_msg("a $rU \'b $rU\' \\"c $rU\\" d");') as bench:
        bench.receive(request())
        ((program, _),) = bench.server.programs
        expected = 'a "${OPENPY_VALUE_1}" \'b \'"${OPENPY_VALUE_2}"\'\' "c ${OPENPY_VALUE_3}" d'
        assert program.command == expected
        assert [program.environment[f"OPENPY_VALUE_{n}"] for n in (1, 2, 3)] == ["bob"] * 3
        assert subprocess.run(["/bin/sh", "-n", "-c", expected], check=False).returncode == 0
