"""The process around the server: user, group, root and working directory, limits, pid file, detaching."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ProcessError(Exception):
    """A wish that the system does not grant; the text says which."""


def set_open_files_limit(limit: int) -> None:
    """Raise (or lower) the number of open files; raises ProcessError."""
    try:
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard) if hard >= 0 else hard))
    except (ValueError, OSError) as error:
        raise ProcessError(f"cannot set open_files_limit to {limit}: {error}") from None


def raise_open_files_limit(wanted: int) -> int:
    """Raise the number of open files to what is wanted, as far as the system lets everybody; returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft


def change_directories(chroot: str, workdir: str) -> None:
    """Change the root directory, then the working directory; "" leaves them. Raises ProcessError."""
    try:
        if chroot:
            os.chroot(chroot)
            os.chdir("/")
        if workdir:
            os.chdir(workdir)
    except OSError as error:
        raise ProcessError(
            f"cannot change to {error.filename or chroot or workdir}: {error.strerror}"
        ) from None


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a process runs as; None leaves what is."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = ()

    def take_on(self) -> None:
        """Become this user and group; raises ProcessError."""
        try:
            if self.uid is not None and os.getuid() == 0:
                os.setgroups(self.groups)
            if self.gid is not None:
                os.setgid(self.gid)
            if self.uid is not None:
                os.setuid(self.uid)
        except OSError as error:
            raise ProcessError(f"cannot run as {self.uid}:{self.gid}: {error.strerror}") from None


def find_identity(user: str, group: str) -> Identity:
    """The identity of these names or numbers; "" leaves what is. Raises ProcessError.

    It is looked up before `chroot`: there are seldom names in there.
    """
    name, uid, own_group = _look_up_user(user) if user else ("", None, None)
    gid = _group_number(group) if group else own_group
    if gid is None:
        return Identity()
    return Identity(uid, gid, tuple(os.getgrouplist(name, gid)) if name else (gid,))


def detach() -> Callable[[], None]:
    """Go on in the background, in a session of its own.

    The process that was started waits: it ends with 0 once the returned function is called (which lets go of the
    standard streams), and with 255 if the one in the background ends before.
    """
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os._exit(0 if os.read(told, 1) else 255)
    os.close(told)
    os.setsid()
    if os.fork():
        os._exit(0)

    def started() -> None:
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        os.close(null)
        os.write(tell, b"+")
        os.close(tell)

    return started


class PidFile:
    """A file that holds the process id while the server runs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self) -> None:
        """Write it; raises ProcessError if another live process owns it or it cannot be written."""
        with contextlib.suppress(OSError, ValueError):
            other = int(self._path.read_text())
            if other != os.getpid() and _is_alive(other):
                raise ProcessError(f"{self._path}: process {other} is running already")
        try:
            self._path.write_text(f"{os.getpid()}\n")
        except OSError as error:
            raise ProcessError(f"cannot write {self._path}: {error.strerror}") from None

    def remove(self) -> None:
        """Remove it, where the user that the server runs as may."""
        with contextlib.suppress(OSError):
            self._path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _look_up_user(user: str) -> tuple[str, int, int]:
    """Name, number and group; a user that is only a number has no name."""
    try:
        entry = pwd.getpwuid(int(user)) if user.isdigit() else pwd.getpwnam(user)
    except KeyError:
        if user.isdigit():
            return "", int(user), int(user)
        raise ProcessError(f"bad user name/uid number: -u {user}") from None
    return entry.pw_name, entry.pw_uid, entry.pw_gid


def _group_number(group: str) -> int:
    if group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ProcessError(f"bad group name/gid number: -g {group}") from None
