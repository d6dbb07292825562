from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from openpy.engine.module import ArgumentError
from openpy.engine.pseudovars import PSEUDO_VARIABLES
from openpy.engine.run import Run
from openpy.modules.avpops.sources import Owner, SourceKind
from openpy.script.environment import Environment
from openpy.sip.message import parse_message
from tests.engine.kit import Bench, request

ENVIRONMENT: Any = Environment(pseudo_variables=dict(PSEUDO_VARIABLES))


@pytest.mark.parametrize(
    ("text", "use_domain", "owner"),
    [
        ("$ru", False, Owner(username="bob")),
        ("$ru", True, Owner(username="bob", domain="example.com")),
        ("$ruri", True, Owner(username="bob", domain="example.com")),
        ("$(ru)", True, Owner(username="bob", domain="example.com")),
        ("$fu", True, Owner(username="alice", domain="atlanta.example")),
        ("$from", True, Owner(username="alice", domain="atlanta.example")),
        ("$tu", True, Owner(username="bob", domain="biloxi.example")),
        ("$ou", False, Owner(username="bob")),
        ("$ru/uri", True, Owner(username="bob", domain="example.com")),
        ("$ru/username", True, Owner(username="bob")),
        ("$ru/domain", False, Owner(domain="example.com")),
        ("$ru/UUID", False, Owner(uuid="sip:bob@example.com")),
        ("$rU", True, Owner(uuid="bob")),
        ("$rU/uri", True, None),
        ("$hdr(Subject)/uri", True, Owner(username="carol", domain="x.example")),
        ("$hdr(Absent)", True, None),
        ("$hdr(Tel)/uri", True, None),
        ("$hdr(Host)/uri", True, None),
        ("$var(n)", True, Owner(uuid="0")),
        ("alice", True, Owner(uuid="alice")),
        ("sip:dave@y.example/uri", True, Owner(username="dave", domain="y.example")),
        ("sip:dave@y.example/domain", True, Owner(domain="y.example")),
        ("sip:dave@y.example", True, Owner(uuid="sip:dave@y.example")),
    ],
)
def test_owners(tmp_path: Path, text: str, use_domain: bool, owner: Owner | None) -> None:
    data = request(
        "OPTIONS",
        "sip:bob@example.com",
        "Subject: sip:carol@x.example",
        "Tel: tel:+49",
        "Host: sip:x.example",
    )
    with Bench(tmp_path) as bench:
        run = Run(bench.server, parse_message(data), bench.phone())
        assert SourceKind().convert(text, ENVIRONMENT).owner(run, use_domain) == owner


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names nobody"), ("/uri", "names nobody"), ("$ru/", '"/" is no part of a user'),
        ("$ru/x", "there are /username"), ("$rux", "unknown script variable"),
        ("$ru uri", "what is more stands behind a slash"),
    ],
)  # fmt: skip
def test_what_is_no_source(text: str, told: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        SourceKind().convert(text, ENVIRONMENT)
    assert told in str(caught.value)
