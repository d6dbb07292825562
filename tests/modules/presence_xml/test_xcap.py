"""The documents that users keep by XCAP."""

from typing import Any, cast

import pytest

from openpy.db.database import Database
from openpy.db.errors import DatabaseError
from openpy.documents.rules import SubHandling
from openpy.engine.log import Log
from openpy.modules.presence_xml.tables import Xcap
from openpy.modules.presence_xml.xcap import XcapDocuments
from openpy.sip.errors import RemoteError
from tests.modules.presence.kit import Memory, presence, ruleset

BOB = "sip:bob@example.org"


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def logged() -> list[str]:
    return []


@pytest.fixture
def documents(memory: Memory, logged: list[str]) -> XcapDocuments:
    log = Log(9, lambda level, line: logged.append(line))
    return XcapDocuments(cast(Database, memory), memory.use(Xcap), log)


def insert(
    memory: Memory, id_: int, body: Any, kind: int, domain: str = "example.org", name: str = "index"
) -> None:
    memory.kept[memory.use(Xcap)][id_] = ("alice", domain, body, kind, "etag", 0, name, 0)


def handling(documents: XcapDocuments) -> SubHandling | None:
    found = documents.rules("alice", "example.org")
    return None if found is None else found.decide(BOB, now=0).status


def reread(documents: XcapDocuments) -> None:
    with pytest.raises(StopIteration):
        documents.reread("alice", "example.org").send(None)


def test_before_they_are_loaded_nobody_knows(documents: XcapDocuments) -> None:
    with pytest.raises(RemoteError) as refused:
        documents.rules("alice", "example.org")
    assert refused.value.status == 503
    assert documents.hard_state("alice", "example.org") is None


def test_documents_are_found_by_user_and_type_and_parsed_once(
    memory: Memory, documents: XcapDocuments
) -> None:
    insert(memory, 1, ruleset(f"{BOB} allow"), 2, domain="Example.ORG")
    insert(memory, 2, presence(id_="hard").decode(), 16)
    insert(memory, 3, b"<resource-lists/>", 4)
    documents.load()
    rules = documents.rules("alice", "example.org")
    assert rules is not None
    assert documents.rules("alice", "example.org") is rules
    assert handling(documents) is SubHandling.ALLOW
    assert documents.rules("Alice", "example.org") is None
    hard = documents.hard_state("alice", "example.org")
    assert hard is not None
    assert documents.hard_state("alice", "example.org") is hard
    assert documents.hard_state("bob", "example.org") is None


def test_of_several_the_index_counts(memory: Memory, documents: XcapDocuments) -> None:
    insert(memory, 1, ruleset(f"{BOB} block"), 2, name="old")
    insert(memory, 2, ruleset(f"{BOB} allow"), 2, name="pres-rules/users/alice/index")
    insert(memory, 3, ruleset(f"{BOB} confirm"), 2, name="new")
    documents.load()
    assert handling(documents) is SubHandling.ALLOW


def test_xc_06_one_user_is_read_again_and_may_have_none_left(
    memory: Memory, documents: XcapDocuments
) -> None:
    documents.load()
    insert(memory, 1, ruleset(f"{BOB} allow"), 2)
    insert(memory, 2, ruleset(f"{BOB} block"), 2, domain="example.net")
    assert handling(documents) is None
    reread(documents)
    assert handling(documents) is SubHandling.ALLOW
    assert documents.rules("alice", "example.net") is None
    del memory.kept[memory.use(Xcap)][1]
    reread(documents)
    assert handling(documents) is None
    memory.unreadable = DatabaseError("gone")
    with pytest.raises(DatabaseError):
        documents.reread("alice", "example.org").send(None)


def test_xc_27_broken_documents(memory: Memory, documents: XcapDocuments, logged: list[str]) -> None:
    insert(memory, 1, b"<ruleset>", 2)
    insert(memory, 2, b"<presence>", 16)
    documents.load()
    for _ in range(2):
        assert handling(documents) is SubHandling.NONE
        assert documents.hard_state("alice", "example.org") is None
    assert len(logged) == 2
