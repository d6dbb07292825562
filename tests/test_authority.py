"""The certificates that tests are given."""

from __future__ import annotations

import ssl

from tests.authority import Authority


def test_certificates_that_begin_with_the_same_name_are_two(authority: Authority) -> None:
    short, long = authority.of("localhost"), authority.of("localhost", "::1")
    assert short != long
    names = [_names(made.certificate) for made in (short, long)]
    assert names == [{"localhost"}, {"localhost", "0:0:0:0:0:0:0:1"}]
    assert authority.of("localhost") == short


def _names(path: str) -> set[str]:
    decoded = ssl._ssl._test_decode_cert(path)  # type: ignore[attr-defined]  # the only reader of the library
    return {name.strip() for _, name in decoded["subjectAltName"]}
