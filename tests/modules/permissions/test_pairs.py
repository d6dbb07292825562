from __future__ import annotations

import pytest

from openpy.modules.permissions.pairs import branches, contacts, plain
from openpy.sip.errors import RemoteError
from openpy.testing.script import Script

SCRIPT = """loadmodule "sl.so"
route { $ru = "sips:bob:secret@EXAMPLE.com:5061;transport=tcp"; append_branch("sip:192.0.2.9;lr"); exit; }"""


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:bob@example.com", "sip:bob@example.com"),
        ("sips:bob:pw@[2001:db8::1]:5061;user=phone?Subject=x", "sip:bob@[2001:db8::1]"),
        ("sip:192.0.2.1:5060", "sip:192.0.2.1"),
        ("sip:%30%39%30%30%2d%40%@192.0.2.1", "sip:0900-%40%25@192.0.2.1"),
        ("tel:+4930;phone-context=x", "sip:+4930@"),
    ],
)
def test_plain(uri: str, expected: str) -> None:
    assert plain(uri) == expected


def test_a_request_uri_without_a_user() -> None:
    assert plain("sip:example.com", is_request_uri=True) == "sip:@example.com"


@pytest.mark.parametrize("uri", ["urn:service:sos", "nonsense", ""])
def test_what_has_no_plain_form(uri: str) -> None:
    with pytest.raises(RemoteError):
        plain(uri)


def test_where_a_request_goes() -> None:
    with Script(SCRIPT) as script:
        run = script.send("INVITE", "sip:carol@example.com").run
        assert run is not None
        assert branches(run, every=True) == ["sip:bob@EXAMPLE.com", "sip:192.0.2.9"]
        assert branches(run, every=False) == ["sip:bob@EXAMPLE.com"]


@pytest.mark.parametrize(
    ("contact", "expected"),
    [
        (
            ["<sip:a@192.0.2.1:5060>;q=0.5, sip:b@192.0.2.2", "<sip:192.0.2.3>"],
            ["sip:a@192.0.2.1", "sip:b@192.0.2.2", "sip:192.0.2.3"],
        ),
        ("*", []),
    ],
)
def test_what_is_registered(contact: str | list[str], expected: list[str]) -> None:
    with Script(SCRIPT) as script:
        run = script.send("REGISTER", "sip:example.com", Contact=contact).run
        assert run is not None
        assert contacts(run) == expected
