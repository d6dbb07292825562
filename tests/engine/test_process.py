from __future__ import annotations

import grp
import os
import pwd
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from openpy.engine.process import (
    PidFile,
    ProcessError,
    change_directories,
    detach,
    find_identity,
    raise_open_files_limit,
    set_open_files_limit,
)

NO_PROCESS = 2**22 + 1  # above the largest process id


class System:
    """Records what would become of this process."""

    def __init__(self, patch: pytest.MonkeyPatch, uid: int = 0) -> None:
        self.calls: list[tuple[object, ...]] = []
        for name in ("setgid", "setuid", "setgroups", "chroot", "chdir"):
            patch.setattr(os, name, self.recorder(name))
        patch.setattr(os, "getuid", lambda: uid)

    def recorder(self, name: str) -> object:
        return lambda *arguments: self.calls.append((name, *arguments))


@pytest.fixture
def limits() -> object:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield before
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_limit_of_open_files_is_set(limits: tuple[int, int]) -> None:
    set_open_files_limit(200)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (200, limits[1])


def test_a_limit_that_cannot_be_is_told(limits: tuple[int, int]) -> None:
    with pytest.raises(ProcessError, match="open_files_limit"):
        set_open_files_limit(2**62)


def test_the_limit_is_raised_as_far_as_everybody_may(limits: tuple[int, int]) -> None:
    _, hard = limits
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    assert raise_open_files_limit(100) == 200
    assert raise_open_files_limit(300) == 300
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (300, hard)
    if hard != resource.RLIM_INFINITY:
        assert raise_open_files_limit(hard + 1) == hard


def test_root_comes_before_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch)
    change_directories("/srv", "work")
    assert system.calls == [("chroot", "/srv"), ("chdir", "/"), ("chdir", "work")]
    system.calls.clear()
    change_directories("", "")
    assert system.calls == []


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="absent: No such file"):
        change_directories("", str(tmp_path / "absent"))


def test_the_group_is_left_before_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch)
    nobody = pwd.getpwnam("nobody")
    group = grp.getgrgid(nobody.pw_gid).gr_name
    find_identity("nobody", group).take_on()
    assert system.calls == [
        ("setgroups", tuple(os.getgrouplist("nobody", nobody.pw_gid))),
        ("setgid", nobody.pw_gid),
        ("setuid", nobody.pw_uid),
    ]


def test_an_identity_is_looked_up_before_the_root_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch)
    identity = find_identity("nobody", "")
    assert system.calls == []

    def unknown(name: object) -> None:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    identity.take_on()
    assert [call[0] for call in system.calls] == ["setgroups", "setgid", "setuid"]


def test_a_user_brings_its_group_and_numbers_do_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch)
    nobody = pwd.getpwnam("nobody")
    find_identity(str(nobody.pw_uid), "").take_on()
    assert ("setgid", nobody.pw_gid) in system.calls
    system.calls.clear()
    find_identity("4000000", "4000001").take_on()
    assert system.calls == [("setgroups", (4000001,)), ("setgid", 4000001), ("setuid", 4000000)]


def test_only_root_takes_further_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, uid=1000)
    find_identity("1000", "1000").take_on()
    assert [call[0] for call in system.calls] == ["setgid", "setuid"]


def test_nobody_asked_for_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch)
    find_identity("", "").take_on()
    assert system.calls == []


@pytest.mark.parametrize(
    ("user", "group", "text"),
    [("no-such-user", "", "bad user name/uid number"), ("", "no-such-group", "bad group name/gid number")],
)
def test_names_that_the_system_does_not_know(user: str, group: str, text: str) -> None:
    with pytest.raises(ProcessError, match=text):
        find_identity(user, group)


def test_an_identity_that_is_refused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    System(monkeypatch)

    def refuse(_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setgid", refuse)
    with pytest.raises(ProcessError, match=r"cannot run as \d+:\d+: Operation not permitted"):
        find_identity("nobody", "").take_on()


def test_a_pid_file_lives_as_long_as_the_server(tmp_path: Path) -> None:
    path = tmp_path / "openpy.pid"
    pid_file = PidFile(path)
    pid_file.write()
    assert path.read_text() == f"{os.getpid()}\n"
    pid_file.write()
    pid_file.remove()
    assert not path.exists()
    pid_file.remove()


def test_another_live_process_keeps_its_pid_file(tmp_path: Path) -> None:
    path = tmp_path / "openpy.pid"
    path.write_text("1\n")
    with pytest.raises(ProcessError, match="process 1 is running already"):
        PidFile(path).write()


@pytest.mark.parametrize("text", [f"{NO_PROCESS}\n", "nonsense", ""])
def test_a_pid_file_that_was_left_behind_is_replaced(tmp_path: Path, text: str) -> None:
    path = tmp_path / "openpy.pid"
    path.write_text(text)
    PidFile(path).write()
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_process_of_somebody_else_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", refuse)
    path = tmp_path / "openpy.pid"
    path.write_text("1\n")
    with pytest.raises(ProcessError, match="running already"):
        PidFile(path).write()


def test_a_pid_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="cannot write"):
        PidFile(tmp_path / "absent" / "openpy.pid").write()


def detached(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            f"import os; from openpy.engine.process import detach; started = detach(); {code}",
        ],
        check=False,
        timeout=30,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
    )


def test_a_detached_process_has_a_session_of_its_own_and_lets_go_of_its_streams(tmp_path: Path) -> None:
    report = tmp_path / "report"
    write = (
        f"print(os.getsid(0), os.readlink('/proc/self/fd/1'), file=open({str(report)!r}, 'w', buffering=1))"
    )
    run = detached(f"print('up', flush=True); started(); {write}")
    assert (run.returncode, run.stdout) == (0, "up\n")
    while not report.exists() or not report.read_text():
        os.sched_yield()
    session, stream = report.read_text().split()
    assert int(session) != os.getsid(0)
    assert stream == os.devnull


def test_what_fails_before_it_has_started_fails_in_the_foreground() -> None:
    run = detached("raise SystemExit('no database')")
    assert (run.returncode, run.stderr) == (255, "no database\n")


class Left(BaseException):
    """What stands for the end of a process."""


def leave(status: int) -> None:
    raise Left(status)


def test_detaching_forks_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    def fork() -> int:
        calls.append("fork")
        return 0

    monkeypatch.setattr(os, "fork", fork)
    monkeypatch.setattr(os, "setsid", lambda: calls.append("setsid"))
    monkeypatch.setattr(os, "dup2", lambda old, new: calls.append(new))
    started = detach()
    assert calls == ["fork", "setsid", "fork"]
    with pytest.raises(BrokenPipeError):
        started()  # the one that would read is not there in this test
    assert calls[3:] == [0, 1, 2]


@pytest.mark.parametrize(("told", "status"), [(b"+", "0"), (b"", "255")])
def test_the_parent_ends_as_its_child_began(
    monkeypatch: pytest.MonkeyPatch, told: bytes, status: str
) -> None:
    monkeypatch.setattr(os, "fork", lambda: 17)
    monkeypatch.setattr(os, "_exit", leave)
    monkeypatch.setattr(os, "read", lambda fd, count: told)
    with pytest.raises(Left, match=f"^{status}$"):
        detach()
