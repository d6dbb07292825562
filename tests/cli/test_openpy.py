from __future__ import annotations

import json
import logging
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from openpy import __version__
from openpy.cli import openpy as command
from openpy.cli.guide import banner, guide
from openpy.engine.process import Identity
from openpy.engine.server import Server
from tests.engine.kit import request
from tests.ports import free_port

LOCAL = "127.0.0.1"
SCRIPT = 'debug=2\nloadmodule "sl.so"\nroute { sl_send_reply("200", "OK"); }\n'
ANYWHERE = ("-l", f"udp:{LOCAL}:0")


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """What the command changes in its process."""
    interval, folder = sys.getswitchinterval(), Path.cwd()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    sys.setswitchinterval(interval)
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "openser.cfg"
    path.write_text(SCRIPT)
    return path


def serve(
    patch: pytest.MonkeyPatch,
    *arguments: str,
    while_up: Callable[[Server], None] = lambda server: None,
    signals: Sequence[int] = (signal.SIGTERM,),
) -> int:
    """Run the command in this process; when it is up `while_up` is called, and the signals come."""

    def up(server: Server) -> str:
        while_up(server)
        for number in signals:
            os.kill(os.getpid(), number)
        return banner(server)

    patch.setattr(command, "banner", up)
    control = () if "--control" in arguments else ("--no-control",)
    return command.main([*arguments, *control])


# --- what needs no server ---------------------------------------------------------------------------------------


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["-h"]) == 0
    assert "usage: openpy" in capsys.readouterr().out
    assert command.main(["-V"]) == 0
    assert __version__ in capsys.readouterr().out


@pytest.mark.parametrize("arguments", ["-z", "-i x", "x.cfg", "-l udp:"])
def test_a_bad_command_line(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments.split()) == 255
    assert "openpy -h lists the options" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-c", "-C", "--check"])
def test_a_good_script_is_checked_without_opening_anything(
    tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.cfg"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOCAL, 0))
        path.write_text(
            f'listen=udp:{LOCAL}:{taken.getsockname()[1]} workdir="/nowhere" user=nobody\n'
            f'loadmodule "sqlite.so" loadmodule "sl.so" loadmodule "tm.so" loadmodule "presence.so"\n'
            f'modparam("presence", "db_url", "sqlite:///{tmp_path}/x.db")\nroute {{ exit; }}'
        )
        assert command.main([option, "-f", str(path), "-P", str(tmp_path / "pid")]) == 0
    assert "config file ok, exiting..." in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["x.cfg"]


def test_warnings_are_told_by_a_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("route { route(7); }")
    assert command.main(["-c", "-f", str(path)]) == 0
    assert "x.cfg:1:9: warning[W405]: route(7) is not defined" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "status", "codes"),
    [
        ("route { drop; }", 0, []),
        ("route { route(7); drop; }", 0, ["W405"]),
        ("chidren=4\nroute { nothing(); }", 255, ["E301", "E501"]),
    ],
)
def test_a_check_speaks_to_programs(
    script: str, status: int, codes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.cfg"
    path.write_text(script)
    assert command.main(["-c", "-f", str(path), "--format", "json"]) == status
    captured = capsys.readouterr()
    assert [item["code"] for item in json.loads(captured.out)] == codes
    assert captured.err == ("bad config file (2 errors)\n" if status else "config file ok, exiting...\n")
    assert command.main(["-c", "-f", str(path), "--format=github"]) == status
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("title=")[2][:4] for line in lines] == codes


def test_a_check_says_whether_programs_are_allowed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.cfg"
    path.write_text('loadmodule "exec.so"\nroute { exec_msg("true"); }')
    assert command.main(["-c", "-f", str(path)]) == command.main(["-f", str(path), *ANYWHERE]) == 255
    text = capsys.readouterr().err
    assert text.count("x.cfg:1:1: error[E313]: exec lets this script run programs") == 2
    assert text.count("start (and check) it with --allow-exec") == 2
    assert command.main(["-c", "--allow-exec", "-f", str(path)]) == 0


@pytest.mark.parametrize(
    ("options", "is_terminal", "shown"),
    [([], True, True), ([], False, False), (["--log-format=json"], True, False)],
)
def test_colours_are_for_terminals(
    script: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], is_terminal: bool, shown: bool
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal)
    arguments = ["-f", str(script), *ANYWHERE, *options]
    assert serve(monkeypatch, *arguments, while_up=lambda server: seen.append(server.log.on_terminal)) == 0
    assert seen == [shown]


