from __future__ import annotations

import pytest

from openpy.sip.names import CANONICAL, canonical_name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Via", "Via"),
        ("v", "Via"),
        ("V", "Via"),
        ("vIA", "Via"),
        ("call-id", "Call-ID"),
        ("Call-Id", "Call-ID"),
        ("i", "Call-ID"),
        ("CSEQ", "CSeq"),
        ("o", "Event"),
        ("u", "Allow-Events"),
        ("Via  ", "Via"),
        ("sip-etag", "SIP-ETag"),
        ("x-foo", "X-Foo"),
        ("X-FOO", "X-Foo"),
        ("y" * 80, "Y" + "y" * 79),
    ],
)
def test_canonical_name(written: str, name: str) -> None:
    assert canonical_name(written) == name


def test_letters_that_only_look_like_ours_stay_foreign() -> None:
    assert canonical_name("\u212a") == "\u212a"


def test_usual_spellings_need_one_look() -> None:
    assert {"Via", "via", "VIA", "v", "V"} <= CANONICAL.keys()
