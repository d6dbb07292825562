"""Who may use a file that a module makes in the file system: a FIFO, a socket."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable
from dataclasses import dataclass

from openpy.engine.module import ModuleError

__all__ = ["Access", "access_of", "remove_old", "remove_own"]


@dataclass(frozen=True, slots=True)
class Access:
    """Permissions and owner; -1 leaves a user or group as it is."""

    mode: int
    user: int = -1
    group: int = -1


def access_of(parameters: str, mode: int, user: str | int, group: str | int) -> Access:
    """The access that three parameters say, whose names begin with `parameters`; raises ModuleError.

    User and group are names or numbers, "" for those that are. Mode 0 is 0600, as in 1.3.
    """
    return Access(
        mode or 0o600,
        _number(user, _user_of, f"there is no user {user}", f"{parameters}_user"),
        _number(group, _group_of, f"there is no group {group}", f"{parameters}_group"),
    )


def remove_old(path: str) -> None:
    """Remove whatever stands where a file is to be made, as 1.3 does; raises ModuleError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ModuleError(f"cannot remove the old {path}: {error.strerror}") from None


def remove_own(path: str, made: os.stat_result) -> None:
    """Remove a file that was made, unless another server has put its own there; one that cannot be removed stays."""
    try:
        if os.path.samestat(made, os.lstat(path)):
            os.unlink(path)
    except OSError:
        pass  # it has gone already, or its folder is no longer ours


def _number(name: str | int, look_up: Callable[[str], int], what: str, parameter: str) -> int:
    if name == "":
        return -1
    try:
        return int(name)
    except ValueError:
        pass
    try:
        return look_up(str(name))
    except KeyError:
        raise ModuleError(what, f"correct {parameter}") from None


def _user_of(name: str) -> int:
    return pwd.getpwnam(name).pw_uid


def _group_of(name: str) -> int:
    return grp.getgrnam(name).gr_gid