def test_there_are_none_in_the_systems_log(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(command, "open_syslog", lambda facility, name: lambda level, line: None)
    script.write_text("log_stderror=no\n" + SCRIPT)
    arguments = ["-f", str(script), *ANYWHERE]
    assert serve(monkeypatch, *arguments, while_up=lambda server: seen.append(server.log.on_terminal)) == 0
    assert seen == [False]


@pytest.mark.parametrize("options", [["-c"], []])
def test_a_bad_script_is_shown_with_all_its_errors(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.cfg"
    path.write_text('chidren=4\nroute { sl_send_reply("200", "OK"); }\n')
    assert command.main([*options, "-f", str(path)]) == 255
    text = capsys.readouterr().err
    assert "x.cfg:1:1: error[E301]: unknown core parameter" in text
    assert 'did you mean "children"?' in text
    assert 'add loadmodule "sl.so"' in text
    assert "    ^^^^^^^" in text
    assert text.endswith("bad config file (2 errors)\n")


def test_errors_of_an_included_file_are_shown_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.cfg"
    path.write_text('include_file "y.cfg"\nroute { exit; }')
    (tmp_path / "y.cfg").write_text("\n  chidren=4\n")
    assert command.main(["-c", "-f", str(path)]) == 255
    assert "y.cfg:2:3: error[E301]: unknown core parameter" in (text := capsys.readouterr().err)
    assert "\n      chidren=4\n      ^^^^^^^" in text


def test_names_may_be_defined_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.cfg"
    path.write_text("#!ifdef WRONG\nchidren=4\n#!endif\ndebug=LEVEL\nroute { exit; }")
    assert command.main(["-c", "-A", "LEVEL=3", "-f", str(path)]) == 0
    assert command.main(["-c", "-A", "LEVEL=3", "-A", "WRONG", "-f", str(path)]) == 255
    assert command.main(["-c", "-A", "LEVEL='3", "-f", str(path)]) == 255
    assert "-A LEVEL:1:1: error[E106]: unexpected EOF" in capsys.readouterr().err


def test_bytes_that_are_no_utf_8_are_shown_as_they_are(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.cfg"
    path.write_bytes(b'route { nothing("\xff"); }')
    monkeypatch.setattr(sys, "stderr", open(2, "w", buffering=1, closefd=False))  # noqa: SIM115 - closes nothing
    assert command.main(["-c", "-f", str(path)]) == 255
    text = capfdbinary.readouterr().err
    assert b'nothing("\xff")' in text
    assert b"bad config file (1 error)" in text


# --- what keeps a server from starting --------------------------------------------------------------------------


def test_a_script_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["-f", str(tmp_path / "absent.cfg")]) == 255
    assert "No such file or directory" in capsys.readouterr().err


def test_a_socket_that_is_taken(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((LOCAL, 0))
        port = taken.getsockname()[1]
        assert command.main(["-f", str(script), "-l", f"udp:{LOCAL}:{port}"]) == 255
    text = capsys.readouterr().err
    assert f"cannot listen on udp:{LOCAL}:{port}" in text
    assert f"-l udp:{LOCAL}:{port + 10}" in text


def test_a_database_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.cfg"
    path.write_text(
        'loadmodule "sqlite.so" loadmodule "sl.so" loadmodule "tm.so" loadmodule "presence.so"\n'
        'modparam("presence", "db_url", "sqlite:////nowhere/at/all/x.db")\nroute { exit; }'
    )
    assert command.main(["-f", str(path), *ANYWHERE]) == 255
    assert capsys.readouterr().err.startswith("openpy: ")


def test_a_module_that_does_not_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sulky.py").write_text(
        "from openpy.engine.module import Module, ModuleError\n"
        'class Sulky(Module):\n    name = "sulky"\n'
        '    async def start(self):\n        raise ModuleError("does not want to", "ask again")\n'
    )
    path = tmp_path / "x.cfg"
    path.write_text(f'mpath="{tmp_path}" loadmodule "sulky.so" route {{ exit; }}')
    pid_file = tmp_path / "pid"
    assert command.main(["-f", str(path), *ANYWHERE, "-P", str(pid_file)]) == 255
    assert capsys.readouterr().err == "openpy: does not want to\n    ask again\n"
    assert not pid_file.exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["-w", "/nowhere"], "cannot change to /nowhere"),
        (["-u", "no-such-user"], "bad user name/uid number"),
        (["-g", "no-such-group"], "bad group name/gid number"),
        (["-P", "/nowhere/pid"], "cannot write /nowhere/pid"),
    ],
)
def test_a_process_that_cannot_be_as_asked(
    script: Path, options: list[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["-f", str(script), *ANYWHERE, *options]) == 255
    assert text in capsys.readouterr().err


# --- a running server -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_status_0(
    script: Path, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, signals=[signal.SIGHUP, number]) == 0
    assert re.search(rf"Listening on\n  udp:{LOCAL}:\d+\n", capsys.readouterr().out)


