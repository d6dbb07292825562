from __future__ import annotations

import pytest

from openpy.modules.auth.rpid import header_of, is_e164


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("sip:+12@a.example", True),
        ('"Bob" <sip:+123456789012345@a.example>;x=y', True),
        ("tel:+1234", True),
        ("sip:+1234567890123456@a.example", False),
        ("sip:+1@a.example", False),
        ("sip:+12x@a.example", False),
        ("sip:12@a.example", False),
        ("sip:a.example", False),
        ("+1234", False),
        ("", False),
    ],
)
def test_e164(text: str, answer: bool) -> None:
    assert is_e164(text) is answer


def test_the_header() -> None:
    assert header_of("<", "sip:a@b", ">;party=calling") == "Remote-Party-ID: <sip:a@b>;party=calling\r\n"
    for value in ("a\r\nX: y", "a\nb", "a\0"):
        assert header_of("", value, "") == ""
