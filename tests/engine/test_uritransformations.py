from __future__ import annotations

from pathlib import Path

import pytest

from openpy.engine.uritransformations import URI_TRANSFORMATIONS
from openpy.script.diagnostics import ScriptError
from tests.engine.kit import evaluate, is_true, request

URI = "sip:bob:pw@h.com:5061;transport=tcp;ttl=3;user=phone;maddr=1.2.3.4;method=INVITE;lr=on;r2=on;q=1;flag"
FULL = request(uri=URI)
SHORT = request(uri="sip:h.com")


@pytest.mark.parametrize(
    ("name", "full", "short"),
    [
        ("user", "bob", ""),
        ("passwd", "pw", ""),
        ("host", "h.com", "h.com"),
        ("domain", "h.com", "h.com"),
        ("port", "5061", ""),
        ("params", "transport=tcp;ttl=3;user=phone;maddr=1.2.3.4;method=INVITE;lr=on;r2=on;q=1;flag", ""),
        ("transport", "tcp", ""),
        ("ttl", "3", ""),
        ("uparam", "phone", ""),
        ("maddr", "1.2.3.4", ""),
        ("method", "INVITE", ""),
        ("lr", "on", ""),
        ("r2", "on", ""),
        ("param,q", "1", ""),
        ("param,flag", "", ""),
        ("param,absent", "", ""),
        ("param,$var(p)", "1", ""),
        ("USER", "bob", ""),
    ],
)
def test_section_6(tmp_path: Path, name: str, full: str, short: str) -> None:
    before = '$var(p)="q";'
    assert evaluate(tmp_path, f"[$(ru{{uri.{name}}})]", FULL, before=before) == f"[{full}]"
    assert evaluate(tmp_path, f"[$(ru{{uri.{name}}})]", SHORT, before=before) == f"[{short}]"


def test_a_port_is_a_number(tmp_path: Path) -> None:
    assert is_true(tmp_path, "$(ru{uri.port})==5061", FULL)


PLACELESS = request(uri="tel:+1555;ext=7")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("user", "+1555"), ("passwd", ""), ("host", ""), ("domain", ""), ("port", "")],
)
def test_a_number_has_a_user_and_no_host(tmp_path: Path, name: str, expected: str) -> None:
    assert evaluate(tmp_path, f"[$(ru{{uri.{name}}})]", PLACELESS) == f"[{expected}]"


def test_no_port_is_0_too(tmp_path: Path) -> None:
    assert is_true(tmp_path, '$(ru{uri.port})==0 && $(ru{uri.port})==""', SHORT)


@pytest.mark.parametrize("name", ["user", "param,q", "param,$hdr(Absent)"])
def test_what_is_no_uri_fails(tmp_path: Path, name: str) -> None:
    condition = f'$(var(x){{uri.{name}}})=="" || 1'
    for value in ('"no uri"', "5"):
        assert not is_true(tmp_path, condition, FULL, before=f"$var(x)={value};")


def test_a_parameter_name_is_needed(tmp_path: Path) -> None:
    with pytest.raises(ScriptError):
        evaluate(tmp_path, "$(ru{uri.param})", FULL)


def test_names_are_those_of_their_keys() -> None:
    assert all(name == entry.name for name, entry in URI_TRANSFORMATIONS.items())
