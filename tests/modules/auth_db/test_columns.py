from __future__ import annotations

import pytest

from openpy.engine.module import ArgumentError
from openpy.modules.auth_db.columns import PasswordColumns, loaded_columns

HASHED = PasswordColumns("", "ha1", "ha1b", "s256", "s512")
PLAIN = HASHED._replace(plain="password")


@pytest.mark.parametrize(
    ("algorithm", "names_domain", "column"),
    [
        ("MD5", False, "ha1"),
        ("md5-sess", False, "ha1"),
        ("MD5", True, "ha1b"),
        ("SHA-256", False, "s256"),
        ("SHA-512-256", False, "s512"),
        ("SHA-256", True, ""),
    ],
)
def test_the_column_of_an_algorithm(algorithm: str, names_domain: bool, column: str) -> None:
    assert HASHED.holding(algorithm, names_domain=names_domain) == column
    assert PLAIN.holding(algorithm, names_domain=names_domain) == "password"


def test_only_what_is_offered_is_needed() -> None:
    assert HASHED.used(["MD5"]) == ["ha1", "ha1b"]
    assert HASHED.used(["SHA-512-256", "SHA-256"]) == ["s512", "s256"]
    assert PLAIN.used(["SHA-256", "MD5"]) == ["password"]


def test_load_credentials() -> None:
    found = loaded_columns("rpid; $avp(s:id)=uuid ;$avp(i:5) = n;")
    assert [(loaded.column, loaded.avp.text) for loaded in found] == [
        ("rpid", "s:rpid"),
        ("uuid", "$avp(s:id)"),
        ("n", "$avp(i:5)"),
    ]
    assert loaded_columns("") == []


@pytest.mark.parametrize("text", ["x=", "x=y", "*", "$avp(s:x)=a b", "$fu=x", "$avp(x:1)=y", "=y"])
def test_what_load_credentials_cannot_mean(text: str) -> None:
    with pytest.raises(ArgumentError):
        loaded_columns(text)
