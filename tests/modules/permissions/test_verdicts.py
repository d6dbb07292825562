from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.run import Run
from openpy.modules.permissions.rulefiles import FilePair, RuleBook
from openpy.modules.permissions.verdicts import may_reach, may_register, may_route
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request


@pytest.fixture
def book() -> RuleBook:
    return RuleBook()


def files_of(book: RuleBook, folder: Path, allow: str = "", deny: str = "ALL : ALL") -> FilePair:
    (folder / "r.allow").write_text(allow)
    (folder / "r.deny").write_text(deny)
    return book.read_pair(folder / "r", (".allow", ".deny"))


def run_of(bench: Bench, *headers: str, method: str = "INVITE", uri: str = "sip:bob@example.com") -> Run:
    return Run(bench.server, parse_message(request(method, uri, *headers)), bench.phone())


def test_where_a_request_may_go(tmp_path: Path, book: RuleBook) -> None:
    files = files_of(book, tmp_path, '"^sip:alice@" : "^sip:bob@"')
    with Bench(tmp_path) as bench:
        assert may_route(book, files, run_of(bench), every=True)
        assert not may_route(book, files, run_of(bench, uri="sip:carol@example.com"), every=True)
        assert not may_route(book, files, run_of(bench, uri="urn:x:y"), every=True)


def test_what_may_be_registered(tmp_path: Path, book: RuleBook) -> None:
    files = files_of(book, tmp_path, '"^sip:bob@" : "@192"')
    with Bench(tmp_path) as bench:
        good, bad = "Contact: <sip:bob@192.0.2.1>", "Contact: <sip:bob@203.0.113.1>"
        assert may_register(book, files, run_of(bench, good, method="REGISTER"))
        assert not may_register(book, files, run_of(bench, good, bad, method="REGISTER"))
        assert not may_register(book, files, run_of(bench, "Contact: <urn:x:y>", method="REGISTER"))


def test_which_uri_may_be_reached(tmp_path: Path, book: RuleBook) -> None:
    files = files_of(book, tmp_path, '"^sip:alice@" : "^sip:bob@"')
    with Bench(tmp_path) as bench:
        run = run_of(bench)
        uris = "sip:bob@example.com", "sip:carol@example.com", None, 7
        assert [may_reach(book, files, run, uri) for uri in uris] == [True, False, False, False]


def test_without_rules_all_is_allowed(tmp_path: Path, book: RuleBook) -> None:
    files = files_of(book, tmp_path, deny="")
    with Bench(tmp_path) as bench:
        run = run_of(bench, "Contact: <urn:x:y>", uri="urn:x:y")
        assert may_route(book, files, run, every=True)
        assert may_register(book, files, run)
        assert may_reach(book, files, run, None)


@pytest.mark.parametrize("name", ["From", "To"])
def test_who_cannot_be_read_may_do_nothing(tmp_path: Path, book: RuleBook, name: str) -> None:
    files = files_of(book, tmp_path, '"^sip:alice@" : ALL')
    data = request("INVITE", "sip:bob@example.com", "Contact: <sip:bob@192.0.2.1>")
    lines = [
        f"{name}: <".encode() if line.startswith(f"{name}:".encode()) else line
        for line in data.split(b"\r\n")
    ]
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(b"\r\n".join(lines)), bench.phone())
        allowed = may_route(book, files, run, every=True), may_reach(book, files, run, "sip:bob@example.com")
        assert allowed == ((False, False) if name == "From" else (True, True))
        assert not may_register(book, files, run)
