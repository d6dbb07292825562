from __future__ import annotations

import grp
import os
import pwd
from pathlib import Path

import pytest

from openpy.engine.fileaccess import Access, access_of, remove_old, remove_own
from openpy.engine.module import ModuleError


def test_users_and_groups_by_name_or_number() -> None:
    user, group = pwd.getpwuid(os.getuid()), grp.getgrgid(os.getgid())
    expected = Access(0o660, user.pw_uid, group.gr_gid)
    assert access_of("fifo", 0o660, user.pw_name, group.gr_name) == expected
    assert access_of("fifo", 0o660, user.pw_uid, str(group.gr_gid)) == expected
    assert access_of("fifo", 0, "", "") == Access(0o600, -1, -1)


def test_who_does_not_exist() -> None:
    with pytest.raises(ModuleError, match="there is no user nobody-of-that-name") as caught:
        access_of("fifo", 0o660, "nobody-of-that-name", "")
    assert caught.value.hint == "correct fifo_user"
    with pytest.raises(ModuleError, match="there is no group none-of-that-name") as caught:
        access_of("unix_socket", 0o660, "", "none-of-that-name")
    assert caught.value.hint == "correct unix_socket_group"


def test_what_stands_there_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "old"
    remove_old(str(path))
    path.write_text("old")
    remove_old(str(path))
    assert not path.exists()
    with pytest.raises(ModuleError, match="cannot remove the old"):
        remove_old(str(tmp_path))


def test_only_our_own_file_is_removed(tmp_path: Path) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_text("ours")
    ours = path.stat()
    other.write_text("another's")
    other.rename(path)
    remove_own(str(path), ours)
    assert path.read_text() == "another's"
    remove_own(str(path), path.stat())
    assert not path.exists()
    remove_own(str(path), ours)