def test_sigusr2_stops_nothing(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, signals=[signal.SIGUSR2, signal.SIGTERM]) == 0
    assert signal.getsignal(signal.SIGUSR2) is signal.SIG_DFL


def test_a_pid_file_in_the_foreground(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pid_file, seen = tmp_path / "pid", []

    def look(server: Server) -> None:
        seen.append(pid_file.read_text())

    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, "-P", str(pid_file), while_up=look) == 0
    assert seen == [f"{os.getpid()}\n"]
    assert not pid_file.exists()


def test_fork_yes_stays_in_the_foreground(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script.write_text(SCRIPT + "fork=yes\nchildren=4\n")
    pids: list[int] = []
    assert (
        serve(monkeypatch, "-DDEf", str(script), *ANYWHERE, while_up=lambda _: pids.append(os.getpid())) == 0
    )
    assert pids == [os.getpid()]


def test_what_a_socket_of_the_command_line_lacks_is_told(
    script: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["-c", "-f", str(script), "-l", f"tls:{LOCAL}:0"]) == 255
    text = capsys.readouterr().err
    assert "the command line:1:1: error[E319]: tls_certificate: a TLS server needs a certificate" in text


def test_l_adds_to_listen_and_t_leaves_tcp_out(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script.write_text(f"listen={LOCAL}:0\n{SCRIPT}")
    kinds: list[list[str]] = []

    def look(server: Server) -> None:
        kinds.append([endpoint.transport for endpoint in server.sockets.endpoints])

    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, while_up=look) == 0
    assert serve(monkeypatch, "-Tf", str(script), *ANYWHERE, while_up=look) == 0
    assert kinds == [["udp", "tcp", "udp"], ["udp", "udp"]]


def test_the_command_line_and_the_script_meet_in_the_configuration(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work").mkdir()
    script.write_text(f'{SCRIPT}workdir="{tmp_path}"\nopen_files_limit=300\n')
    seen: list[tuple[object, ...]] = []

    def look(server: Server) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        seen.append((server.config.number("check_via"), server.log.level, limit, Path.cwd()))
        assert server.config.number("tcp_max_connections") == 200, "what is left of the open files"

    assert serve(monkeypatch, "-vddf", str(script), *ANYWHERE, while_up=look) == 0
    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, "-w", str(tmp_path / "work"), while_up=look) == 0
    assert seen == [(1, 4, 300, tmp_path), (0, 2, 300, tmp_path / "work")]


def test_it_runs_as_whom_it_is_told(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script.write_text(SCRIPT + "user=daemon\ngroup=daemon\n")
    asked: list[tuple[str, str]] = []

    def find(user: str, group: str) -> Identity:
        asked.append((user, group))
        return Identity()

    monkeypatch.setattr(command, "find_identity", find)
    assert serve(monkeypatch, "-f", str(script), *ANYWHERE) == 0
    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, "-u", "nobody", "-g", "nogroup") == 0
    assert asked == [("daemon", "daemon"), ("nobody", "nogroup")]


def test_statistics_are_logged_on_usr1_and_at_the_end(
    script: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", open(2, "w", buffering=1, closefd=False))  # noqa: SIM115 - closes nothing

    def ask(server: Server) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(5)
            flow = server.flow(*("udp", LOCAL, 9))
            assert flow is not None
            server.dispatcher.receive(request(), flow)

    assert (
        serve(
            monkeypatch, "-f", str(script), *ANYWHERE, while_up=ask, signals=[signal.SIGUSR1, signal.SIGTERM]
        )
        == 0
    )
    lines = [line.split("NOTICE:statistics: ")[1] for line in capfd.readouterr().err.splitlines()]
    lines = [line for line in lines if not line.startswith(("core:live_objects", "core:loop_", "shmem:"))]
    once = ["core:rcv_requests = 1", "sl:2xx_replies = 1", "sl:sent_replies = 1"]
    assert lines == once * 2


def test_json_log_lines(
    script: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", open(2, "w", buffering=1, closefd=False))  # noqa: SIM115 - closes nothing
    script.write_text(SCRIPT + "log_stderror=no\n")
    options = ("-f", str(script), *ANYWHERE, "--log-format", "json")
    assert serve(monkeypatch, *options, while_up=lambda server: server.log.error("core", "said")) == 0
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [
        (event["level"], event["module"], event["text"]) for event in events if event["level"] == "error"
    ] == [("error", "core", "said")]
    assert {event["module"] for event in events} == {"core", "statistics"}


def test_what_the_loop_says_is_logged_like_all_else(
    script: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", open(2, "w", buffering=1, closefd=False))  # noqa: SIM115 - closes nothing

    def fail(server: Server) -> None:
        server.runtime.loop.call_exception_handler({"message": "Too many open files"})

    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, while_up=fail) == 0
    assert "ERROR:asyncio: Too many open files\n" in capfd.readouterr().err
    assert not logging.getLogger("asyncio").handlers


@pytest.mark.parametrize(
    ("line", "used"), [("log_stderror=no", True), ("log_stderror=yes", False), ("", False)]
)
def test_the_systems_log_is_used_where_the_script_wants_it(
    script: Path, line: str, used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.write_text(f'{SCRIPT}log_facility=LOG_LOCAL3\nlog_name="me"\n{line}\n')
    said: list[str] = []

    def open_syslog(facility: int, tag: str) -> object:
        assert (facility, tag) == (19, "me")
        return lambda level, text: said.append(text)

    monkeypatch.setattr(command, "open_syslog", open_syslog)
    assert (
        serve(monkeypatch, "-f", str(script), *ANYWHERE, while_up=lambda s: s.log.error("core", "said")) == 0
    )
    assert [text for text in said if text.endswith(" said")] == said[: int(used)]
    assert bool(said) == used


def test_the_guide_is_printed_when_it_is_asked_for(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(server: Server) -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return guide(server)

    monkeypatch.setattr(command, "guide", up)
    assert command.main(["--guide", "--no-control", "-f", str(script), *ANYWHERE]) == 0
    assert "In a second terminal, watch alice" in capsys.readouterr().out


# --- the control socket -----------------------------------------------------------------------------------------


def test_the_control_socket_is_there_while_the_server_runs(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "control"
    seen: list[bool] = []

    def look(server: Server) -> None:
        seen.append(path.is_socket())

    arguments = ["-f", str(script), *ANYWHERE, "--control", str(path)]
    assert serve(monkeypatch, *arguments, while_up=look) == 0
    assert seen == [True]
    assert not path.exists()


def test_by_default_it_is_in_the_working_directory(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    for options, expected in (([], True), (["--no-control"], False)):

        def look(server: Server) -> str:
            seen.append((tmp_path / "openpyctl.sock").is_socket())
            os.kill(os.getpid(), signal.SIGTERM)
            return banner(server)

        monkeypatch.setattr(command, "banner", look)
        assert command.main(["-f", str(script), *ANYWHERE, "-w", str(tmp_path), *options]) == 0
        assert seen.pop() is expected
    assert not (tmp_path / "openpyctl.sock").exists()


def test_one_of_another_server_stops_the_start_only_if_it_was_asked_for(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "openpyctl.sock"))
        other.listen()
        arguments = ["-f", str(script), *ANYWHERE, "-w", str(tmp_path)]
        path = str(tmp_path / "openpyctl.sock")
        assert command.main([*arguments, "--control", path]) == 255
        assert f"openpy: a server that runs listens at {path} already" in capfd.readouterr().err

        def up(server: Server) -> str:
            os.kill(os.getpid(), signal.SIGTERM)
            return banner(server)

        monkeypatch.setattr(command, "banner", up)
        assert command.main(arguments) == 0
        text = capfd.readouterr().err
        assert (
            "no control socket: a server that runs listens at openpyctl.sock already; openpyctl cannot reach"
            in text
        )
        assert (tmp_path / "openpyctl.sock").exists()


def test_a_hangup_reloads_the_script(
    script: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def look(server: Server) -> None:
        script.write_text(SCRIPT.replace("debug=2", "debug=3"))
        os.kill(os.getpid(), signal.SIGHUP)
        server.runtime.loop.call_later(0.6, os.kill, os.getpid(), signal.SIGTERM)

    assert serve(monkeypatch, "-f", str(script), *ANYWHERE, while_up=look, signals=()) == 0
    assert f"{script} is reloaded\n  core debug: 2 -> 3\n" in capfd.readouterr().err


# --- as a process -----------------------------------------------------------------------------------------------


def test_a_daemon_answers_and_ends_by_its_pid_file(script: Path, tmp_path: Path) -> None:
    port = free_port()
    pid_file = tmp_path / "pid"
    options = [
        "--daemon",
        "--no-control",
        "-f",
        str(script),
        "-l",
        f"udp:{LOCAL}:{port}",
        "-P",
        str(pid_file),
    ]
    root = Path(__file__).parent.parent.parent
    run = subprocess.run(
        [sys.executable, "-m", "openpy", *options],
        check=False,
        cwd=root,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 0
    assert f"udp:{LOCAL}:{port}" in run.stdout
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.settimeout(10)
        phone.sendto(request(), (LOCAL, port))
        answer = phone.recv(65535)
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    assert answer.startswith(b"SIP/2.0 200 OK")
    for _ in range(500):
        if not pid_file.exists():
            break
        time.sleep(0.02)
    assert not pid_file.exists()
