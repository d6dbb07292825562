import sqlite3
from contextlib import closing
from pathlib import Path

import peewee
import pytest

from openpy.cli import openpydbctl
from openpy.cli.openpydbctl import find_dialects, find_tables, main
from openpy.db.dialect import execute
from openpy.db.tables import Table, named
from openpy.db.url import parse_url
from tests.servers import DIALECTS, Databases, databases

__all__ = ["databases"]


class Mailbox(Table):
    table_version = 3
    owner = peewee.CharField(16)


@pytest.fixture(autouse=True)
def tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpydbctl, "find_tables", lambda: [Mailbox, named(Mailbox, "voicemail")])


@pytest.fixture(params=list(DIALECTS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, databases: Databases, tmp_path: Path) -> str:
    return str(databases.empty(kind, tmp_path))


def run(kind: str, url: str, *statements: str) -> None:
    """Change the database behind the back of the command."""
    with closing(DIALECTS[kind].connect(parse_url(url), patience=10.0)) as connection:
        for statement in statements:
            execute(connection, statement)


sqlite_only = pytest.mark.parametrize("kind", ["sqlite"])


def test_modules_are_found_not_named() -> None:
    assert {type(found) for found in find_dialects()} >= {type(dialect) for dialect in DIALECTS.values()}
    assert all(issubclass(table, Table) for table in find_tables())


def test_create_check_version_drop(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["create", url]) == 0
    assert capsys.readouterr().out == "made mailbox\nmade voicemail\n"
    assert main(["create", url]) == 0
    assert main(["check", url]) == 0
    assert capsys.readouterr().out == ""
    assert main(["drop", url, "--yes", "--tables", "voicemail"]) == 0
    assert main(["version", url]) == 0
    assert capsys.readouterr().out == "dropped voicemail\nmailbox 3 3\nvoicemail - 3\n"
    assert main(["check", url]) == 1
    assert "voicemail does not exist" in capsys.readouterr().out


def test_create_tells_of_a_table_that_differs(
    kind: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(kind, url, "CREATE TABLE mailbox (id INTEGER PRIMARY KEY, owner VARCHAR(8))")
    assert main(["create", url, "--tables", "mailbox"]) == 1
    assert "mailbox.owner is 8 wide, needed is 16" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["mysql"])
def test_check_tells_what_to_run_on_a_table_of_openser(
    kind: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["create", url])
    capsys.readouterr()
    run(kind, url, "ALTER TABLE mailbox ENGINE=MyISAM")
    assert main(["check", url]) == 0
    advice = capsys.readouterr().out
    assert advice.startswith("advice: table mailbox is of MyISAM")
    run(kind, url, advice[advice.index("ALTER") :])
    assert main(["check", url]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(("answer", "status"), [("yes", 0), ("no", 1), (None, 1)])
def test_drop_asks(
    url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
    status: int,
) -> None:
    def ask(prompt: str) -> str:
        if answer is None:
            raise EOFError
        return answer

    main(["create", url])
    monkeypatch.setattr("builtins.input", ask)
    assert main(["drop", url]) == status
    assert f"This drops mailbox, voicemail in {url}" in capsys.readouterr().out
    assert main(["check", url]) == (1 if status == 0 else 0)


@sqlite_only
def test_sql_connects_to_nothing(url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["sql", "sqlite:////no/such/place/x.db", "--tables", "mailbox"]) == 0
    script = capsys.readouterr().out
    sqlite3.connect(":memory:").executescript(script)
    assert "voicemail" not in script
    assert list(tmp_path.iterdir()) == []


def test_what_fails_is_told(kind: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = url + "/no/such"
    assert main(["check", nowhere]) == 1
    assert f"openpydbctl: {nowhere}: " in capsys.readouterr().err
    run(kind, url, "CREATE TABLE version (other INT)")
    assert main(["create", url]) == 1
    assert f"openpydbctl: {url}: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "required"),
        (["make", "sqlite:///x"], "invalid choice"),
        (["check", "sqlite://x"], "sqlite:///x"),
        (["check", "nosuch://host/x"], "no module for nosuch: there are"),
        (["check", "sqlite:///x", "--tables", "nosuch"], "no module has a table nosuch: there are mailbox"),
    ],
)
def test_a_mistake_in_the_command_line_is_status_2(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert problem in capsys.readouterr().err
