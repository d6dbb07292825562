"""The management commands, in each mode and with each error (openser 1.3 `ul_*`)."""

from __future__ import annotations

from typing import Any

import pytest

from openpy.engine.mi import Reply
from openpy.modules.usrloc import commands
from openpy.testing.script import Script
from tests.modules.usrloc.kit import BACK, MEMORY, REMOTE, THROUGH, contacts_of, register, script

every_mode = pytest.mark.parametrize("mode", [MEMORY, THROUGH, BACK, REMOTE])


def answer(server: Script, command: str, *values: str | int) -> tuple[int, str]:
    reply = server.mi(command, *values)
    assert reply is not None
    return reply.code, reply.reason


def values_of(reply: Reply | None) -> list[Any]:
    assert reply is not None
    return [node.value for node in reply.nodes]


def add(server: Script, uri: str = "sip:1@h", *, aor: str = "bob", expires: int = 0, q: str = "0.5") -> Any:
    return answer(server, "ul_add", "location", aor, uri, expires, q, "unused", 0, 64, 8191)


@every_mode
def test_contacts_are_added_shown_and_removed(mode: int) -> None:
    with script(mode) as server:
        assert add(server, "sip:1@h") == (200, "OK")
        assert add(server, "sip:2@h", expires=100, q="") == (200, "OK")
        assert contacts_of(server) == ["sip:1@h", "sip:2@h"]
        first, second = values_of(server.mi("ul_show_contact", "location", "BOB@anywhere"))
        assert first.startswith("<sip:1@h>;q=0.5;expires=-")
        assert second.startswith("<sip:2@h>;q=;expires=100;flags=0x0;cflags=0x40;socket=<NUL>;methods=0x1FFF")
        assert second.endswith(";user_agent=<OpenSER MI Server>")
        assert add(server, "sip:2@h", expires=50, q="1") == (200, "OK")
        assert contacts_of(server) == ["sip:2@h", "sip:1@h"]
        assert answer(server, "ul_rm_contact", "location", "bob", "sip:2@h") == (200, "OK")
        assert contacts_of(server) == ["sip:1@h"]
        assert answer(server, "ul_rm", "location", "bob") == (200, "OK")
        assert contacts_of(server) == []
        assert answer(server, "ul_rm", "location", "bob") == (200, "OK")
        if mode:
            assert answer(server, "ul_flush") == (200, "OK")
            assert server.rows("location") == []


@every_mode
def test_a_permanent_contact_is_told_and_stays(mode: int) -> None:
    with script(mode) as server:
        add(server)
        server.run_for(10_000)  # longer than any other contact lasts unless it asks for more
        assert register(server, None, expires=None).get("Contact") == "<sip:1@h>;q=0.5;expires=4294967295"


def test_what_write_back_has_not_written_is_flushed() -> None:
    with script(BACK) as server:
        add(server)
        assert server.rows("location") == []
        assert answer(server, "ul_flush") == (200, "OK")
        (row,) = server.rows("location")
        assert (row["contact"], row["callid"], row["cseq"]) == (
            "sip:1@h",
            "dfjrewr12386fd6-343@openser.mi",
            1,
        )
        assert row["expires"].startswith("19")


@pytest.mark.parametrize(
    ("command", "values", "expected"),
    [
        ("ul_rm", ["location"], (400, "Too few or too many arguments")),
        ("ul_rm", ["location", "bob", "x"], (400, "Too few or too many arguments")),
        ("ul_rm", ["nowhere", "bob"], (404, "Table not found")),
        ("ul_rm_contact", ["location", "bob"], (400, "Too few or too many arguments")),
        ("ul_rm_contact", ["nowhere", "bob", "sip:x"], (404, "Table not found")),
        ("ul_rm_contact", ["location", "bob", "sip:x"], (404, "AOR not found")),
        ("ul_rm_contact", ["location", "carol", "sip:x"], (404, "Contact not found")),
        ("ul_dump", ["brief", "x"], (400, "Too few or too many arguments")),
        ("ul_add", ["location", "bob"], (400, "Too few or too many arguments")),
        (
            "ul_add",
            ["location", "bob", "sip:x", "soon", "1", "0", "0", "0", "0"],
            (400, "Bad parameter"),
        ),
        ("ul_add", ["location", "bob", "sip:x", "0", "2", "0", "0", "0", "0"], (400, "Bad parameter")),
        ("ul_add", ["location", "bob", "sip:x", "-5", "1", "0", "0", "0", "0"], (400, "Bad parameter")),
        ("ul_add", ["location", "", "sip:x", "0", "1", "0", "0", "0", "0"], (400, "Bad parameter")),
        ("ul_add", ["location", "@h", "sip:x", "0", "1", "0", "0", "0", "0"], (400, "Bad parameter")),
        ("ul_add", ["location", "bob", "", "0", "1", "0", "0", "0", "0"], (400, "Bad parameter")),
        ("ul_add", ["location", "bob", "sip:x>\r\nEvil: 1", *"010000"], (400, "Bad parameter")),
        ("ul_add", ["nowhere", "bob", "sip:x", "0", "1", "0", "0", "0", "0"], (404, "Table not found")),
        ("ul_show_contact", ["location"], (400, "Too few or too many arguments")),
        ("ul_show_contact", ["nowhere", "bob"], (404, "Table not found")),
        ("ul_show_contact", ["location", "bob"], (404, "AOR not found")),
    ],
)
def test_what_is_wrong_is_told(command: str, values: list[str], expected: tuple[int, str]) -> None:
    with script() as server:
        add(server, aor="carol")
        assert answer(server, command, *values) == expected


