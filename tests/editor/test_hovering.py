"""What is shown under the mouse."""

from __future__ import annotations

import pytest

from openpy.editor.hovering import hover
from tests.editor.conftest import SCRIPT, Analyse


def shown(known: Analyse, at: str, text: str = SCRIPT, nth: int = 0) -> tuple[str, str]:
    """What is marked and shown at the last character of a piece of the script."""
    offset = -1
    for _ in range(nth + 1):
        offset = text.index(at, offset + 1)
    found = hover(text, offset + len(at) - 1, "test.cfg", known(text))
    if found is None:
        return "", ""
    (start, end), markdown = found
    return text[start:end], markdown


@pytest.mark.parametrize(
    ("at", "marked", "fragment"),
    [
        ("sl_send", "sl_send_reply", "sl_send_reply(code, reason)"),
        ("setfl", "setflag", "Module core"),
        ("deb", "debug", "Log level"),
        ('e "tm', "tm.so", "Stateful processing"),
        ('m("t', "tm", "Stateful processing"),
        ("fr_ti", "fr_timer", "Takes a number"),
        ("$r", "$rU", "$rU"),
        ('"$var(c', "$var(count)", "Can be assigned"),
        ("$(r", "$(ru{uri.user})", "$ru"),
        ("uri.us", "uri.user", "{uri.user}"),
        ("route(REL", "RELAY", "`route[RELAY]`, used in 2 places"),
        ('re("BU', "BUSY", "`failure_route[BUSY]`, used in 1 place"),
        ("flag(FL", "FLAG", "#!define FLAG 5"),
    ],
)
def test_what_there_is_to_say(known: Analyse, at: str, marked: str, fragment: str) -> None:
    found, markdown = shown(known, at)
    assert found.strip('"') == marked
    assert fragment in markdown


@pytest.mark.parametrize("at", ["10", "route {", "L_INFO", "calls", "= "])
def test_where_there_is_nothing_to_say(known: Analyse, at: str) -> None:
    assert shown(known, at) == ("", "")


def test_what_is_not_loaded_or_not_there(known: Analyse) -> None:
    text = 'route { is_method("INVITE"); route(x); seturi("sip:a@b"); $foo; nobody(); }'
    assert 'Not loaded: `loadmodule "textops.so"`' in shown(known, "is_m", text)[1]
    assert "there is no such route" in shown(known, "(x", text)[1]
    assert "rewriteuri" in shown(known, "setu", text)[1]
    assert shown(known, "$fo", text) == ("", "")
    assert shown(known, "nob", text) == ("", "")
    assert shown(known, "noso", 'loadmodule "nosort.so"') == ("", "")


def test_a_name_from_another_file(known: Analyse) -> None:
    text = '#!include_file "x.cfg"\nroute { setflag(OTHER); }'
    analysis = known(text, x_cfg="#!define OTHER 7\n")
    found = hover(text, text.index("OTHER"), "test.cfg", analysis)
    assert found is not None
    assert "#!define OTHER 7" in found[1]
