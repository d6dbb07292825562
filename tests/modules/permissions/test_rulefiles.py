from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.module import ArgumentError, Environment
from openpy.modules.permissions.rulefiles import BaseKind, FileKind, FilePair, RuleBook

SUFFIXES = (".allow", ".deny")


def pair(
    folder: Path, allow: str = "", deny: str = "", book: RuleBook | None = None
) -> tuple[RuleBook, FilePair]:
    (folder / "r.allow").write_text(allow)
    (folder / "r.deny").write_text(deny)
    book = book or RuleBook()
    return book, book.read_pair(folder / "r", SUFFIXES)


def test_allowed_then_denied_then_allowed(tmp_path: Path) -> None:
    book, files = pair(tmp_path, '"a" : ALL', 'ALL : "x"')
    assert not book.is_empty(files)
    assert book.allows(files, "a", "x")
    assert not book.allows(files, "b", "x")
    assert book.allows(files, "b", "y")


def test_files_that_are_not_there_have_no_rules(tmp_path: Path) -> None:
    book = RuleBook()
    files = book.read_pair(tmp_path / "none", SUFFIXES)
    assert files == (f"{tmp_path}/none.allow", f"{tmp_path}/none.deny")
    assert book.is_empty(files)
    assert book.allows(files, "a", "x")
    assert list(book.absent) == list(files)


def test_one_without_rules_is_not_empty_beside_another(tmp_path: Path) -> None:
    book, files = pair(tmp_path, "", "ALL : ALL")
    assert not book.is_empty(files)
    assert not book.allows(files, "a", "x")


def test_a_mistake_names_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError) as caught:
        pair(tmp_path, "\nnonsense")
    assert caught.value.text == (
        f"{tmp_path}/r.allow:2: ALL or an expression in quotes is expected before nonsense"
    )
    with pytest.raises(ArgumentError, match=f"{tmp_path} cannot be read: Is a directory"):
        RuleBook().read(tmp_path)


def test_a_file_is_read_once_until_another_book_is_taken_over(tmp_path: Path) -> None:
    book, files = pair(tmp_path, "", "")
    assert pair(tmp_path, "", "ALL : ALL", book) == (book, files)
    assert book.allows(files, "a", "x")
    later, same = pair(tmp_path, "", "ALL : ALL")
    assert same == files
    book.take(later)
    assert not book.allows(files, "a", "x")
    assert book.pair_of(tmp_path / "r.allow") == files
    assert book.pair_of(tmp_path / "r.deny") is None


def test_files_are_beside_the_script(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.ok").write_text("ALL : ALL")
    environment, book = Environment(folder=tmp_path), RuleBook()
    assert FileKind(book).convert("sub/x.ok", environment) == f"{tmp_path}/sub/x.ok"
    assert FileKind(book).convert(f"{tmp_path}/sub/x.ok", environment) == f"{tmp_path}/sub/x.ok"
    files = BaseKind(book, (".ok", ".no")).convert("sub/x", environment)
    assert files == (f"{tmp_path}/sub/x.ok", f"{tmp_path}/sub/x.no")
    assert list(book.absent) == [files.deny]


@pytest.mark.parametrize("name", ["", "folder/", "a\0b"])
def test_what_names_no_file(name: str) -> None:
    with pytest.raises(ArgumentError, match="is no name of a file"):
        BaseKind(RuleBook()).convert(name, Environment())