@pytest.mark.parametrize(
    ("command", "more"),
    [
        ("ul_rm", ()),
        ("ul_rm_contact", ("sip:x",)),
        ("ul_add", ("sip:x", 0, "1", 0, 0, 0, 0)),
        ("ul_show_contact", ()),
    ],
)
def test_an_aor_needs_its_domain(command: str, more: tuple[str | int, ...]) -> None:
    with script(usrloc={"use_domain": 1}) as server:
        assert answer(server, command, "location", "bob", *more) == (400, "Domain missing in AOR")


def test_an_aor_with_its_domain() -> None:
    with script(THROUGH, usrloc={"use_domain": 1}) as server:
        add(server, aor="Bob@Example.ORG")
        assert contacts_of(server) == ["sip:1@h"]
        assert (server.rows("location")[0]["username"], server.rows("location")[0]["domain"]) == (
            "bob",
            "example.org",
        )


def test_an_aor_with_an_empty_domain_makes_no_row_that_cannot_be_read() -> None:
    with script(THROUGH, usrloc={"use_domain": 1}) as server:
        assert add(server, aor="bob@") == (400, "Bad parameter")
        assert server.rows("location") == []


def test_contacts_that_are_not_loaded_yet() -> None:
    with script(THROUGH) as server:
        add(server)
        server.server.modules["usrloc"].bind().domain("location").ready = False
        assert answer(server, "ul_show_contact", "location", "bob") == (500, "Server Internal Error")
        assert answer(server, "ul_rm", "location", "bob") == (500, "Failed to delete AOR")
        assert answer(server, "ul_rm_contact", "location", "bob", "sip:1@h") == (
            500,
            "Failed to delete contact",
        )


def test_contacts_that_have_just_expired() -> None:
    with script() as server:
        add(server, expires=1)
        server.server.advance(1.2)
        domain = server.server.modules["usrloc"].bind().domain("location")
        if domain.of("bob"):  # not ended yet
            assert answer(server, "ul_show_contact", "location", "bob") == (404, "AOR has no contacts")
        server.run_for(2)
        assert answer(server, "ul_show_contact", "location", "bob") == (404, "AOR not found")


def test_a_database_that_takes_nothing() -> None:
    with script(THROUGH) as server:
        add(server)
        server.sql("CREATE TRIGGER never BEFORE DELETE ON location BEGIN SELECT RAISE(ABORT, 'no'); END")
        server.sql("CREATE TRIGGER none BEFORE INSERT ON location BEGIN SELECT RAISE(ABORT, 'no'); END")
        assert answer(server, "ul_rm", "location", "bob") == (500, "Failed to delete AOR")
        assert answer(server, "ul_rm_contact", "location", "bob", "sip:1@h") == (
            500,
            "Failed to delete contact",
        )
        assert add(server, "sip:2@h") == (500, "Server Internal Error")
        assert add(server, "sip:" + "x" * 300) == (500, "Server Internal Error")
        assert contacts_of(server) == ["sip:1@h"]


def test_a_database_that_cannot_be_read() -> None:
    with script(REMOTE) as server:
        server.sql("DROP TABLE location")
        assert answer(server, "ul_rm", "location", "bob") == (500, "Failed to delete AOR")
        assert answer(server, "ul_show_contact", "location", "bob") == (500, "Server Internal Error")


def test_a_dump(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "SLICE", 2)
    with script(THROUGH) as server:
        for number in range(5):
            register(server, user=f"user{number}")
        reply = server.mi("ul_dump")
        assert reply is not None
        (top,) = reply.nodes
        assert (top.name, top.value) == ("Domain", "location")
        assert top.attributes == {"table": "512", "records": "5", "max_slot": "1"}
        assert [node.value for node in top.children] == [f"user{number}" for number in range(5)]
        (contact,) = top.children[0].children
        assert [node.value for node in contact.children if node.name == "State"] == ["CS_SYNC"]
        brief = server.mi("ul_dump", "brief")
        assert brief is not None
        assert [node.children for node in brief.nodes[0].children] == [[]] * 5


@pytest.mark.parametrize(("mode", "state"), [(MEMORY, "CS_NEW"), (THROUGH, "CS_SYNC"), (BACK, "CS_NEW")])
def test_a_dump_tells_how_contacts_stand_to_their_rows(mode: int, state: str) -> None:
    with script(mode) as server:
        register(server)
        reply = server.mi("ul_dump")
        assert reply is not None
        contact = reply.nodes[0].children[0].children[0]
        assert [node.value for node in contact.children if node.name == "State"] == [state]


def test_a_dump_of_a_database_only_table_is_empty() -> None:
    with script(REMOTE) as server:
        register(server)
        reply = server.mi("ul_dump")
        assert reply is not None
        assert reply.nodes[0].attributes["records"] == "0"
        assert reply.nodes[0].children == []
